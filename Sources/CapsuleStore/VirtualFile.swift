/// A file as SQLite sees it: bytes at any offset, sealed where they lie.
protocol VirtualFile: AnyObject {
    /// The length in bytes.
    func length() throws(StoreError) -> UInt64

    /// Reads at `offset` until `buffer` is full or the file ends; returns the count.
    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(StoreError) -> Int

    /// Writes all bytes at `offset`.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(StoreError)

    /// Makes the file `length` bytes long.
    func truncate(to length: UInt64) throws(StoreError)

    /// Makes what was written survive a power cut.
    func flush() throws(StoreError)
}
