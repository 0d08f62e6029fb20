import CapsuleBytes
import CapsuleFormat
import FoundationEssentials
import MemvidFormat

/// A file as Memvid's fields describe it: from its path and its text, and from the attributes that
/// a mount of a Memvid file shows, so that a way there and back keeps them.
struct DocumentDescription {
    private(set) var frame = MemvidFrame()

    private static let prefix = Array("user.memvid.".utf8)
    private static let searchTextLength = 32768

    /// - Parameters:
    ///   - head: the beginning of the contents, one byte more than is indexed where there is more.
    ///   - isFirst: whether this is the first frame of the file, which is the one to be found.
    init(
        path: [UInt8], _ entry: Entry, attributes: [ExtendedAttribute], head: [UInt8],
        isFirst: Bool
    ) {
        let names = path.split(separator: UInt8(ascii: "/")).map { Array($0) }
        let last = names.last ?? path
        frame.timestamp = entry.seconds
        frame.uri = "mv2://" + names.map(Self.uriPart).joined(separator: "/")
        frame.title = String(decoding: MemvidNames.safe(last), as: UTF8.self)
        let text = isFirst ? Self.text(head) : nil
        frame.searchText = text
        var metadata = DocumentMetadata()
        metadata.mime =
            MemvidNames.mimeType(of: last)
            ?? (text != nil ? "text/plain" : "application/octet-stream")
        frame.metadata = metadata
        let fields = attributes.filter { $0.name.starts(with: Self.prefix) }
        if !fields.isEmpty {
            // It was a document of Memvid's: what it did not have, it shall not get.
            frame.title = nil
            frame.metadata = nil
        }
        for attribute in fields {
            let name = String(
                decoding: attribute.name.dropFirst(Self.prefix.count), as: UTF8.self)
            apply(name, String(decoding: attribute.value, as: UTF8.self))
        }
    }

    private static func uriPart(_ name: [UInt8]) -> String {
        String(decoding: MemvidNames.safe(name), as: UTF8.self)
    }

    /// The text to be indexed: nil for what is no text.
    private static func text(_ head: [UInt8]) -> String? {
        if head.isEmpty || head.contains(0) { return nil }
        var bytes = head.prefix(searchTextLength)
        if head.count > searchTextLength {
            // Bytes 10xxxxxx continue a character of UTF-8: none is cut.
            while let next = head.dropFirst(bytes.count).first, next & 0xc0 == 0x80,
                !bytes.isEmpty
            {
                bytes = bytes.dropLast()
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// An object of texts, or pairs of them; see `TextMapJSON`.
    private static func pairs(_ json: String) -> [[String]] {
        let data = Data(json.utf8)
        if let map = try? JSONDecoder().decode([String: String].self, from: data) {
            return map.map { [$0.key, $0.value] }
        }
        let list = try? JSONDecoder().decode([[String]].self, from: data)
        return list?.filter { $0.count == 2 } ?? []
    }

    private mutating func apply(_ name: String, _ value: String) {
        func lines() -> [String] { value.split(separator: "\n").map(String.init) }
        switch name {
        case "uri": frame.uri = value
        case "title": frame.title = value
        case "tags": frame.tags = Array(lines().prefix(Int(MemvidLimits.listCount)))
        case "labels": frame.labels = Array(lines().prefix(Int(MemvidLimits.listCount)))
        case "kind": frame.kind = value
        case "track": frame.track = value
        case "metadata":
            let json = try? JSONDecoder().decode(PlainMetadata.self, from: Data(value.utf8))
            if let json { frame.metadata = json.metadata }
        case "extra_metadata":
            // Our own keys are written anew.
            for entry in Self.pairs(value) where !entry[0].hasPrefix(PackedTree.prefix) {
                frame.extraMetadata[entry[0]] = entry[1]
            }
        default: break
        }
    }
}

/// The fields of a document's metadata that survive a way through attributes.
private struct PlainMetadata: Decodable {
    let mime: String?
    let bytes: UInt64?
    let hash: String?
    let width: UInt32?
    let height: UInt32?
    let colors: [String]?
    let caption: String?

    var metadata: DocumentMetadata {
        var result = DocumentMetadata()
        result.mime = mime
        result.bytes = bytes
        result.hash = hash
        result.width = width
        result.height = height
        result.colors = colors
        result.caption = caption
        return result
    }
}
