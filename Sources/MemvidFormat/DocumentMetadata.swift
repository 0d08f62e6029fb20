/// What Memvid knows of a document's medium; every field may be missing.
package struct DocumentMetadata: Equatable, Sendable {
    package var mime: String?
    package var bytes: UInt64?
    package var hash: String?
    package var width: UInt32?
    package var height: UInt32?
    package var colors: [String]?
    package var caption: String?
    package var exif: Exif?
    package var audio: Audio?
    package var media: Media?

    package init() {}

    package struct Exif: Equatable, Sendable {
        package var make: String?
        package var model: String?
        package var lens: String?
        package var datetime: String?
        package var gps: Position?
    }

    package struct Position: Equatable, Sendable {
        package var lat: Double
        package var lon: Double
    }

    package struct Audio: Equatable, Sendable {
        package var durationSeconds: Float?
        package var sampleRate: UInt32?
        package var channels: UInt8?
        package var bitrate: UInt32?
        package var codec: String?
        package var segments: [Segment]
        package var tags: TextMap
    }

    package struct Segment: Equatable, Sendable {
        package var start: Float
        package var end: Float
        package var label: String?
    }

    package struct Media: Equatable, Sendable {
        package var kind: String
        package var mime: String
        package var bytes: UInt64
        package var filename: String?
        package var durationMilliseconds: UInt64?
        package var width: UInt32?
        package var height: UInt32?
        package var codec: String?
    }
}

extension DocumentMetadata {
    init(from reader: BincodeReader) throws(MemvidError) {
        mime = try reader.optionalString("mime")
        bytes = try reader.optionalInteger("bytes")
        hash = try reader.optionalString("hash")
        width = try reader.optionalInteger("width")
        height = try reader.optionalInteger("height")
        colors = try reader.optional("colors") { field throws(MemvidError) in
            try reader.strings(field, limit: MemvidLimits.extraCount)
        }
        caption = try reader.optionalString("caption")
        exif = try reader.optional("exif") { _ throws(MemvidError) in
            try Exif(from: reader)
        }
        audio = try reader.optional("audio") { _ throws(MemvidError) in
            try Audio(from: reader)
        }
        media = try reader.optional("media") { _ throws(MemvidError) in
            try Media(from: reader)
        }
    }
}

extension DocumentMetadata.Exif {
    init(from reader: BincodeReader) throws(MemvidError) {
        make = try reader.optionalString("make")
        model = try reader.optionalString("model")
        lens = try reader.optionalString("lens")
        datetime = try reader.optionalString("datetime")
        gps = try reader.optional("gps") { field throws(MemvidError) in
            DocumentMetadata.Position(lat: try reader.double(field), lon: try reader.double(field))
        }
    }
}

extension DocumentMetadata.Audio {
    init(from reader: BincodeReader) throws(MemvidError) {
        durationSeconds = try reader.optional("duration") { field throws(MemvidError) in
            try reader.float(field)
        }
        sampleRate = try reader.optionalInteger("sample rate")
        channels = try reader.optionalInteger("channels")
        bitrate = try reader.optionalInteger("bitrate")
        codec = try reader.optionalString("codec")
        var list: [DocumentMetadata.Segment] = []
        for _ in 0..<(try reader.count("audio segments", least: 9)) {
            list.append(
                DocumentMetadata.Segment(
                    start: try reader.float("segment start"), end: try reader.float("segment end"),
                    label: try reader.optionalString("segment label")))
        }
        segments = list
        tags = try reader.dictionary("audio tags", limit: MemvidLimits.extraCount)
    }
}

extension DocumentMetadata.Media {
    init(from reader: BincodeReader) throws(MemvidError) {
        kind = try reader.string("media kind")
        mime = try reader.string("media mime")
        bytes = try reader.integer("media bytes")
        filename = try reader.optionalString("media filename")
        durationMilliseconds = try reader.optionalInteger("media duration")
        width = try reader.optionalInteger("media width")
        height = try reader.optionalInteger("media height")
        codec = try reader.optionalString("media codec")
    }
}

extension DocumentMetadata {
    /// Writes what our own files have: the rest is only ever read.
    func encode(into writer: inout BincodeWriter) {
        writer.optional(mime)
        writer.optional(bytes)
        writer.optional(hash)
        writer.optional(width)
        writer.optional(height)
        writer.optional(colors) { $0.strings($1) }
        writer.optional(caption)
        writer.optional(exif) { writer, exif in
            for text in [exif.make, exif.model, exif.lens, exif.datetime] { writer.optional(text) }
            writer.optional(exif.gps) {
                $0.integer($1.lat.bitPattern)
                $0.integer($1.lon.bitPattern)
            }
        }
        writer.optional(audio) { $1.encode(into: &$0) }
        writer.optional(media) { $1.encode(into: &$0) }
    }
}

extension DocumentMetadata.Audio {
    func encode(into writer: inout BincodeWriter) {
        writer.optional(durationSeconds) { $0.integer($1.bitPattern) }
        writer.optional(sampleRate)
        writer.optional(channels)
        writer.optional(bitrate)
        writer.optional(codec)
        writer.integer(UInt64(segments.count))
        for segment in segments {
            writer.integer(segment.start.bitPattern)
            writer.integer(segment.end.bitPattern)
            writer.optional(segment.label)
        }
        writer.dictionary(tags)
    }
}

extension DocumentMetadata.Media {
    func encode(into writer: inout BincodeWriter) {
        writer.string(kind)
        writer.string(mime)
        writer.integer(bytes)
        writer.optional(filename)
        writer.optional(durationMilliseconds)
        writer.optional(width)
        writer.optional(height)
        writer.optional(codec)
    }
}
