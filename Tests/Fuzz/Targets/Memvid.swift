// Memvid's formats: the table of contents, frames, the log, the envelope, and what is made of them.

import CapsuleBytes
import CapsuleCrypto
import CapsuleFormat
import CapsuleSystem
import Crypto

@testable import CapsuleMemvid
@testable import MemvidFormat

enum Memvid {
    static let targets = [
        FuzzTarget("memvid-table", table) { [try sampleTable(), []] },
        FuzzTarget("memvid-file", file) { [try sample()] },
        FuzzTarget("memvid-salvage", salvage) {
            [Array(try sample().dropLast(1)), try sample() + [0]]
        },
        FuzzTarget("memvid-frame", frame) { [encodedFrame(sampleFrame)] },
        FuzzTarget("memvid-log", log) { [logRecord(sequence: 1), [0, 0]] },
        FuzzTarget("memvid-envelope", envelope) {
            let header = EncryptedHeader(
                salt: Fixture.pattern(1, 32), nonce: Fixture.pattern(2, 12), plainLength: 5000)
            return [header.encoded + [0, 1], header.encoded.dropLast(4) + [0, 0, 0, 0, 9, 9]]
        },
        FuzzTarget("memvid-pack", packed) {
            [
                Array(
                    #"{"path":"YQ==","mode":33188,"uid":0,"gid":0,"seconds":1,"nanoseconds":2}"#
                        .utf8)
            ]
        },
        FuzzTarget("memvid-names", names) {
            [
                Array("mv2://notes/first".utf8), Array("mv2://../../.memvid/\u{1}".utf8),
                [0xff, 0x2f],
            ]
        },
    ]

    // MARK: Samples

    static var sampleFrame: MemvidFrame {
        var frame = MemvidFrame()
        frame.timestamp = 1_700_000_000
        frame.uri = "mv2://notes/first"
        frame.title = "First"
        frame.searchText = "hello\ntitle: First\ntags: a b\nk: v"
        frame.tags = ["a", "b"]
        frame.extraMetadata["k"] = "v"
        frame.metadata = DocumentMetadata()
        frame.metadata?.mime = "text/plain"
        frame.chunkManifest = MemvidFrame.ChunkManifest(
            chunkCharacters: 5, ranges: [MemvidFrame.ChunkManifest.Range(start: 0, end: 5)])
        frame.sourceChecksum = MemvidFile.hash(Array("hello".utf8))
        return frame
    }

    static func encodedFrame(_ frame: MemvidFrame) -> [UInt8] {
        var writer = BincodeWriter()
        frame.encode(into: &writer)
        return writer.bytes
    }

    /// Storage that grows.
    private final class GrowingStorage: Storage {
        let name = "output"
        nonisolated(unsafe) var bytes: [UInt8] = []

        func length() throws(SystemError) -> UInt64 { UInt64(bytes.count) }
        func read(
            into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
        ) throws(SystemError) -> Int { 0 }
        func write(_ more: UnsafeRawBufferPointer, at offset: UInt64) throws(SystemError) {
            let end = Int(offset) + more.count
            if bytes.count < end { bytes += [UInt8](repeating: 0, count: end - bytes.count) }
            bytes.replaceSubrange(Int(offset)..<end, with: more)
        }
        func flush() throws(SystemError) {}
    }

    /// A small file with two documents.
    static func sample() throws -> [UInt8] {
        let storage = GrowingStorage()
        let writer = try MemvidWriter(PlainSink(storage))
        writer.beginPayload()
        try [UInt8]("hello".utf8).withUnsafeBytes { try writer.append($0) }
        var frame = sampleFrame
        frame.chunkManifest = nil
        writer.add(frame, payload: writer.endPayload())
        writer.beginPayload()
        writer.add(sampleFrame, payload: writer.endPayload())
        try writer.finish()
        return storage.bytes
    }

    static func sampleTable() throws -> [UInt8] {
        let bytes = try sample()
        let start = Int(bytes.number(at: 8, UInt64.self))
        return Array(bytes[start..<bytes.count - CommitFooter.length])
    }

    // MARK: Files

    /// Lists everything and reads everything, as a mount does.
    private static func use(_ file: MemvidFile) throws(Finding) {
        for frame in file.frames {
            _ = try? file.frame(frame.id)
            if let document = try? file.document(frame.id) {
                var buffer = [UInt8](repeating: 0, count: 4096)
                let count = try? buffer.withUnsafeMutableBytes {
                    (bytes) throws(MemvidError) -> Int in try document.read(into: bytes, at: 0)
                }
                try require(
                    UInt64(count ?? 0) <= document.length, "no more is read than there is")
                try require(
                    document.length == file.contentLength(of: frame.id),
                    "a document has the length that was shown")
            }
        }
        _ = file.examineLog()
        _ = file.staleRegions()
        guard let tree = try? MemvidTree(file) else { return }
        var names: Set<[UInt8]> = []
        for ordinal in 0..<min(tree.entryCount, 4096) {
            guard let entry = try? tree.entry(Ordinal(ordinal)),
                let path = try? tree.path(of: Ordinal(ordinal))
            else { continue }
            try require(names.insert(path).inserted, "a path is there once")
            try require(
                !path.split(separator: 47).contains { $0 == [46, 46] || $0 == [46] },
                "no name leads elsewhere")
            _ = try? tree.attributes(of: entry)
            if entry.kind == .symbolicLink { _ = try? tree.target(of: entry) }
            if entry.isDirectory {
                var count = 0
                try? tree.forEach(in: Ordinal(ordinal), entry, from: 0) { _, _, _ in
                    count += 1
                    return true
                }
                try require(count == Int(entry.count), "a directory has the entries it counts")
            }
        }
    }

    private static func open(_ bytes: [UInt8], isSalvaging: Bool) throws(Finding) {
        var options = MemvidFile.Options()
        options.isSalvaging = isSalvaging
        options.retainedKeys = MemvidTree.retainedKeys
        for recovers in [false, true] {
            options.recoversLog = recovers
            let file = try? MemvidFile(InputStorage(bytes), options: options) {
                throw Finding(description: "no passphrase")
            }
            if let file { try use(file) }
        }
    }

    static func file(_ input: [UInt8]) throws(Finding) { try open(input, isSalvaging: false) }

    static func salvage(_ input: [UInt8]) throws(Finding) { try open(input, isSalvaging: true) }

    /// The input is a table of contents; header and footer fit it.
    static func table(_ input: [UInt8]) throws(Finding) {
        let logLength = 64
        let payload = Array("hello, this is a payload".utf8)
        let start = MemvidHeader.length + logLength + payload.count
        let header = MemvidHeader(tableOffset: UInt64(start), logLength: UInt64(logLength))
        let footer = CommitFooter(
            tableLength: UInt64(input.count), tableHash: MemvidFile.hash(input), generation: 1)
        try open(
            header.encoded(tableChecksum: [UInt8](repeating: 0, count: 32))
                + [UInt8](repeating: 0, count: logLength) + payload + input + footer.encoded,
            isSalvaging: false)
    }

    // MARK: Parts

    static func frame(_ input: [UInt8]) throws(Finding) {
        let reader = BincodeReader(MemorySource(input), range: 0..<UInt64(input.count))
        guard let frame = try? MemvidFrame(from: reader) else { return }
        let encoded = encodedFrame(frame)
        let again = BincodeReader(MemorySource(encoded), range: 0..<UInt64(encoded.count))
        guard let second = try? MemvidFrame(from: again) else {
            throw Finding(description: "a frame can be read again")
        }
        // Numbers that are none differ from themselves.
        try require(encodedFrame(second) == encoded, "a frame is encoded as it was read")
        let recovered = DocumentText.recover(frame)
        if let checksum = frame.sourceChecksum, let recovered, recovered.isProven {
            try require(MemvidFile.hash(recovered.text) == checksum, "proven text is the original")
        }
        _ = JSONText.encode(FrameJSON(frame: frame))
    }

    private static func logRecord(sequence: UInt64) -> [UInt8] {
        var entry = BincodeWriter()
        entry.integer(UInt32(0))
        entry.integer(Int64(5))
        entry.optional(String?.none)
        entry.optional(String?.none)
        entry.integer(UInt64(0))
        entry.bool(false)
        entry.optional("mv2://a/b-c.txt")
        entry.optional(String?.none)
        return entry.bytes
    }

    /// The input is records, each with a length of two bytes; checksums are right.
    static func log(_ input: [UInt8]) throws(Finding) {
        var rest = FuzzInput(input)
        var region: [UInt8] = []
        var sequence: UInt64 = 1
        while !rest.isEmpty, region.count < 60_000 {
            let payload = rest.piece()
            var head = ByteWriter()
            head.integer(sequence)
            head.integer(UInt32(payload.count))
            head.integer(UInt32(0))
            head.append(MemvidFile.hash(payload).bytes)
            region += head.bytes + payload
            sequence += 1
        }
        region = region.fitted(to: 65536)
        guard var bytes = try? sample() else { return }
        bytes.replaceSubrange(MemvidHeader.length..<MemvidHeader.length + 65536, with: region)
        try open(bytes, isSalvaging: false)
    }

    /// The input is the header of an encrypted file and its length in two bytes.
    static func envelope(_ input: [UInt8]) throws(Finding) {
        guard let header = try? EncryptedHeader(decoding: input) else { return }
        let length = Int(input.number(at: 64, UInt16.self))
        let storage = InputStorage(input.fitted(to: max(length, 64)))
        let strict = try? EncryptedSource.checkedLength(storage, header, isSalvaging: false)
        let salvaged = try? EncryptedSource.checkedLength(storage, header, isSalvaging: true)
        if let strict {
            try require(strict == header.plainLength, "what is whole has its length")
            try require(salvaged == strict, "and nothing has to be saved")
        }
        try require((salvaged ?? 0) <= header.plainLength, "no more is saved than there was")
    }

    static func packed(_ input: [UInt8]) throws(Finding) {
        let text = String(decoding: input, as: UTF8.self)
        guard let entry = PackedEntry(json: text) else { return }
        try require(PackedEntry(json: entry.json) == entry, "an entry can be read again")
        for name in entry.pathBytes.split(separator: 47, omittingEmptySubsequences: false)
        where !entry.pathBytes.isEmpty {
            try require(
                !name.isEmpty && name != [46] && name != [46, 46] && !name.contains(0),
                "no name leads elsewhere")
        }
        _ = entry.extendedAttributes
    }

    static func names(_ input: [UInt8]) throws(Finding) {
        var frame = MemvidFrame()
        frame.uri = String(decoding: input, as: UTF8.self)
        frame.metadata = DocumentMetadata()
        frame.metadata?.mime = "text/html; charset=utf-8"
        frame.payloadLength = 1
        let summary = FrameSummary(frame, place: nil, retaining: [])
        let path = MemvidNames.path(of: summary)
        try require(!path.isEmpty && path.count <= 64, "a document has a path")
        try require(path[0] != MemvidNames.reserved, "what is reserved is not taken")
        for name in path + [MemvidNames.distinguished(path[path.count - 1], id: 7, round: 1)] {
            try require((1...255).contains(name.count), "a name has a length that Linux takes")
            try require(
                name != [46] && name != [46, 46] && !name.contains(0) && !name.contains(47),
                "a name leads nowhere else")
        }
    }
}
