/// A run of a file's bytes, in a block of a segment.
struct FileExtent: Equatable, Sendable {
    /// Where in the file it begins.
    var offset: UInt64
    /// Bytes of the file.
    var length: UInt64
    /// The block that holds them.
    let block: BlockPlace
    /// Where in the block's plaintext they begin.
    var skip: UInt64
    /// The epoch in which the row came to be.
    var born: Int64

    var end: UInt64 { offset + length }
}

/// A sealed block in a segment.
struct BlockPlace: Hashable, Sendable {
    /// The number of the segment's row.
    let segment: Int64
    /// The offset in the segment, in bytes.
    let place: UInt64
    /// Bytes as stored, compressed or not, without what sealing adds.
    let packedLength: Int
    /// Bytes of plaintext; more than `packedLength` says that zstd compressed it.
    let plainLength: Int

    var isCompressed: Bool { packedLength < plainLength }
    var storedLength: Int { packedLength + SegmentStore.overhead }
}
