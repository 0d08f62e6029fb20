import CapsuleBytes
import CapsuleCrypto

/// The 56 bytes after a table of contents.
///
///     Offset  Size  Field
///          0     8  magic "MV2FOOT!"
///          8     8  length of the table, in bytes
///         16    32  BLAKE3 of the table
///         48     8  number of the commit; covered by no hash
struct CommitFooter: Equatable {
    var tableLength: UInt64
    var tableHash: Digest32
    var generation: UInt64

    static let length = 56
    static let magic = Array("MV2FOOT!".utf8)

    init(tableLength: UInt64, tableHash: Digest32, generation: UInt64) {
        self.tableLength = tableLength
        self.tableHash = tableHash
        self.generation = generation
    }

    /// Parses 56 bytes; nil where they are no footer.
    init?(decoding bytes: [UInt8]) {
        guard bytes.count == Self.length, bytes.starts(with: Self.magic) else { return nil }
        func number(_ offset: Int) -> UInt64 {
            bytes[offset..<offset + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        tableLength = number(8)
        tableHash = Digest32(Array(bytes[16..<48]))
        generation = number(48)
    }

    var encoded: [UInt8] {
        var writer = ByteWriter(capacity: Self.length)
        writer.append(Self.magic)
        writer.integer(tableLength)
        writer.append(tableHash.bytes)
        writer.integer(generation)
        return writer.bytes
    }
}

/// Where the table of contents lies.
struct TablePlace: Equatable {
    var range: Range<UInt64>
    /// What its bytes must hash to; nil where no footer says so.
    var hash: Digest32?
    /// What the reader gave up to get here; nil for the place that the header names.
    var remark: String?

    /// The only place that is taken without `--salvage`: where the header says, with its footer at
    /// the end of the file. Whoever plants a table with a footer elsewhere is not listened to.
    static func strict(
        _ source: any MemvidSource, _ header: MemvidHeader
    ) throws(MemvidError) -> TablePlace {
        let footerLength = UInt64(CommitFooter.length)
        let least = header.tableOffset.checkedAdding(footerLength)
        guard let least, source.length >= least else {
            throw MemvidError(
                .truncated, "the file ends before its table of contents", at: source.length)
        }
        let footerOffset = source.length - footerLength
        let bytes = try source.bytes(CommitFooter.length, at: footerOffset, "footer")
        guard let footer = CommitFooter(decoding: bytes) else {
            throw .damaged(
                "it does not end with a commit footer: a write was cut off, or the end is missing",
                at: footerOffset)
        }
        let tableEnd = header.tableOffset.checkedAdding(footer.tableLength)
        guard footer.tableLength <= MemvidLimits.tableLength, tableEnd == footerOffset else {
            throw .damaged(
                "the footer does not belong to the table of contents that the header names",
                at: footerOffset)
        }
        return TablePlace(range: header.tableOffset..<footerOffset, hash: footer.tableHash)
    }

    /// The last footer anywhere whose table fits its hash. The bytes hashed are bounded, so that a
    /// file full of footers costs no more than reading it a few times.
    static func salvaged(_ source: any MemvidSource) throws(MemvidError) -> TablePlace? {
        var budget = source.length.multipliedReportingOverflow(by: MemvidLimits.salvageWork)
            .partialValue
        let windowLength: UInt64 = 1 << 20
        let overlap = UInt64(CommitFooter.length - 1)
        var windowEnd = source.length
        while windowEnd > 0 {
            let start = windowEnd > windowLength ? windowEnd - windowLength : 0
            let stop = min(source.length, windowEnd + overlap)
            let window = try source.bytes(Int(stop - start), at: start, "file")
            for index in window.indices.reversed()
            where window[index] == CommitFooter.magic[0]
                && window.count - index >= CommitFooter.length
                && start + UInt64(index) < windowEnd
            {
                let bytes = Array(window[index..<index + CommitFooter.length])
                guard let footer = CommitFooter(decoding: bytes) else { continue }
                let end = start + UInt64(index)
                guard (1...MemvidLimits.tableLength).contains(footer.tableLength),
                    footer.tableLength <= end, footer.tableLength <= budget
                else { continue }
                budget -= footer.tableLength
                let range = (end - footer.tableLength)..<end
                let reader = BincodeReader(source, range: range, hashesAll: true)
                if try reader.finish() == footer.tableHash {
                    return TablePlace(
                        range: range, hash: footer.tableHash,
                        remark: "the table of contents was found by search, at offset "
                            + "\(range.lowerBound): later changes may be lost, and a document may "
                            + "have planted it")
                }
            }
            windowEnd = start
        }
        return nil
    }
}
