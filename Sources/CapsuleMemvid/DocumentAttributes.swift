import CapsuleCrypto
import CapsuleFormat
import MemvidFormat

/// What `getfattr` shows of a document.
enum DocumentAttributes {
    /// How good the shown bytes are.
    static func quality(_ summary: FrameSummary) -> String {
        switch summary.content {
        case .stored: "stored"
        case .text(isProven: true): "proven"
        case .text(isProven: false), .chunks: "text"
        case .none: "none"
        }
    }

    static func list(_ frame: MemvidFrame, _ summary: FrameSummary) -> [ExtendedAttribute] {
        var list: [ExtendedAttribute] = []
        func add(_ name: String, _ value: String?) {
            // What Linux cannot take is in the frame's JSON.
            guard let value, !value.isEmpty, value.utf8.count <= Limits.attributeValueLength else {
                return
            }
            list.append(
                ExtendedAttribute(
                    name: Array("user.memvid.\(name)".utf8), value: Array(value.utf8)))
        }
        add("checksum", frame.payloadLength > 0 ? frame.checksum.hex : frame.sourceChecksum?.hex)
        if !frame.extraMetadata.isEmpty {
            add(
                "extra_metadata",
                text(JSONText.encode(TextMapJSON(frame.extraMetadata), isPretty: false)))
        }
        add("frame_id", "\(frame.id)")
        add("kind", frame.kind)
        add("labels", frame.labels.joined(separator: "\n"))
        if let metadata = frame.metadata {
            add("metadata", text(JSONText.encode(MetadataJSON(metadata), isPretty: false)))
        }
        add("quality", quality(summary))
        add("tags", frame.tags.joined(separator: "\n"))
        add("title", frame.title)
        add("track", frame.track)
        add("uri", frame.uri)
        return list
    }

    private static func text(_ line: [UInt8]) -> String {
        String(decoding: line.dropLast(), as: UTF8.self)
    }
}
