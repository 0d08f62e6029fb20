import CapsuleBytes
import CapsuleCrypto
import MemvidFormat

/// Paths for documents, whose URIs are arbitrary text: safe for a file system, and as near to the
/// URI as that allows.
enum MemvidNames {
    /// The name under which everything that is not a document lies in the root.
    static let reserved = Array(".memvid".utf8)
    /// A name, in bytes: what Linux allows.
    private static let nameLength = 255
    /// What is kept of a name that is longer, before its hash.
    private static let keptLength = 200
    /// Directories of a path; what lies deeper is written into one name.
    private static let depth = 64

    /// The path that a document's URI spells, in components.
    static func path(of frame: FrameSummary) -> [[UInt8]] {
        let uri = frame.uri ?? "mv2://frames/\(frame.id)"
        let text = uri.hasPrefix("mv2://") ? Array(uri.utf8.dropFirst(6)) : Array(uri.utf8)
        let slash = UInt8(ascii: "/")
        var parts = text.split(separator: slash).map { Array($0) }
        if parts.isEmpty { parts = [Array("\(frame.id)".utf8)] }
        if parts.count > depth {
            parts =
                parts[..<(depth - 1)] + [Array(parts[(depth - 1)...].joined(separator: [slash]))]
        }
        var names = parts.map(safe)
        if names[0] == reserved { names[0] = Array("%2Ememvid".utf8) }
        if let suffix = missingExtension(frame, names[names.count - 1]) {
            names[names.count - 1] = shortened(names[names.count - 1] + suffix)
        }
        return names
    }

    /// A name without what a file system or a terminal would take for something else: controls,
    /// slashes and the two dots become `%XX`.
    static func safe(_ part: [UInt8]) -> [UInt8] {
        let dot = UInt8(ascii: ".")
        let isDots = part.count <= 2 && part.allSatisfy { $0 == dot }
        var name: [UInt8] = []
        for byte in part {
            if byte < 0x20 || byte == 0x7f || byte == UInt8(ascii: "/") || (isDots && byte == dot) {
                name += Array("%".utf8) + Array(Text.hex([byte]).uppercased().utf8)
            } else {
                name.append(byte)
            }
        }
        return shortened(name.isEmpty ? [UInt8(ascii: "_")] : name)
    }

    /// A name that is too long keeps its beginning, whole characters of it, and gets its hash.
    private static func shortened(_ name: [UInt8]) -> [UInt8] {
        if name.count <= nameLength { return name }
        let hash = MemvidFile.hash(name).hex.prefix(16)
        return beginning(of: name, keptLength) + Array("~\(hash)".utf8)
    }

    /// At most `count` bytes from the front; no character of UTF-8 is cut.
    private static func beginning(of name: [UInt8], _ count: Int) -> [UInt8] {
        var kept = name.prefix(max(0, count))
        // Bytes 10xxxxxx continue a character.
        while let next = name.dropFirst(kept.count).first, next & 0xc0 == 0x80, !kept.isEmpty {
            kept = kept.dropLast()
        }
        return Array(kept)
    }

    /// A name for a second document at the same path: `~ID` before the extension.
    static func distinguished(_ name: [UInt8], id: UInt64, round: Int) -> [UInt8] {
        let mark = Array((round == 0 ? "~\(id)" : "~\(id)~\(round)").utf8)
        let dot = name.lastIndex(of: UInt8(ascii: "."))
        guard let dot, dot > 0, name.count - dot <= 16 else {
            return beginning(of: name, nameLength - mark.count) + mark
        }
        let suffix = name[dot...]
        let stem = Array(name[..<dot])
        return beginning(of: stem, nameLength - mark.count - suffix.count) + mark + suffix
    }

    /// The extension that the MIME type asks for, where the name has none. A document of which only
    /// the text is left is text, whatever it was.
    private static func missingExtension(_ frame: FrameSummary, _ name: [UInt8]) -> [UInt8]? {
        guard !name.dropFirst().contains(UInt8(ascii: ".")), let mime = frame.mime else {
            return nil
        }
        let type = mime.prefix { $0 != ";" }.lowercased()
        guard frame.content == .stored else { return Array(".txt".utf8) }
        return extensions[type].map { Array(".\($0)".utf8) }
    }

    /// The MIME type that the extension of a name stands for, or nil.
    static func mimeType(of name: [UInt8]) -> String? {
        guard let dot = name.lastIndex(of: UInt8(ascii: ".")), dot > 0 else { return nil }
        let suffix = String(decoding: name[(dot + 1)...], as: UTF8.self).lowercased()
        return extensions.filter { $0.value == suffix }.keys.min()
    }

    private static let extensions = [
        "application/gzip": "gz", "application/json": "json", "application/msword": "doc",
        "application/pdf": "pdf", "application/rtf": "rtf", "application/xml": "xml",
        "application/zip": "zip", "audio/flac": "flac", "audio/mpeg": "mp3", "audio/ogg": "ogg",
        "audio/wav": "wav", "image/gif": "gif", "image/jpeg": "jpg", "image/png": "png",
        "image/svg+xml": "svg", "image/tiff": "tiff", "image/webp": "webp", "text/css": "css",
        "text/csv": "csv", "text/html": "html", "text/markdown": "md", "text/plain": "txt",
        "text/xml": "xml", "video/mp4": "mp4", "video/webm": "webm",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    ]
}
