import CapsuleCrypto
import CapsuleSystem

/// Memvid's own encryption, both ways: the whole of a file, byte for byte.
public enum MemvidLock {
    /// Encrypts an opened plain file into `sink`.
    public static func copy(
        _ file: MemvidFile, to sink: any MemvidSink, progress: (UInt64) -> Void = { _ in }
    ) throws(MemvidError) {
        var offset: UInt64 = 0
        let step: UInt64 = 1 << 20
        let head = try file.source.bytes(MemvidHeader.length, at: 0, "header")
        while offset < file.length {
            let count = Int(min(file.length - offset, step))
            try sink.append(try file.source.bytes(count, at: offset, "file"))
            offset += UInt64(count)
            progress(UInt64(count))
        }
        try sink.finish(header: head)
    }
}
