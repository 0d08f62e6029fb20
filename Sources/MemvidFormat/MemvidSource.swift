import CapsuleBytes
import CapsuleSystem

/// The bytes of a decrypted `.mv2` file, readable at any place, from several threads at once.
protocol MemvidSource: AnyObject, Sendable {
    /// The length of the plaintext, in bytes.
    var length: UInt64 { get }

    /// Fills `buffer` with the bytes at `offset`. Throws `truncated` where there are fewer.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(MemvidError)
}

extension MemvidSource {
    /// Exactly `count` bytes at `offset`, where `count` has been checked against a limit.
    func bytes(_ count: Int, at offset: UInt64, _ part: String) throws(MemvidError) -> [UInt8] {
        guard let end = offset.checkedAdding(UInt64(count)), end <= length else {
            throw MemvidError(.truncated, "the file ends within the \(part)", at: offset)
        }
        var failure: MemvidError?
        let result = [UInt8](unsafeUninitializedCapacity: count) { buffer, done in
            do throws(MemvidError) {
                try read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
                done = count
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return result
    }
}

/// An unencrypted `.mv2`.
final class PlainSource: MemvidSource {
    private let storage: any Storage
    let length: UInt64

    init(_ storage: any Storage) throws(MemvidError) {
        self.storage = storage
        do throws(SystemError) {
            length = try storage.length()
        } catch {
            throw MemvidError(error)
        }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(MemvidError) {
        let count: Int
        do throws(SystemError) {
            count = try storage.read(into: buffer, at: offset)
        } catch {
            throw MemvidError(error)
        }
        guard count == buffer.count else {
            throw MemvidError(.truncated, "the file ends early", at: offset + UInt64(count))
        }
    }
}

/// Bytes in memory, such as a record of the log.
final class MemorySource: MemvidSource {
    private let contents: [UInt8]
    var length: UInt64 { UInt64(contents.count) }

    init(_ contents: [UInt8]) { self.contents = contents }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(MemvidError) {
        guard let end = offset.checkedAdding(UInt64(buffer.count)), end <= length else {
            throw MemvidError(.truncated, "the bytes end early", at: offset)
        }
        contents.withUnsafeBytes { bytes in
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[Int(offset)..<Int(end)]))
        }
    }
}
