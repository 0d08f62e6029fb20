import CapsuleBytes
import CapsuleCrypto
import CapsuleSystem
import Crypto
import FoundationEssentials

/// The plaintext of an encrypted Memvid file: opened chunk by chunk when it is read, or whole where
/// there is but one tag. Stricter than Memvid: see `init`.
final class EncryptedSource: MemvidSource {
    private let storage: any Storage
    private let header: EncryptedHeader
    private let key: SymmetricKey
    private let chunks: BoundedCache<SharedBytes>
    /// Where the plaintext ends: less than the header says only while salvaging.
    let length: UInt64

    /// Memory for opened chunks, in bytes.
    private static let cacheLength = 16 << 20

    /// Checks lengths, derives the key, opens the first chunk.
    ///
    /// Throws `truncated` for missing chunks, `damaged` for stray bytes, `wrongSecret` when the
    /// first chunk does not open, `limitExceeded` for a file with one tag that is too large.
    /// - Parameter isSalvaging: takes the chunks that are there instead of refusing.
    init(
        _ storage: any Storage, header: EncryptedHeader, passphrase: borrowing SecretBytes,
        isSalvaging: Bool
    ) throws(MemvidError) {
        self.storage = storage
        self.header = header
        chunks = BoundedCache(capacity: Self.cacheLength)
        length = try Self.checkedLength(storage, header, isSalvaging: isSalvaging)
        key = try Self.deriveKey(passphrase, salt: header.salt)
        _ = try chunk(0)
    }

    /// Argon2id as version 1 fixes it.
    static let cost = Argon2id.Cost(passes: 3, memoryKiB: 64 * 1024, lanes: 4)

    static func deriveKey(
        _ passphrase: borrowing SecretBytes, salt: [UInt8]
    ) throws(MemvidError) -> SymmetricKey {
        do {
            return try Argon2id.derive(passphrase, salt: salt, cost: cost).symmetricKey
        } catch {
            throw MemvidError(.system, "\(error)")
        }
    }

    /// What can be known of the lengths without the passphrase.
    static func checkedLength(
        _ storage: any Storage, _ header: EncryptedHeader, isSalvaging: Bool
    ) throws(MemvidError) -> UInt64 {
        let actual: UInt64
        do throws(SystemError) {
            actual = try storage.length()
        } catch {
            throw MemvidError(error)
        }
        if isSalvaging, header.isChunked { return try presentLength(storage, actual) }
        guard let expected = header.fileLength, header.plainLength > 0 else {
            throw MemvidError.damaged(
                header.plainLength == 0
                    ? "there is nothing in it: not one chunk proves the passphrase"
                    : "the plaintext length in the header is out of range", at: 52)
        }
        if !header.isChunked {
            guard header.plainLength <= MemvidLimits.oneShotLength else {
                throw MemvidError(
                    .limitExceeded,
                    "it is sealed with one tag and larger than 256 MiB, which has to be opened "
                        + "whole in memory; unlock it with Memvid and pack it again")
            }
            guard actual == expected else { throw Self.wrongLength(actual, expected) }
            return header.plainLength
        }
        guard actual == expected else { throw Self.wrongLength(actual, expected) }
        return header.plainLength
    }

    /// The length of the plaintext that the chunks in the file add up to, whatever the header says:
    /// whole ones, then a shorter one that says its length itself.
    private static func presentLength(
        _ storage: any Storage, _ actual: UInt64
    ) throws(MemvidError) -> UInt64 {
        let start = UInt64(EncryptedHeader.length)
        let unit = UInt64(EncryptedHeader.chunkLength + EncryptedHeader.chunkOverhead)
        let body = actual > start ? actual - start : 0
        var length = body / unit * UInt64(EncryptedHeader.chunkLength)
        let rest = body % unit
        if rest > UInt64(EncryptedHeader.chunkOverhead) {
            var prefix: [UInt8]?
            do throws(SystemError) {
                prefix = try storage.bytes(4, at: start + body - rest)
            } catch {
                throw MemvidError(error)
            }
            let claimed = (prefix ?? []).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            let tag = UInt64(EncryptedHeader.tagLength)
            if (tag + 1...UInt64(EncryptedHeader.chunkLength) + tag).contains(claimed),
                claimed + UInt64(EncryptedHeader.prefixLength) <= rest
            {
                length += claimed - tag
            }
        }
        guard length > 0 else {
            throw MemvidError(.truncated, "not one whole chunk is there", at: actual)
        }
        return length
    }

    private static func wrongLength(_ actual: UInt64, _ expected: UInt64) -> MemvidError {
        actual < expected
            ? MemvidError(
                .truncated,
                "the file has \(actual) bytes of the \(expected) that its header asks for",
                at: actual)
            : .damaged(
                "there are \(actual - expected) bytes after the end that the header names",
                at: expected)
    }

    /// The plaintext of one chunk; of a file with one tag, all of it.
    private func chunk(_ index: UInt64) throws(MemvidError) -> SharedBytes {
        try chunks.value(for: index) { () throws(MemvidError) in
            let plain = header.isChunked ? try openChunk(index) : try openWhole()
            return (SharedBytes(plain), plain.count)
        }
    }

    private func openChunk(_ index: UInt64) throws(MemvidError) -> [UInt8] {
        let unit = UInt64(EncryptedHeader.chunkLength + EncryptedHeader.chunkOverhead)
        let offset = UInt64(EncryptedHeader.length) + index * unit
        let plainStart = index * UInt64(EncryptedHeader.chunkLength)
        let plain = Int(
            min(UInt64(EncryptedHeader.chunkLength), length - plainStart))
        let stored = try stored(EncryptedHeader.prefixLength + plain + 16, at: offset)
        let claimed = stored[..<4].reversed().reduce(0) { $0 << 8 | Int($1) }
        guard claimed == plain + EncryptedHeader.tagLength else {
            throw .damaged(
                "chunk \(index) says it has \(claimed) bytes and not \(plain + 16)", at: offset)
        }
        return try open(stored[4...], nonce: header.nonce(ofChunk: index)) {
            "chunk \(index) is not authentic: it was damaged or put there by somebody else"
        }
    }

    private func openWhole() throws(MemvidError) -> [UInt8] {
        let stored = try stored(
            Int(header.plainLength) + EncryptedHeader.tagLength,
            at: UInt64(EncryptedHeader.length))
        return try open(stored[...], nonce: header.nonce) { "" }
    }

    private func open(
        _ sealed: ArraySlice<UInt8>, nonce: [UInt8], _ damage: () -> String
    ) throws(MemvidError) -> [UInt8] {
        let cut = sealed.endIndex - EncryptedHeader.tagLength
        guard let number = try? AES.GCM.Nonce(data: nonce),
            let box = try? AES.GCM.SealedBox(
                nonce: number, ciphertext: sealed[..<cut], tag: sealed[cut...]),
            let plain = try? AES.GCM.open(box, using: key)
        else {
            // The format has no other check of the passphrase than its first tag.
            if !header.isChunked || nonce == header.nonce(ofChunk: 0) {
                throw MemvidError(
                    .wrongSecret,
                    "the passphrase is wrong, or the beginning of the file is damaged: the format "
                        + "cannot tell which")
            }
            throw .damaged(damage())
        }
        return [UInt8](plain)
    }

    private func stored(_ count: Int, at offset: UInt64) throws(MemvidError) -> [UInt8] {
        do throws(SystemError) {
            if let bytes = try storage.bytes(count, at: offset) { return bytes }
        } catch {
            throw MemvidError(error)
        }
        throw MemvidError(.truncated, "the file ends within a chunk", at: offset)
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(MemvidError) {
        guard let end = offset.checkedAdding(UInt64(buffer.count)), end <= length else {
            throw MemvidError(.truncated, "the decrypted file ends early", at: offset)
        }
        let unit = header.isChunked ? UInt64(EncryptedHeader.chunkLength) : header.plainLength
        var done = 0
        while done < buffer.count {
            let position = offset + UInt64(done)
            let plain = try chunk(position / unit).bytes
            let start = Int(position % unit)
            guard start < plain.count else {
                throw MemvidError(.truncated, "the decrypted file ends early", at: position)
            }
            let count = min(plain.count - start, buffer.count - done)
            plain.withUnsafeBytes { bytes in
                UnsafeMutableRawBufferPointer(rebasing: buffer[done...]).copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: bytes[start..<start + count]))
            }
            done += count
        }
    }
}
