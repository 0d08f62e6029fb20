import CapsuleCrypto

/// Takes back what Memvid appends to the text that it indexes.
///
/// `search_text` is the normalised text, then lines that repeat the frame's other fields, each only
/// where it is not empty: title, uri, track, tags, labels, one `key: value` for each entry of the
/// extra metadata in the order of keys, dates, metadata.
enum DocumentText {
    /// What is left of a document whose bytes are not stored.
    struct Recovered {
        var text: [UInt8]
        /// Whether the frame's checksum of the original proves these bytes.
        var isProven: Bool
    }

    /// The text of a frame that has no payload and no chunks. A text that the checksum proves wins
    /// over one that merely looks right.
    static func recover(_ frame: MemvidFrame) -> Recovered? {
        guard let whole = frame.searchText else { return nil }
        var rest = Array(whole.utf8)
        var candidates = [rest]
        for line in suffixLines(frame).reversed() where drop(line, from: &rest) {
            candidates.append(rest)
        }
        if dropMetadata(of: frame, from: &rest) {
            // It comes last, so it had to go before the others could be seen.
            candidates = [Array(whole.utf8), rest]
            for line in suffixLines(frame).reversed() where drop(line, from: &rest) {
                candidates.append(rest)
            }
        }
        if let checksum = frame.sourceChecksum {
            for candidate in candidates.reversed() {
                for ending in ["", "\n", "\r\n"] {
                    let bytes = candidate + ending.utf8
                    if hash(bytes) == checksum { return Recovered(text: bytes, isProven: true) }
                }
            }
        }
        return Recovered(text: candidates.last ?? rest, isProven: false)
    }

    static func hash(_ bytes: [UInt8]) -> Digest32 {
        var hasher = Blake3Stream()
        hasher.update(bytes)
        return hasher.digest()
    }

    private static func suffixLines(_ frame: MemvidFrame) -> [String] {
        var lines: [String] = []
        func add(_ key: String, _ value: String?) {
            if let value, !value.isEmpty { lines.append("\(key): \(value)") }
        }
        add("title", frame.title)
        add("uri", frame.uri)
        add("track", frame.track)
        add("tags", frame.tags.joined(separator: " "))
        add("labels", frame.labels.joined(separator: " "))
        for entry in frame.extraMetadata.entries { add(entry.key, entry.value) }
        add("dates", frame.contentDates.joined(separator: " "))
        return lines
    }

    /// Removes a line from the end, with the line feed before it.
    private static func drop(_ line: String, from text: inout [UInt8]) -> Bool {
        let bytes = Array(line.utf8)
        guard text.count >= bytes.count, text.suffix(bytes.count).elementsEqual(bytes) else {
            return false
        }
        let start = text.count - bytes.count
        if start == 0 {
            text = []
        } else {
            guard text[start - 1] == UInt8(ascii: "\n") else { return false }
            text.removeLast(bytes.count + 1)
        }
        return true
    }

    /// The last line `metadata: {…}`, whose JSON is not rebuilt but recognised by its beginning.
    private static func dropMetadata(of frame: MemvidFrame, from text: inout [UInt8]) -> Bool {
        guard frame.metadata != nil else { return false }
        let start = text.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        guard text[start...].starts(with: Array("metadata: {".utf8)) else { return false }
        text.removeSubrange(max(0, start - 1)...)
        return true
    }
}
