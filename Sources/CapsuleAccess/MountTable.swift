import Glibc

/// The mounts of this process, as proc_pid_mountinfo(5) describes them.
package enum MountTable {
    /// The source of the capsulefs mount that a path lies in.
    static func source(of path: String) -> String? {
        guard let table = fopen("/proc/self/mountinfo", "re") else { return nil }
        defer { fclose(table) }
        var line: UnsafeMutablePointer<CChar>?
        var capacity = 0
        defer { free(line) }
        var found: (point: String, source: String)?
        while getline(&line, &capacity, table) > 0, let line {
            let fields = String(cString: line).split(separator: " ")
            guard let dash = fields.firstIndex(of: "-"), fields.count > dash + 2 else { continue }
            let point = unescape(fields[4])
            let isInside = path == point || point == "/" || path.hasPrefix(point + "/")
            // The longest mount point counts, and of several over each other the last.
            guard isInside, point.utf8.count >= (found?.point.utf8.count ?? 0) else { continue }
            let isOurs = fields[dash + 1] == "fuse.capsulefs"
            found = (point, isOurs ? unescape(fields[dash + 2]) : "")
        }
        return found.flatMap { $0.source.isEmpty ? nil : $0.source }
    }

    /// The table writes space, tab, line feed and backslash as three octal digits.
    package static func unescape(_ field: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(field.utf8)[...]
        while let byte = rest.popFirst() {
            let digits = rest.prefix(3)
            if byte == UInt8(ascii: "\\"), digits.count == 3,
                let code = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
            {
                bytes.append(code)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// An absolute path without a trailing slash; space, tab, line feed and backslash as octal.
    static func escape(_ path: String) -> String {
        var absolute = Array(path.utf8)
        if absolute.first != UInt8(ascii: "/"), let directory = getcwd(nil, 0) {
            absolute = Array(String(cString: directory).utf8) + [UInt8(ascii: "/")] + absolute
            free(directory)
        }
        let parts = absolute.split(separator: UInt8(ascii: "/")).filter { $0 != [46] }
        var text: [UInt8] = []
        for part in parts {
            text.append(UInt8(ascii: "/"))
            for byte in part {
                switch byte {
                case 0x20: text += Array("\\040".utf8)
                case 0x09: text += Array("\\011".utf8)
                case 0x0a: text += Array("\\012".utf8)
                case 0x5c: text += Array("\\134".utf8)
                default: text.append(byte)
                }
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
