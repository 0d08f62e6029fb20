import CapsuleCrypto
import CapsuleSystem
import Crypto
import FoundationEssentials

/// Where a file is written, from the front to the back; its header, which says where the rest lies,
/// is known last.
public protocol MemvidSink: AnyObject {
    /// Appends bytes after all that came before.
    func append(_ bytes: UnsafeRawBufferPointer) throws(MemvidError)
    /// Replaces the first bytes by `header` and ends the file.
    func finish(header: [UInt8]) throws(MemvidError)
}

extension MemvidSink {
    /// Appends bytes after all that came before.
    public func append(_ bytes: [UInt8]) throws(MemvidError) {
        var failure: MemvidError?
        bytes.withUnsafeBytes { buffer in
            do throws(MemvidError) { try append(buffer) } catch { failure = error }
        }
        if let failure { throw failure }
    }
}

/// Writes an unencrypted file.
public final class PlainSink: MemvidSink {
    private let storage: any Storage
    private var offset: UInt64 = 0

    /// A sink at the front of `storage`.
    public init(_ storage: any Storage) { self.storage = storage }

    /// As `MemvidSink` says.
    public func append(_ bytes: UnsafeRawBufferPointer) throws(MemvidError) {
        do throws(SystemError) {
            try storage.write(bytes, at: offset)
        } catch {
            throw MemvidError(error)
        }
        offset += UInt64(bytes.count)
    }

    /// As `MemvidSink` says.
    public func finish(header: [UInt8]) throws(MemvidError) {
        do throws(SystemError) {
            try storage.write(header, at: 0)
        } catch {
            throw MemvidError(error)
        }
    }
}

/// Writes an encrypted file, version 1, in chunks. The first chunk waits in memory for the header.
///
/// Salt and nonce are fresh for every file, so no nonce is used twice under one key.
public final class EncryptedSink: MemvidSink {
    private let storage: any Storage
    private var header: EncryptedHeader
    private let key: SymmetricKey
    private var first: [UInt8] = []
    private var pending: [UInt8] = []
    private var chunkIndex: UInt64 = 1
    private var length: UInt64 = 0

    /// A sink whose key is stretched from `passphrase`, which is not empty.
    public init(
        _ storage: any Storage, passphrase: borrowing SecretBytes
    ) throws(MemvidError) {
        precondition(passphrase.count > 0, "Memvid refuses an empty passphrase")
        self.storage = storage
        header = EncryptedHeader(
            salt: Environment.random(32), nonce: Environment.random(12), plainLength: 0)
        key = try EncryptedSource.deriveKey(passphrase, salt: header.salt)
    }

    deinit {
        wipe(&first)
        wipe(&pending)
    }

    /// As `MemvidSink` says.
    public func append(_ bytes: UnsafeRawBufferPointer) throws(MemvidError) {
        length += UInt64(bytes.count)
        var rest = bytes[...]
        let room = EncryptedHeader.chunkLength - first.count
        if room > 0 {
            first += rest.prefix(room)
            rest = rest.dropFirst(room)
        }
        while !rest.isEmpty {
            let part = rest.prefix(EncryptedHeader.chunkLength - pending.count)
            pending += part
            rest = rest.dropFirst(part.count)
            if pending.count == EncryptedHeader.chunkLength { try sealPending() }
        }
    }

    private func sealPending() throws(MemvidError) {
        if pending.isEmpty { return }
        try seal(pending, index: chunkIndex)
        chunkIndex += 1
        pending.removeAll(keepingCapacity: true)
    }

    private func seal(_ chunk: [UInt8], index: UInt64) throws(MemvidError) {
        guard let nonce = try? AES.GCM.Nonce(data: header.nonce(ofChunk: index)),
            let box = try? AES.GCM.seal(chunk, using: key, nonce: nonce)
        else { preconditionFailure("sealing cannot fail") }
        let count = UInt32(chunk.count + EncryptedHeader.tagLength)
        let prefix = withUnsafeBytes(of: count.littleEndian) { [UInt8]($0) }
        let unit = UInt64(EncryptedHeader.chunkLength + EncryptedHeader.chunkOverhead)
        try write(
            prefix + box.ciphertext + box.tag,
            at: UInt64(EncryptedHeader.length) + index * unit)
    }

    private func write(_ bytes: [UInt8], at offset: UInt64) throws(MemvidError) {
        do throws(SystemError) {
            try storage.write(bytes, at: offset)
        } catch {
            throw MemvidError(error)
        }
    }

    /// As `MemvidSink` says.
    public func finish(header plain: [UInt8]) throws(MemvidError) {
        try sealPending()
        first.replaceSubrange(..<plain.count, with: plain)
        try seal(first, index: 0)
        header.plainLength = length
        try write(header.encoded, at: 0)
    }
}
