import CLinux
import CapsuleBytes

/// Device numbers as the format stores them: major << 32 | minor.
enum DeviceNumber {
    static func make(_ place: UInt64) -> UInt64 {
        clinux_makedev(UInt32(place >> 32), UInt32(truncatingIfNeeded: place))
    }
}

/// The two values of lseek's whence that reach a file system.
enum SeekKind {
    static let data = clinux_SEEK_DATA
    static let hole = clinux_SEEK_HOLE
}

/// Paths in log lines.
enum LogText {
    /// Escapes controls, backslashes and quotes, so that a name cannot forge a field or a line.
    static func quoted(_ path: [UInt8]) -> String {
        Text.escaped(path).reduce(into: "") { result, character in
            if character == "\"" { result += "\\x22" } else { result.append(character) }
        }
    }
}
