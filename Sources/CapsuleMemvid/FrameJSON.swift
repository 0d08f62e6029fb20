import CapsuleBytes
import CapsuleCrypto
import FoundationEssentials
import MemvidFormat

/// A frame with every field, for `.memvid/frames/ID.json`.
struct FrameJSON: Encodable {
    let frame: MemvidFrame

    private enum Key: String, CodingKey {
        case id, timestamp, kind, track, checksum, uri, title, encoding, metadata, tags, labels
        case role, status, supersedes
        case anchorTimestamp = "anchor_timestamp"
        case anchorSource = "anchor_source"
        case payloadOffset = "payload_offset"
        case payloadLength = "payload_length"
        case canonicalLength = "canonical_length"
        case searchText = "search_text"
        case extraMetadata = "extra_metadata"
        case contentDates = "content_dates"
        case chunkManifest = "chunk_manifest"
        case parentID = "parent_id"
        case chunkIndex = "chunk_index"
        case chunkCount = "chunk_count"
        case supersededBy = "superseded_by"
        case sourceChecksum = "source_blake3"
        case sourcePath = "source_path"
        case enrichmentState = "enrichment_state"
    }

    func encode(to encoder: any Encoder) throws {
        var box = encoder.container(keyedBy: Key.self)
        try box.encode(frame.id, forKey: .id)
        try box.encode(frame.timestamp, forKey: .timestamp)
        try box.encode(frame.anchorTimestamp, forKey: .anchorTimestamp)
        try box.encode(frame.anchorSource.map { "\($0)" }, forKey: .anchorSource)
        try box.encode(frame.kind, forKey: .kind)
        try box.encode(frame.track, forKey: .track)
        try box.encode(frame.payloadOffset, forKey: .payloadOffset)
        try box.encode(frame.payloadLength, forKey: .payloadLength)
        try box.encode(frame.checksum.hex, forKey: .checksum)
        try box.encode(frame.uri, forKey: .uri)
        try box.encode(frame.title, forKey: .title)
        try box.encode(frame.isCompressed ? "zstd" : "plain", forKey: .encoding)
        try box.encode(frame.canonicalLength, forKey: .canonicalLength)
        try box.encode(frame.metadata.map(MetadataJSON.init), forKey: .metadata)
        try box.encode(frame.searchText, forKey: .searchText)
        try box.encode(frame.tags, forKey: .tags)
        try box.encode(frame.labels, forKey: .labels)
        try box.encode(TextMapJSON(frame.extraMetadata), forKey: .extraMetadata)
        try box.encode(frame.contentDates, forKey: .contentDates)
        try box.encode(frame.chunkManifest.map(ManifestJSON.init), forKey: .chunkManifest)
        try box.encode("\(frame.role)", forKey: .role)
        try box.encode(frame.parentID, forKey: .parentID)
        try box.encode(frame.chunkIndex, forKey: .chunkIndex)
        try box.encode(frame.chunkCount, forKey: .chunkCount)
        try box.encode("\(frame.status)", forKey: .status)
        try box.encode(frame.supersedes, forKey: .supersedes)
        try box.encode(frame.supersededBy, forKey: .supersededBy)
        try box.encode(frame.sourceChecksum?.hex, forKey: .sourceChecksum)
        try box.encode(frame.sourcePath, forKey: .sourcePath)
        try box.encode("\(frame.enrichmentState)", forKey: .enrichmentState)
    }
}

/// Texts by key: an object, or pairs where two keys differ only in how they are composed, which an
/// object would take for one.
struct TextMapJSON: Encodable {
    private let map: TextMap

    init(_ map: TextMap) { self.map = map }

    private struct Key: CodingKey {
        let stringValue: String
        let intValue: Int? = nil
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    func encode(to encoder: any Encoder) throws {
        guard Set(map.entries.map(\.key)).count == map.entries.count else {
            var list = encoder.unkeyedContainer()
            for entry in map.entries { try list.encode([entry.key, entry.value]) }
            return
        }
        var box = encoder.container(keyedBy: Key.self)
        for entry in map.entries {
            try box.encode(entry.value, forKey: Key(stringValue: entry.key))
        }
    }
}

private struct ManifestJSON: Encodable {
    let chunkCharacters: UInt64
    let ranges: [[UInt64]]

    private enum CodingKeys: String, CodingKey {
        case chunkCharacters = "chunk_chars"
        case ranges = "chunks"
    }

    init(_ manifest: MemvidFrame.ChunkManifest) {
        chunkCharacters = manifest.chunkCharacters
        ranges = manifest.ranges.map { [$0.start, $0.end] }
    }
}

/// What Memvid knows of a document's medium.
struct MetadataJSON: Encodable {
    let metadata: DocumentMetadata

    init(_ metadata: DocumentMetadata) { self.metadata = metadata }

    private enum Key: String, CodingKey {
        case mime, bytes, hash, width, height, colors, caption, exif, audio, media
        case make, model, lens, datetime, latitude, longitude
        case codec, channels, segments, tags, start, end, label, kind, filename
        case durationSeconds = "duration_secs"
        case sampleRate = "sample_rate_hz"
        case bitrate = "bitrate_kbps"
        case durationMilliseconds = "duration_ms"
    }

    func encode(to encoder: any Encoder) throws {
        var box = encoder.container(keyedBy: Key.self)
        try box.encodeIfPresent(metadata.mime, forKey: .mime)
        try box.encodeIfPresent(metadata.bytes, forKey: .bytes)
        try box.encodeIfPresent(metadata.hash, forKey: .hash)
        try box.encodeIfPresent(metadata.width, forKey: .width)
        try box.encodeIfPresent(metadata.height, forKey: .height)
        try box.encodeIfPresent(metadata.colors, forKey: .colors)
        try box.encodeIfPresent(metadata.caption, forKey: .caption)
        if let exif = metadata.exif {
            var part = box.nestedContainer(keyedBy: Key.self, forKey: .exif)
            try part.encodeIfPresent(exif.make, forKey: .make)
            try part.encodeIfPresent(exif.model, forKey: .model)
            try part.encodeIfPresent(exif.lens, forKey: .lens)
            try part.encodeIfPresent(exif.datetime, forKey: .datetime)
            try encode(exif.gps?.lat, .latitude, into: &part)
            try encode(exif.gps?.lon, .longitude, into: &part)
        }
        if let audio = metadata.audio { try encode(audio, into: &box) }
        if let media = metadata.media {
            var part = box.nestedContainer(keyedBy: Key.self, forKey: .media)
            try part.encode(media.kind, forKey: .kind)
            try part.encode(media.mime, forKey: .mime)
            try part.encode(media.bytes, forKey: .bytes)
            try part.encodeIfPresent(media.filename, forKey: .filename)
            try part.encodeIfPresent(media.durationMilliseconds, forKey: .durationMilliseconds)
            try part.encodeIfPresent(media.width, forKey: .width)
            try part.encodeIfPresent(media.height, forKey: .height)
            try part.encodeIfPresent(media.codec, forKey: .codec)
        }
    }

    /// JSON has no infinities; a number that is none is written as text.
    private func encode(
        _ number: Double?, _ key: Key, into box: inout KeyedEncodingContainer<Key>
    ) throws {
        guard let number else { return }
        if number.isFinite {
            try box.encode(number, forKey: key)
        } else {
            try box.encode("\(number)", forKey: key)
        }
    }

    private func encode(
        _ audio: DocumentMetadata.Audio, into box: inout KeyedEncodingContainer<Key>
    ) throws {
        var part = box.nestedContainer(keyedBy: Key.self, forKey: .audio)
        try encode(audio.durationSeconds.map(Double.init), .durationSeconds, into: &part)
        try part.encodeIfPresent(audio.sampleRate, forKey: .sampleRate)
        try part.encodeIfPresent(audio.channels, forKey: .channels)
        try part.encodeIfPresent(audio.bitrate, forKey: .bitrate)
        try part.encodeIfPresent(audio.codec, forKey: .codec)
        try part.encode(TextMapJSON(audio.tags), forKey: .tags)
        var list = part.nestedUnkeyedContainer(forKey: .segments)
        for segment in audio.segments {
            var item = list.nestedContainer(keyedBy: Key.self)
            try encode(Double(segment.start), .start, into: &item)
            try encode(Double(segment.end), .end, into: &item)
            try item.encodeIfPresent(segment.label, forKey: .label)
        }
    }
}

/// JSON with sorted keys, as all our output.
enum JSONText {
    static func encode(_ value: some Encodable, isPretty: Bool = true) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if isPretty { encoder.outputFormatting.insert(.prettyPrinted) }
        guard let data = try? encoder.encode(value) else {
            preconditionFailure("finite values can be encoded")
        }
        return [UInt8](data) + [UInt8(ascii: "\n")]
    }
}
