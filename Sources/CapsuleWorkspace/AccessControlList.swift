import CapsuleBytes

/// A POSIX ACL in the form in which Linux keeps it as an extended attribute (acl(5), and
/// `posix_acl_xattr.h` of the kernel).
///
///     Offset  Size  Field
///          0     4  version, 2
///          4     8  per entry: tag (2), permissions (2), id (4)
struct AccessControlList: Equatable {
    static let accessName = Array("system.posix_acl_access".utf8)
    static let defaultName = Array("system.posix_acl_default".utf8)

    private static let version: UInt32 = 2
    private static let userObject: UInt16 = 1
    private static let groupObject: UInt16 = 4
    private static let mask: UInt16 = 16
    private static let other: UInt16 = 32

    private struct Entry: Equatable {
        let tag: UInt16
        var permissions: UInt16
        let id: UInt32
    }

    private var entries: [Entry]

    /// Parses an attribute; nil when it is none.
    init?(_ bytes: [UInt8]) {
        var reader = ByteReader(bytes.span.bytes)
        guard let version = try? reader.integer("version", as: UInt32.self),
            version == Self.version, reader.remaining.isMultiple(of: 8)
        else { return nil }
        entries = []
        while reader.remaining > 0 {
            guard let tag = try? reader.integer("tag", as: UInt16.self),
                let permissions = try? reader.integer("permissions", as: UInt16.self),
                let id = try? reader.integer("id", as: UInt32.self)
            else { return nil }
            entries.append(Entry(tag: tag, permissions: permissions, id: id))
        }
        guard [Self.userObject, Self.groupObject, Self.other].allSatisfy({ index(of: $0) != nil })
        else { return nil }
    }

    /// The attribute.
    var encoded: [UInt8] {
        var writer = ByteWriter(capacity: 4 + entries.count * 8)
        writer.integer(Self.version)
        for entry in entries {
            writer.integer(entry.tag)
            writer.integer(entry.permissions)
            writer.integer(entry.id)
        }
        return writer.bytes
    }

    /// Whether it says nothing that a mode does not.
    var isMinimal: Bool { entries.count == 3 }

    private func index(of tag: UInt16) -> Int? { entries.firstIndex { $0.tag == tag } }

    /// The entries that the three digits of a mode stand for: the mask, where there is one, is the
    /// group's digit.
    private var modeIndices: [(index: Int, shift: UInt32)] {
        let group = index(of: Self.mask) ?? index(of: Self.groupObject)
        return [(index(of: Self.userObject), 6), (group, 3), (index(of: Self.other), 0)]
            .compactMap { index, shift in index.map { ($0, UInt32(shift)) } }
    }

    /// The permission bits of a file with this list.
    var mode: UInt32 {
        modeIndices.reduce(0) { $0 | UInt32(entries[$1.index].permissions & 7) << $1.shift }
    }

    /// As chmod(2) changes it.
    mutating func set(mode: UInt32) {
        for (index, shift) in modeIndices {
            entries[index].permissions = UInt16(mode >> shift & 7)
        }
    }

    /// As creating a file with `mode` under this default list limits it.
    mutating func limit(to mode: UInt32) {
        for (index, shift) in modeIndices {
            entries[index].permissions &= UInt16(mode >> shift & 7)
        }
    }
}
