import CSodium
import Crypto

/// XChaCha20-Poly1305 with a fresh random nonce for each message
/// (draft-irtf-cfrg-xchacha, section 2.3).
///
/// For places that are written again and again by processes that cannot agree on a counter: after a
/// crash, from a restored backup, in a cloned machine. 192 random bits do not repeat.
///
///     Offset  Size  Field
///          0    24  nonce
///         24     N  ciphertext
///       24+N    16  tag
public struct PageCipher: Sendable {
    /// Bytes that sealing adds.
    public static let overhead = nonceByteCount + tagByteCount
    private static let nonceByteCount = 24
    private static let tagByteCount = 16

    private let key: SymmetricKey

    /// A cipher under a 256-bit key. Traps for another size.
    public init(key: SymmetricKey) {
        precondition(key.bitCount == 256, "XChaCha20 needs 32 bytes")
        self.key = key
    }

    /// Seals `plaintext` into `target`, which is `overhead` bytes longer.
    public func seal(
        _ plaintext: UnsafeRawBufferPointer, associated: [UInt8],
        into target: UnsafeMutableRawBufferPointer
    ) {
        precondition(target.count == plaintext.count + Self.overhead, "a page has one size")
        guard let base = target.bindMemory(to: UInt8.self).baseAddress else { return }
        randombytes_buf(base, Self.nonceByteCount)
        key.withUnsafeBytes { key in
            guard let key = key.bindMemory(to: UInt8.self).baseAddress else { return }
            _ = crypto_aead_xchacha20poly1305_ietf_encrypt(
                base + Self.nonceByteCount, nil, plaintext.bindMemory(to: UInt8.self).baseAddress,
                UInt64(plaintext.count), associated, UInt64(associated.count), nil, base, key)
        }
    }

    /// Opens `sealed` into `target`, which is `overhead` bytes shorter and is left zeroed when the
    /// message is not authentic. Whether it is.
    public func open(
        _ sealed: UnsafeRawBufferPointer, associated: [UInt8],
        into target: UnsafeMutableRawBufferPointer
    ) -> Bool {
        precondition(sealed.count == target.count + Self.overhead, "a page has one size")
        guard let base = sealed.bindMemory(to: UInt8.self).baseAddress else { return false }
        let status = key.withUnsafeBytes { key -> Int32 in
            guard let key = key.bindMemory(to: UInt8.self).baseAddress else { return -1 }
            return crypto_aead_xchacha20poly1305_ietf_decrypt(
                target.bindMemory(to: UInt8.self).baseAddress, nil, nil,
                base + Self.nonceByteCount, UInt64(sealed.count - Self.nonceByteCount), associated,
                UInt64(associated.count), base, key)
        }
        if status != 0 { target.initializeMemory(as: UInt8.self, repeating: 0) }
        return status == 0
    }

    /// The tag of a sealed page: it stands for this write of this page and no other.
    public static func tag(of sealed: UnsafeRawBufferPointer) -> ArraySlice<UInt8> {
        Array(sealed.suffix(tagByteCount))[...]
    }

    /// Seals a short message.
    public func seal(_ plaintext: [UInt8], associated: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: plaintext.count + Self.overhead) { buffer, count in
            plaintext.withUnsafeBytes {
                seal($0, associated: associated, into: UnsafeMutableRawBufferPointer(buffer))
            }
            count = plaintext.count + Self.overhead
        }
    }

    /// Opens a short message. Throws `notAuthentic`.
    public func open(
        _ sealed: [UInt8], associated: [UInt8]
    ) throws(CryptoError) -> [UInt8] {
        guard sealed.count >= Self.overhead else { throw .notAuthentic }
        var plaintext = [UInt8](repeating: 0, count: sealed.count - Self.overhead)
        let isAuthentic = sealed.withUnsafeBytes { sealed in
            plaintext.withUnsafeMutableBytes { open(sealed, associated: associated, into: $0) }
        }
        guard isAuthentic else { throw .notAuthentic }
        return plaintext
    }
}
