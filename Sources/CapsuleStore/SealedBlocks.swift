import CapsuleBytes
import CapsuleCrypto
import CapsuleSystem
import Glibc

/// What a file of the database is for; part of what each of its blocks authenticates.
enum FileRole: UInt8 {
    case database = 1
    case log = 2
    case pageMap = 3
}

/// A file as blocks of 4096 bytes, each sealed by itself with a fresh random nonce.
///
///     Offset  Size  Field, of the stored block of 4144 bytes
///          0    24  nonce
///         24     8  sealed: watermark, the number of blocks of the log known to be flushed when
///                   this one was written; 0 in the database
///         32  4096  sealed: the bytes of the database or of its log
///       4128    16  tag
///
/// Associated data: database id (16), role (1), 7 zeros, generation (8), block number (8). So a
/// block opens only at its place, in its file, and in the generation of the log that wrote it.
struct SealedBlocks {
    static let length = 4096
    static let headLength = 8
    static let storedLength = length + headLength + PageCipher.overhead

    let storage: any ResizableStorage
    let cipher: PageCipher
    let databaseID: [UInt8]
    let role: FileRole

    private func associated(_ number: UInt64, generation: UInt64) -> [UInt8] {
        var writer = ByteWriter(capacity: 40)
        writer.append(databaseID)
        writer.integer(UInt64(role.rawValue))
        writer.integer(generation)
        writer.integer(number)
        return writer.bytes
    }

    /// The number of whole stored blocks; what is left after the last is part of none.
    func count() throws(StoreError) -> UInt64 {
        do throws(SystemError) {
            return try storage.length() / UInt64(Self.storedLength)
        } catch {
            throw StoreError(error)
        }
    }

    /// A block that was read: its watermark, its bytes, and its tag.
    struct Block {
        let watermark: UInt64
        let bytes: [UInt8]
        let tag: ArraySlice<UInt8>
    }

    /// Reads a block; nil when the file ends before it or it is not authentic.
    func read(_ number: UInt64, generation: UInt64) throws(StoreError) -> Block? {
        let stored: [UInt8]?
        do throws(SystemError) {
            stored = try storage.bytes(Self.storedLength, at: number * UInt64(Self.storedLength))
        } catch {
            throw StoreError(error)
        }
        guard let stored,
            let opened = try? cipher.open(
                stored, associated: associated(number, generation: generation))
        else { return nil }
        let watermark = opened.withUnsafeBytes {
            UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self))
        }
        return Block(
            watermark: watermark, bytes: Array(opened[Self.headLength...]),
            tag: stored.withUnsafeBytes { PageCipher.tag(of: $0) })
    }

    /// Seals consecutive blocks and writes them with one call; returns their tags.
    @discardableResult
    func write(
        _ blocks: [[UInt8]], at number: UInt64, generation: UInt64, watermark: UInt64
    ) throws(StoreError) -> [ArraySlice<UInt8>] {
        var stored = [UInt8](repeating: 0, count: blocks.count * Self.storedLength)
        var tags: [ArraySlice<UInt8>] = []
        var plaintext = [UInt8](repeating: 0, count: Self.headLength + Self.length)
        defer { explicit_bzero(&plaintext, plaintext.count) }
        stored.withUnsafeMutableBytes { stored in
            for (index, block) in blocks.enumerated() {
                let place = index * Self.storedLength
                let target = UnsafeMutableRawBufferPointer(
                    rebasing: stored[place..<place + Self.storedLength])
                plaintext.withUnsafeMutableBytes { plaintext in
                    plaintext.storeBytes(of: watermark.littleEndian, as: UInt64.self)
                    block.withUnsafeBytes {
                        plaintext[Self.headLength...].copyBytes(from: $0)
                    }
                    cipher.seal(
                        UnsafeRawBufferPointer(plaintext),
                        associated: associated(number + UInt64(index), generation: generation),
                        into: target)
                }
                tags.append(PageCipher.tag(of: UnsafeRawBufferPointer(target)))
            }
        }
        do throws(SystemError) {
            try storage.write(stored, at: number * UInt64(Self.storedLength))
        } catch {
            throw StoreError(error)
        }
        return tags
    }

    func truncate(toCount count: UInt64) throws(StoreError) {
        do throws(SystemError) {
            try storage.truncate(to: count * UInt64(Self.storedLength))
        } catch {
            throw StoreError(error)
        }
    }

    func flush() throws(StoreError) {
        do throws(SystemError) { try storage.flush() } catch { throw StoreError(error) }
    }
}
