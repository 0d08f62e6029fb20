import CapsuleCrypto

/// What can be had of a file whose end is not as it should be.
extension MemvidFile {
    /// How much of a table was understood without a footer.
    private enum Completeness {
        /// All of it, and its own checksum fits.
        case proven
        /// All of it, but the checksum does not fit.
        case whole
        /// Only some frames from the front.
        case partial
    }

    /// Looks for a table of contents: where the header says; then anywhere, but not in an encrypted
    /// file, whose authentic header has told the place: what else looks like a table there may have
    /// been planted in a document.
    static func salvage(
        _ source: any MemvidSource, _ header: MemvidHeader, _ form: Form, _ options: Options
    ) throws(MemvidError) -> OpenedTable? {
        let alone = parseAlone(source, from: header.tableOffset, options)
        if let (found, completeness) = alone, completeness != .partial {
            var opened = found
            opened.remarks.append(
                completeness == .proven
                    ? "the table of contents proves itself: nothing of it is lost"
                    : "the table of contents is damaged: what it says of documents may be wrong, "
                        + "stored bytes are checked one by one")
            return opened
        }
        if form == .plain, let place = try TablePlace.salvaged(source) {
            return try parse(source, place, options)
        }
        guard var opened = alone?.opened, !opened.frames.isEmpty else { return nil }
        opened.remarks.append(
            "only the first \(opened.frames.count) frames of the table could be read")
        return opened
    }

    /// Reads a table that says itself where it ends.
    private static func parseAlone(
        _ source: any MemvidSource, from start: UInt64, _ options: Options
    ) -> (opened: OpenedTable, completeness: Completeness)? {
        guard start < source.length else { return nil }
        let reader = BincodeReader(source, range: start..<source.length)
        var opened = OpenedTable(range: start..<source.length)
        do throws(MemvidError) {
            try opened.table.decodeBeginning(reader)
            let count = try reader.count(
                "frames", least: MemvidFrame.leastLength, limit: MemvidLimits.frameCount)
            for index in 0..<count {
                let at = reader.offset
                reader.beginPart()
                let frame = try MemvidFrame(from: reader)
                guard frame.id == UInt64(index) else {
                    throw .damaged("frame \(index) says that it is frame \(frame.id)", at: at)
                }
                opened.frames.append(
                    FrameSummary(
                        frame, place: (at..<reader.offset, reader.endPart()),
                        retaining: options.retainedKeys))
            }
            try opened.table.decodeMiddle(reader)
        } catch {
            return (opened, .partial)
        }
        var isWhole = false
        for schema in TableOfContents.Schema.allCases {
            var candidate = opened
            let end = BincodeReader(source, range: reader.offset..<source.length)
            do throws(MemvidError) {
                try candidate.table.decodeEnd(end, schema: schema, isAlone: false)
                isWhole = true
                candidate.range = start..<end.offset
                if try hasOwnChecksum(source, candidate.range) { return (candidate, .proven) }
            } catch { continue }
        }
        return (opened, isWhole ? .whole : .partial)
    }

    /// Whether a table's last 32 bytes are BLAKE3 of it with zeros in their place.
    private static func hasOwnChecksum(
        _ source: any MemvidSource, _ range: Range<UInt64>
    ) throws(MemvidError) -> Bool {
        guard range.upperBound - range.lowerBound > 32 else { return false }
        var hasher = Blake3Stream()
        var offset = range.lowerBound
        let end = range.upperBound - 32
        while offset < end {
            let count = Int(min(end - offset, 1 << 20))
            hasher.update(try source.bytes(count, at: offset, "table of contents"))
            offset += UInt64(count)
        }
        hasher.update([UInt8](repeating: 0, count: 32))
        return try source.bytes(32, at: end, "table of contents") == hasher.digest().bytes
    }
}
