import CapsuleCrypto
import CapsuleSystem

/// An opened capsule: everything that needs the file key.
public final class Capsule: Sendable {
    /// Its clear parts.
    public let file: CapsuleFile
    /// Its keys.
    public let keys: FileKeys
    /// The tree of names and inodes.
    public let index: IndexReader
    /// The bytes of the files.
    public let content: ContentReader

    private let scratch = ScratchPool()
    let extentLists = SharedCache<ExtentList>(capacity: 4 << 20, shardCount: 2)

    /// How much memory an opened capsule may use for what it keeps.
    public struct CacheSizes: Sendable {
        /// Decrypted contents, in bytes.
        public var content: Int
        /// Decrypted index pages, in bytes.
        public var index: Int
        /// Nodes of the hash trees, in bytes.
        public var nodes: Int

        /// Sizes in bytes.
        public init(content: Int = 64 << 20, index: Int = 16 << 20, nodes: Int = 8 << 20) {
            self.content = content
            self.index = index
            self.nodes = nodes
        }
    }

    /// Authenticates and opens. Reads a constant amount, whatever the number of files.
    public init(
        _ file: CapsuleFile, keys: FileKeys, caches: CacheSizes = CacheSizes()
    ) throws(FormatError) {
        try file.authenticate(keys)
        self.file = file
        self.keys = keys
        let streams = Capsule.StreamOpener(file: file, keys: keys, scratch: scratch)
        index = try IndexReader(
            try streams.open(.index, nodeCacheLength: caches.nodes / 2),
            cacheLength: caches.index)
        content = ContentReader(
            try streams.open(.content, nodeCacheLength: caches.nodes),
            cacheLength: caches.content)
    }

    private struct StreamOpener {
        let file: CapsuleFile
        let keys: FileKeys
        let scratch: ScratchPool

        func open(_ id: StreamID, nodeCacheLength: Int) throws(FormatError) -> StreamReader {
            guard let entry = file.trailer.stream(id) else {
                throw .damaged("the capsule has no \(id.name) stream")
            }
            let codec = BlockCodec(stream: id, keys: keys, capsuleID: file.header.id)
            return try StreamReader(
                entry, codec: codec, storage: file.storage, nodeCacheLength: nodeCacheLength,
                scratch: scratch)
        }
    }

    /// Whether contents and index are stored as they are, so that block lengths tell nothing.
    public var isUncompressed: Bool {
        [StreamID.content, .index].allSatisfy { id in
            guard let stream = file.trailer.stream(id) else { return true }
            return stream.end - stream.start >= stream.logicalLength
        }
    }

    /// The manifest's bytes: canonical JSON.
    public func manifestBytes() throws(FormatError) -> [UInt8] {
        let streams = StreamOpener(file: file, keys: keys, scratch: scratch)
        let reader = try streams.open(.manifest, nodeCacheLength: 1 << 20)
        guard reader.entry.logicalLength <= Limits.manifestLength else {
            throw FormatError(.limitExceeded, "the manifest is too long")
        }
        var bytes: [UInt8] = []
        while UInt64(bytes.count) < reader.entry.logicalLength {
            let node = try reader.leafNode(containing: UInt64(bytes.count))
            for block in node.blocks {
                try reader.load(block).withBytes { bytes.append(contentsOf: $0) }
            }
        }
        return bytes
    }
}
