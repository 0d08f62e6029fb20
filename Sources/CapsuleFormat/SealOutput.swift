import CapsuleSystem
import Glibc

/// The front-to-back half of writing a capsule: gathers small pieces into large writes.
///
/// Used by one thread at a time. After a failure nothing more is written and the error is kept.
final class SealOutput: @unchecked Sendable {
    // Sendable because the sealing pipeline hands it from thread to thread.
    private let storage: any Storage
    private let buffer = UnsafeMutableRawBufferPointer.allocate(
        byteCount: 4 << 20, alignment: 4096)
    private var filled = 0
    private var flushedTo: UInt64
    private let written: @Sendable (UInt64) -> Void
    private(set) var failure: FormatError?

    /// Starts at `position`; `written` hears how far the file has been written.
    init(
        storage: any Storage, position: UInt64, written: @escaping @Sendable (UInt64) -> Void
    ) {
        self.storage = storage
        self.written = written
        flushedTo = position
    }

    deinit { buffer.deallocate() }

    /// The offset of the next byte.
    var position: UInt64 { flushedTo + UInt64(filled) }

    /// Appends bytes.
    func append(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes
        while !rest.isEmpty {
            if filled == buffer.count { flush() }
            let count = min(rest.count, buffer.count - filled)
            UnsafeMutableRawBufferPointer(rebasing: buffer[filled..<filled + count])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: rest[..<count]))
            filled += count
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    /// Writes what was gathered.
    func flush() {
        let pending = UnsafeRawBufferPointer(rebasing: buffer[..<filled])
        if failure == nil, !pending.isEmpty {
            do throws(SystemError) {
                try storage.write(pending, at: flushedTo)
            } catch {
                failure = FormatError(
                    .system, "cannot write \(storage.name): \(error.reason)", errno: error.errno)
            }
        }
        flushedTo += UInt64(filled)
        filled = 0
        if failure == nil { written(flushedTo) }
    }
}
