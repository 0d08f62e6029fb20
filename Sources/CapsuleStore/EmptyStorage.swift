import CapsuleSystem
import Glibc

/// The log of a database that is only read and was left without one.
final class EmptyStorage: ResizableStorage {
    let name: String

    init(name: String) { self.name = name }

    private var refusal: SystemError { SystemError(errno: EROFS, operation: "write", object: name) }

    func length() throws(SystemError) -> UInt64 { 0 }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(SystemError) -> Int { 0 }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(SystemError) {
        throw refusal
    }

    func truncate(to length: UInt64) throws(SystemError) { throw refusal }

    func punch(_ range: Range<UInt64>) throws(SystemError) { throw refusal }

    func flush() throws(SystemError) {}
}
