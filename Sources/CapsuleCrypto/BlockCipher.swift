import Crypto
import FoundationEssentials

/// AES-256-GCM under one key with nonces that are counters (SP 800-38D, section 8.2.1).
public struct BlockCipher: Sendable {
    /// Bytes that sealing adds.
    public static let tagByteCount = 16

    private let key: SymmetricKey

    /// A cipher under a 256-bit key. Traps for another size.
    public init(key: SymmetricKey) {
        precondition(key.bitCount == 256, "AES-256 needs 32 bytes")
        self.key = key
    }

    /// The 96-bit nonce of a counter: four zero bytes, then the counter, little-endian.
    private static func nonce(_ counter: UInt64) -> AES.GCM.Nonce {
        var bytes = (UInt32(0), counter.littleEndian)
        let nonce = withUnsafeBytes(of: &bytes.1) { tail -> AES.GCM.Nonce? in
            var data = Data(count: 4)
            data.append(contentsOf: tail)
            return try? AES.GCM.Nonce(data: data)
        }
        guard let nonce else { preconditionFailure("a nonce has 12 bytes") }
        return nonce
    }

    /// Seals `plaintext` and hands ciphertext and tag to `body`.
    public func seal<Result>(
        _ plaintext: UnsafeRawBufferPointer, counter: UInt64, associated: [UInt8],
        _ body: (_ ciphertext: UnsafeRawBufferPointer, _ tag: UnsafeRawBufferPointer) -> Result
    ) -> Result {
        guard
            let box = try? AES.GCM.seal(
                plaintext, using: key, nonce: Self.nonce(counter), authenticating: associated)
        else { preconditionFailure("sealing cannot fail") }
        return box.ciphertext.withUnsafeBytes { ciphertext in
            box.tag.withUnsafeBytes { body(ciphertext, $0) }
        }
    }

    /// Seals a short message: ciphertext followed by tag.
    public func seal(_ plaintext: [UInt8], counter: UInt64, associated: [UInt8]) -> [UInt8] {
        plaintext.withUnsafeBytes { message in
            seal(message, counter: counter, associated: associated) { [UInt8]($0) + [UInt8]($1) }
        }
    }

    /// Bytes before the ciphertext that `openInPlace` overwrites.
    public static let nonceByteCount = 12

    /// Opens a block without copying it first. `buffer` is 12 bytes of room, which are overwritten,
    /// ciphertext and tag; the plaintext goes to `body` once it is authentic.
    public func openInPlace<Result>(
        _ buffer: UnsafeMutableRawBufferPointer, counter: UInt64, associated: [UInt8],
        _ body: (UnsafeRawBufferPointer) -> Result
    ) throws(CryptoError) -> Result {
        guard let base = buffer.baseAddress,
            buffer.count >= Self.nonceByteCount + Self.tagByteCount
        else { throw .notAuthentic }
        base.storeBytes(of: UInt32(0), as: UInt32.self)
        base.storeBytes(of: counter.littleEndian, toByteOffset: 4, as: UInt64.self)
        // The box lives within this call, and so does the memory it refers to.
        let combined = Data(bytesNoCopy: base, count: buffer.count, deallocator: .none)
        guard let box = try? AES.GCM.SealedBox(combined: combined),
            let plaintext = try? AES.GCM.open(box, using: key, authenticating: associated)
        else { throw .notAuthentic }
        return plaintext.withUnsafeBytes(body)
    }

    /// Opens ciphertext followed by tag and hands the plaintext to `body`, once it is authentic.
    public func open<Result>(
        _ sealed: UnsafeRawBufferPointer, counter: UInt64, associated: some DataProtocol,
        _ body: (UnsafeRawBufferPointer) -> Result
    ) throws(CryptoError) -> Result {
        guard sealed.count >= Self.tagByteCount else { throw .notAuthentic }
        let cut = sealed.count - Self.tagByteCount
        let ciphertext = UnsafeRawBufferPointer(rebasing: sealed[..<cut])
        let tag = UnsafeRawBufferPointer(rebasing: sealed[cut...])
        guard
            let box = try? AES.GCM.SealedBox(
                nonce: Self.nonce(counter), ciphertext: ciphertext, tag: tag),
            let plaintext = try? AES.GCM.open(box, using: key, authenticating: associated)
        else { throw .notAuthentic }
        return plaintext.withUnsafeBytes(body)
    }

    /// Opens a short message.
    public func open(
        _ sealed: [UInt8], counter: UInt64, associated: [UInt8]
    ) throws(CryptoError) -> [UInt8] {
        let result = sealed.withUnsafeBytes { bytes -> [UInt8]? in
            try? open(bytes, counter: counter, associated: associated) { [UInt8]($0) }
        }
        guard let result else { throw .notAuthentic }
        return result
    }
}
