import Glibc

/// The database itself: one sealed block for each page, each known to be the newest by the map.
final class DatabaseFile: VirtualFile {
    static let fileName = "metadata"

    private let blocks: SealedBlocks
    private let map: PageMap
    /// The generation of the log whose pages a checkpoint puts here.
    private let logGeneration: () -> UInt64

    init(_ blocks: SealedBlocks, map: PageMap, logGeneration: @escaping () -> UInt64) {
        self.blocks = blocks
        self.map = map
        self.logGeneration = logGeneration
    }

    /// As `VirtualFile` says.
    func length() throws(StoreError) -> UInt64 {
        try blocks.count() * UInt64(SealedBlocks.length)
    }

    /// As `VirtualFile` says. Throws `damaged` for a page that is not authentic or not the newest.
    ///
    /// Only SQLite's looks at the first bytes are not whole pages. It takes them before it knows
    /// whether the log has a newer first page, and a checkpoint may have been cut off while it
    /// wrote that page: what is not authentic reads as an empty file, and the whole page follows.
    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(StoreError) -> Int {
        let page = offset / UInt64(SealedBlocks.length)
        guard page < (try blocks.count()) else {
            // SQLite would take what is missing for zeros.
            if page < map.count { throw Self.damaged(page, "is missing") }
            return 0
        }
        let start = Int(offset % UInt64(SealedBlocks.length))
        guard start + buffer.count <= SealedBlocks.length else {
            throw StoreError(.damaged, "the database has pages of another size", errno: EIO)
        }
        let isWhole = buffer.count == SealedBlocks.length
        guard let block = try blocks.read(page, generation: 0) else {
            if !isWhole { return 0 }
            throw Self.damaged(page, "is not authentic")
        }
        if isWhole, !map.isCurrent(page, tag: block.tag) {
            throw Self.damaged(page, "was replaced by an older one")
        }
        block.bytes.withUnsafeBytes { bytes in
            buffer.copyMemory(
                from: UnsafeRawBufferPointer(rebasing: bytes[start..<start + buffer.count]))
        }
        return buffer.count
    }

    private static func damaged(_ page: UInt64, _ reason: String) -> StoreError {
        StoreError(.damaged, "page \(page) of the database \(reason)", errno: EIO)
    }

    /// As `VirtualFile` says; SQLite writes whole pages only.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(StoreError) {
        guard bytes.count == SealedBlocks.length, offset % UInt64(SealedBlocks.length) == 0 else {
            throw StoreError(.damaged, "the database has pages of another size", errno: EIO)
        }
        let page = offset / UInt64(SealedBlocks.length)
        let tags = try blocks.write([Array(bytes)], at: page, generation: 0, watermark: 0)
        map.note(page, tag: tags[0])
    }

    /// As `VirtualFile` says.
    func truncate(to length: UInt64) throws(StoreError) {
        let count = length / UInt64(SealedBlocks.length)
        try blocks.truncate(toCount: count)
        map.truncate(to: count)
    }

    /// The end of a checkpoint: everything in the log is here, and the map says so.
    func flush() throws(StoreError) {
        try blocks.flush()
        try map.save(absorbing: logGeneration())
    }

    /// Reads every page but those that are read from the log, which a checkpoint may have been
    /// writing when it was cut off. Hands each that is damaged to `report`.
    func check(
        besides logged: Set<UInt64>, _ report: (StoreError) -> Void
    ) throws(StoreError) {
        for page in 0..<max(map.count, try blocks.count()) where !logged.contains(page) {
            guard let block = try blocks.read(page, generation: 0) else {
                report(Self.damaged(page, "is not authentic"))
                continue
            }
            if !map.isCurrent(page, tag: block.tag) {
                report(Self.damaged(page, "was replaced by an older one"))
            }
        }
    }
}
