import CapsuleBytes
import CapsuleFormat
import FoundationEssentials

/// What a Memvid file cannot say of an object of a folder, as JSON: in a document's extra metadata
/// under `capsulefs.entry`, and as the lines of the tree record for what is no document.
struct PackedEntry: Codable, Equatable {
    struct Attribute: Codable, Equatable {
        /// Base64, as the value: neither need be text.
        var name: String
        var value: String
    }

    /// The path from the root, base64 of its bytes.
    var path: String
    /// Type and permissions, as in stat(2).
    var mode: UInt32
    var uid: UInt32
    var gid: UInt32
    var seconds: Int64
    var nanoseconds: UInt32
    var attributes: [Attribute]?
    /// Of a regular file, its length in bytes.
    var size: UInt64?
    /// Of a file with holes, offset and length of each run of data; the payload is these runs.
    var extents: [[UInt64]]?
    /// Of a file in several frames, the number of this one, from 1, and how many there are.
    var part: Int?
    var partCount: Int?
    /// Of a symbolic link, base64 of its target.
    var target: String?
    /// Of a device, major number << 32 | minor number.
    var device: UInt64?
    /// Of a further name of an inode, base64 of its first path.
    var link: String?

    /// The key in a document's extra metadata.
    static let key = "capsulefs.entry"

    init(path: [UInt8], _ entry: Entry, attributes list: [ExtendedAttribute]) {
        self.path = Text.base64(path)
        mode = entry.mode
        uid = entry.uid
        gid = entry.gid
        seconds = entry.seconds
        nanoseconds = entry.nanoseconds
        if !list.isEmpty {
            attributes = list.map {
                Attribute(name: Text.base64($0.name), value: Text.base64($0.value))
            }
        }
    }

    init?(json: String) {
        guard
            let entry = try? JSONDecoder().decode(PackedEntry.self, from: Data(json.utf8)),
            entry.isSane
        else { return nil }
        self = entry
    }

    /// Whether the numbers are ones that a file system can have: they are a stranger's.
    private var isSane: Bool {
        let type = Entry.Kind(rawValue: mode & 0o170000)
        let bytes = Text.unbase64(path)
        let names = bytes?.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        let isPath =
            bytes?.isEmpty == true
            || names?.allSatisfy { name in
                (1...Limits.nameLength).contains(name.count) && !name.contains(0)
                    && name != [46] && name != [46, 46]
            } == true
        let hasParts = (part == nil) == (partCount == nil)
        let isPart = part.map { $0 >= 1 && $0 <= (partCount ?? 0) } ?? true
        return type != nil && mode <= 0o177777 && nanoseconds < 1_000_000_000 && isPath
            && (size ?? 0) <= UInt64(Int64.max) && hasParts && (partCount ?? 1) >= 1 && isPart
            && (names?.count ?? 0) <= Limits.depth && hasSaneExtents
    }

    private var hasSaneExtents: Bool {
        var end: UInt64 = 0
        for run in extents ?? [] {
            guard run.count == 2, run[1] > 0, run[0] >= end,
                let next = run[0].checkedAdding(run[1]), next <= size ?? 0
            else { return false }
            end = next
        }
        return true
    }

    /// One line of JSON with sorted keys.
    var json: String {
        String(decoding: JSONText.encode(self, isPretty: false).dropLast(), as: UTF8.self)
    }

    var pathBytes: [UInt8] { Text.unbase64(path) ?? [] }

    var extendedAttributes: [ExtendedAttribute] {
        (attributes ?? []).compactMap { item in
            guard let name = Text.unbase64(item.name), let value = Text.unbase64(item.value),
                (1...255).contains(name.count), !name.contains(0),
                value.count <= Limits.attributeValueLength
            else { return nil }
            return ExtendedAttribute(name: name, value: value)
        }
    }
}

/// The tree record: what is in a packed folder besides its files, in one document.
enum PackedTree {
    /// What our keys in the extra metadata begin with.
    static let prefix = "capsulefs."
    static let uri = "mv2://.capsulefs/tree"
    /// Its marks in the extra metadata.
    static let markKey = "capsulefs.tree"
    static let mark = "1"
    static let manifestKey = "capsulefs.manifest"
    static let rootKey = "capsulefs.root"
    static let signatureKey = "capsulefs.signature."
}
