import CSodium
import Crypto

/// AES-256-GCM for append-only files that several processes, or clones of one machine, may write.
///
/// Every block has a key of its own, derived from the segment's key and 192 fresh random bits (as
/// in C2SP's XAES-256-GCM, with BLAKE3 as the derivation), so nothing has to count and no two
/// blocks share a key and a nonce: not after a crash, in a restored backup, or in a clone.
///
///     Offset  Size  Field
///          0    24  random; part of the derivation
///         24     N  ciphertext
///       24+N    16  tag
public struct SegmentCipher: Sendable {
    /// Bytes that sealing adds.
    public static let overhead = randomByteCount + BlockCipher.tagByteCount
    private static let randomByteCount = 24
    private static let context = Blake3Context("capsulefs 2 segment block key")

    private let key: SymmetricKey
    private let name: [UInt8]

    /// The cipher of the segment of a name of 8 bytes, which is part of what each block
    /// authenticates.
    public init(key: SymmetricKey, name: [UInt8]) {
        precondition(key.bitCount == 256 && name.count == 8, "a segment has a key and a name")
        self.key = key
        self.name = name
    }

    private func cipher(_ random: UnsafeRawBufferPointer) -> BlockCipher {
        var digest = key.withUnsafeBytes { Self.context.hash($0, random) }
        defer { digest = .zero }
        return BlockCipher(key: digest.withUnsafeBytes { SymmetricKey(data: $0) })
    }

    private func associated(_ place: UInt64) -> [UInt8] {
        name + withUnsafeBytes(of: place.littleEndian) { [UInt8]($0) }
    }

    /// Seals a block for the place in the segment where it will lie.
    public func seal(_ plaintext: UnsafeRawBufferPointer, place: UInt64) -> [UInt8] {
        let count = plaintext.count + Self.overhead
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, done in
            guard let base = buffer.baseAddress else { return }
            randombytes_buf(base, Self.randomByteCount)
            let target = UnsafeMutableRawBufferPointer(buffer)
            let random = UnsafeRawBufferPointer(rebasing: target[..<Self.randomByteCount])
            cipher(random).seal(plaintext, counter: 0, associated: associated(place)) {
                ciphertext, tag in
                let cut = Self.randomByteCount + ciphertext.count
                UnsafeMutableRawBufferPointer(rebasing: target[Self.randomByteCount..<cut])
                    .copyMemory(from: ciphertext)
                UnsafeMutableRawBufferPointer(rebasing: target[cut..<count]).copyMemory(from: tag)
            }
            done = count
        }
    }

    /// Opens a block in its own memory, which is overwritten, and hands the plaintext to `body`.
    public func openInPlace<Result>(
        _ sealed: UnsafeMutableRawBufferPointer, place: UInt64,
        _ body: (UnsafeRawBufferPointer) -> Result
    ) throws(CryptoError) -> Result {
        guard sealed.count >= Self.overhead else { throw .notAuthentic }
        let random = UnsafeRawBufferPointer(rebasing: sealed[..<Self.randomByteCount])
        let cipher = cipher(random)
        let start = Self.randomByteCount - BlockCipher.nonceByteCount
        return try cipher.openInPlace(
            UnsafeMutableRawBufferPointer(rebasing: sealed[start...]), counter: 0,
            associated: associated(place), body)
    }
}
