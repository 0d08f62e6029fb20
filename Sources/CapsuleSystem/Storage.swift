/// Where the bytes of a capsule lie: the seam at which tests inject faults.
///
/// Reads and writes are positional and may come from several threads at once.
public protocol Storage: AnyObject, Sendable {
    /// What errors call the object.
    var name: String { get }

    /// The present length in bytes. Throws `SystemError`.
    func length() throws(SystemError) -> UInt64

    /// Reads at `offset` until `buffer` is full or the file ends; returns the count.
    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(SystemError) -> Int

    /// Writes all bytes at `offset`.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(SystemError)

    /// Makes what was written survive a power cut.
    func flush() throws(SystemError)
}

extension Storage {
    /// Writes all of `bytes` at `offset`.
    public func write(_ bytes: [UInt8], at offset: UInt64) throws(SystemError) {
        var failure: SystemError?
        bytes.withUnsafeBytes { buffer in
            do throws(SystemError) { try write(buffer, at: offset) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// Exactly `count` bytes at `offset`, or nil where the file ends before them.
    public func bytes(_ count: Int, at offset: UInt64) throws(SystemError) -> [UInt8]? {
        var failure: SystemError?
        let result = [UInt8](unsafeUninitializedCapacity: count) { buffer, done in
            do throws(SystemError) {
                done = try read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return result.count == count ? result : nil
    }
}
