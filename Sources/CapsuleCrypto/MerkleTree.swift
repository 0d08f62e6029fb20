import Crypto

/// The hash tree of an append-only log (RFC 6962, section 2.1), over SHA-256.
///
/// A tree is known by the hashes of its complete subtrees: the one at `level` with `number` covers
/// the leaves from `number << level` on, `1 << level` of them.
public enum MerkleTree {
    /// A complete subtree.
    public struct Node: Hashable, Sendable {
        /// The logarithm of the number of leaves below it.
        public let level: Int
        /// Its place among those of its level.
        public let number: UInt64

        /// A subtree.
        public init(level: Int, number: UInt64) {
            self.level = level
            self.number = number
        }
    }

    /// The hash of a leaf.
    public static func leaf(_ bytes: [UInt8]) -> Digest32 {
        var hash = SHA256()
        hash.update(data: [0])
        hash.update(data: bytes)
        return hash.finalize().withUnsafeBytes { Digest32($0) }
    }

    /// The hash of two subtrees.
    public static func node(_ left: Digest32, _ right: Digest32) -> Digest32 {
        var hash = SHA256()
        hash.update(data: [1])
        left.withUnsafeBytes { hash.update(bufferPointer: $0) }
        right.withUnsafeBytes { hash.update(bufferPointer: $0) }
        return hash.finalize().withUnsafeBytes { Digest32($0) }
    }

    /// The hash of a tree without leaves.
    public static var empty: Digest32 {
        SHA256.hash(data: [UInt8]()).withUnsafeBytes { Digest32($0) }
    }

    /// The complete subtrees that come into being with the leaf `number`, the leaf first.
    public static func appended<Failure: Error>(
        _ leaf: Digest32, number: UInt64,
        lookup: (Node) throws(Failure) -> Digest32
    ) throws(Failure) -> [(node: Node, hash: Digest32)] {
        var made = [(node: Node(level: 0, number: number), hash: leaf)]
        var (hash, number, level) = (leaf, number, 0)
        while number & 1 == 1 {
            hash = node(try lookup(Node(level: level, number: number - 1)), hash)
            number >>= 1
            level += 1
            made.append((Node(level: level, number: number), hash))
        }
        return made
    }

    /// The hash of the leaves of a range, which begins at a multiple of the largest power of two
    /// below its length.
    private static func hash<Failure: Error>(
        _ range: Range<UInt64>, _ lookup: (Node) throws(Failure) -> Digest32
    ) throws(Failure) -> Digest32 {
        let count = UInt64(range.count)
        if count == 0 { return empty }
        if count.nonzeroBitCount == 1 {
            let level = count.trailingZeroBitCount
            return try lookup(Node(level: level, number: range.lowerBound >> UInt64(level)))
        }
        let middle = range.lowerBound + split(count)
        return node(
            try hash(range.lowerBound..<middle, lookup), try hash(middle..<range.upperBound, lookup)
        )
    }

    /// The largest power of two below `count`, which is at least 2.
    private static func split(_ count: UInt64) -> UInt64 {
        1 << UInt64(63 - (count - 1).leadingZeroBitCount)
    }

    /// The root of the tree of the first `size` leaves.
    public static func root<Failure: Error>(
        size: UInt64, lookup: (Node) throws(Failure) -> Digest32
    ) throws(Failure) -> Digest32 { try hash(0..<size, lookup) }

    /// The audit path of a leaf, the sibling of the leaf first (RFC 6962, section 2.1.1).
    public static func inclusionProof<Failure: Error>(
        of leaf: UInt64, size: UInt64, lookup: (Node) throws(Failure) -> Digest32
    ) throws(Failure) -> [Digest32] {
        precondition(leaf < size, "only a leaf of the tree has a path")
        var path: [Digest32] = []
        var range = 0..<size
        while range.count > 1 {
            let middle = range.lowerBound + split(UInt64(range.count))
            if leaf < middle {
                path.append(try hash(middle..<range.upperBound, lookup))
                range = range.lowerBound..<middle
            } else {
                path.append(try hash(range.lowerBound..<middle, lookup))
                range = middle..<range.upperBound
            }
        }
        return path.reversed()
    }
}
