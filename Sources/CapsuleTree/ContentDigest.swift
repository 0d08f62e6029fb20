import CapsuleBytes
import CapsuleCrypto
import CapsuleFormat

/// A hash of what a folder holds: names, types, permissions, contents, targets, attributes.
///
/// Neither owners nor times nor keys are in it: two exports of the same content compare equal. For
/// each entry in the order of the walk: ordinal of its directory 4, length of the name 2, name,
/// mode 4, then by type (see `capsule-format(5)`).
struct ContentDigest {
    private var stream = Blake3Context("capsulefs 2 content digest").stream()

    /// The domain of a single file's bytes.
    static let fileContext = Blake3Context("capsulefs 2 file content")

    mutating func add(
        _ entry: Entry, name: [UInt8], attributes: [ExtendedAttribute], detail: [UInt8]
    ) {
        var record = ByteWriter(capacity: 64 + name.count + detail.count)
        record.integer(entry.parent)
        record.integer(UInt16(name.count))
        record.append(name)
        record.integer(entry.mode)
        record.integer(UInt32(attributes.count))
        for attribute in attributes {
            record.integer(UInt16(attribute.name.count))
            record.integer(UInt32(attribute.value.count))
            record.append(attribute.name)
            record.append(attribute.value)
        }
        record.integer(UInt32(detail.count))
        record.append(detail)
        stream.update(record.bytes)
    }

    /// The detail of a regular file: size 8, number of extents 4, each extent's offset 8 and
    /// length 8, and the hash of the bytes in them.
    static func detail(size: UInt64, extents: [Extent], hash: Digest32) -> [UInt8] {
        var writer = ByteWriter()
        writer.integer(size)
        writer.integer(UInt32(extents.count))
        for extent in extents {
            writer.integer(extent.fileOffset)
            writer.integer(extent.length)
        }
        writer.append(hash.bytes)
        return writer.bytes
    }

    var digest: Digest32 { stream.digest() }
}
