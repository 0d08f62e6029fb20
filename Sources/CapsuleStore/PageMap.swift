import CapsuleBytes
import CapsuleCrypto
import CapsuleSystem
import Glibc

/// Which write of each database page is the present one: the store's guard against old valid pages.
///
/// The file `pages` is written whole, under a temporary name, whenever a checkpoint has put the log
/// into the database and before the log is used again. Sealed as one message with the associated
/// data database id (16), role 3, zeros (7):
///
///     Offset  Size  Field
///          0     8  magic "MVPAGES1"
///          8     8  the last generation of the log whose content is in the database
///         16     8  number of pages, N
///         24  16 N  the tag of each page as stored
///
/// A log of that generation or an older one says nothing any more. Should the machine stop between
/// the checkpoint and this file, the map is one generation old, and every page that differs from it
/// is in the log, which counts.
final class PageMap {
    static let fileName = "pages"
    private static let magic = Array("MVPAGES1".utf8)
    private static let tagLength = 16
    private static let headLength = 24

    private let directory: any StorageDirectory
    private let cipher: PageCipher
    private let associated: [UInt8]
    private var tags: [UInt8] = []
    private var hasChanges = false

    /// The last generation of the log that is wholly in the database.
    private(set) var absorbedGeneration: UInt64 = 0

    /// The map of a new database.
    init(creating directory: any StorageDirectory, cipher: PageCipher, databaseID: [UInt8]) {
        self.directory = directory
        self.cipher = cipher
        var writer = ByteWriter(capacity: 24)
        writer.append(databaseID)
        writer.integer(UInt64(FileRole.pageMap.rawValue))
        associated = writer.bytes
    }

    /// Reads the map. Throws `damaged`.
    convenience init(
        reading directory: any StorageDirectory, cipher: PageCipher, databaseID: [UInt8]
    ) throws(StoreError) {
        self.init(creating: directory, cipher: cipher, databaseID: databaseID)
        let sealed: [UInt8]
        do throws(SystemError) {
            let file = try directory.open(Self.fileName, isWritable: false)
            sealed = try file.bytes(Int(try file.length()), at: 0) ?? []
        } catch {
            throw StoreError(error)
        }
        guard let bytes = try? cipher.open(sealed, associated: associated) else {
            throw Self.damaged("it is not authentic")
        }
        do throws(ByteError) {
            var reader = ByteReader(bytes.span.bytes)
            try reader.expect(Self.magic, "magic")
            absorbedGeneration = try reader.integer("generation")
            let count: UInt64 = try reader.integer("page count")
            guard count == UInt64(reader.remaining / Self.tagLength) else {
                throw ByteError(.outOfRange, "page count", at: 16)
            }
            tags = try reader.bytes(reader.remaining, "tags")
        } catch {
            throw Self.damaged("\(error)")
        }
    }

    private static func damaged(_ reason: String) -> StoreError {
        StoreError(.damaged, "the map of the database's pages is damaged: \(reason)", errno: EIO)
    }

    /// The number of pages.
    var count: UInt64 { UInt64(tags.count / Self.tagLength) }

    /// Whether `tag` is that of the page's last write.
    func isCurrent(_ page: UInt64, tag: ArraySlice<UInt8>) -> Bool {
        guard page < count else { return false }
        let place = Int(page) * Self.tagLength
        return tags[place..<place + Self.tagLength] == tag
    }

    /// Notes the write of a page.
    func note(_ page: UInt64, tag: ArraySlice<UInt8>) {
        let place = Int(page) * Self.tagLength
        if tags.count < place + Self.tagLength {
            tags += [UInt8](repeating: 0, count: place + Self.tagLength - tags.count)
        }
        tags.replaceSubrange(place..<place + Self.tagLength, with: tag)
        hasChanges = true
    }

    /// Notes that the database now has `count` pages.
    func truncate(to count: UInt64) {
        guard count < self.count else { return }
        tags.removeSubrange(Int(count) * Self.tagLength..<tags.count)
        hasChanges = true
    }

    /// Writes the map, where anything changed, durably; the log of `generation` is absorbed.
    func save(absorbing generation: UInt64) throws(StoreError) {
        guard hasChanges || generation != absorbedGeneration else { return }
        var writer = ByteWriter(capacity: Self.headLength + tags.count)
        writer.append(Self.magic)
        writer.integer(generation)
        writer.integer(count)
        writer.append(tags)
        do throws(SystemError) {
            try directory.replace(
                Self.fileName, with: cipher.seal(writer.bytes, associated: associated))
        } catch {
            throw StoreError(error)
        }
        absorbedGeneration = generation
        hasChanges = false
    }
}
