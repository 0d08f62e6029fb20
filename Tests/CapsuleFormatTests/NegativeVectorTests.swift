// One defect each, and the check that must fire. Everything else about the bytes is right.

import CapsuleBytes
import CapsuleCrypto
import CapsuleSystem
import Testing

@testable import CapsuleFormat

@Suite("One defect each")
struct NegativeVectorTests {
    private let sealed: Sealed

    init() throws { sealed = try Sample.shared.get() }

    /// The error of opening with the right keys, reading nothing.
    private func opening(_ bytes: [UInt8]) -> FormatError? {
        failure { _ = try Sealed.open(MemoryStorage(bytes), sealed.keys) }
    }

    private func expect(
        _ fault: FormatError?, _ code: FormatError.Code, _ text: String,
        _ location: SourceLocation = #_sourceLocation
    ) {
        let fits = fault?.code == code && fault?.message.contains(text) == true
        #expect(
            fits, "\(fault.map { "\($0.code): \($0)" } ?? "accepted")", sourceLocation: location)
    }

    // MARK: Header

    struct HeaderDefect: Sendable, CustomTestStringConvertible {
        let field: String
        let offset: Int
        let value: [UInt8]
        var testDescription: String { "\(field) at \(offset)" }
    }

    static let headerDefects: [HeaderDefect] = [
        HeaderDefect(field: "flags", offset: 6, value: [2, 0]),
        HeaderDefect(field: "flags", offset: 6, value: [0, 0x80]),
        HeaderDefect(field: "slot area length", offset: 88, value: [0, 0, 0, 0]),
        HeaderDefect(field: "slot area length", offset: 88, value: [1, 0x10, 0, 0]),
        HeaderDefect(field: "slot area length", offset: 88, value: [0, 0x10, 0x10, 0]),
        HeaderDefect(field: "slot area length", offset: 88, value: [0, 0, 0, 0xff]),
        HeaderDefect(field: "signature area length", offset: 92, value: [0, 0, 0, 0]),
        HeaderDefect(field: "signature area length", offset: 92, value: [0, 8, 0, 0]),
        HeaderDefect(field: "signature area length", offset: 92, value: [0, 0, 0x20, 0]),
        HeaderDefect(field: "expected signer count", offset: 96, value: [17, 0]),
        HeaderDefect(field: "label length", offset: 98, value: [0, 1]),
        HeaderDefect(field: "label length", offset: 100, value: [0, 1]),
        HeaderDefect(field: "label", offset: 98, value: [5, 0]),
        HeaderDefect(field: "reserved", offset: 102, value: [1]),
        HeaderDefect(field: "reserved", offset: 1152, value: [1]),
        HeaderDefect(field: "reserved", offset: 4063, value: [1]),
        HeaderDefect(field: "lineage version", offset: 104, value: [1]),
        HeaderDefect(field: "lineage version", offset: 120, value: [1]),
        HeaderDefect(field: "lineage version", offset: 6, value: [1]),
        HeaderDefect(field: "expected signers", offset: 128, value: [1]),
        HeaderDefect(field: "expected signers", offset: 639, value: [1]),
        HeaderDefect(field: "expected signers", offset: 96, value: [2]),
        HeaderDefect(field: "label", offset: 640, value: [0xff]),
        HeaderDefect(field: "label", offset: 895, value: [1]),
        HeaderDefect(field: "hint", offset: 896, value: [0xc3, 0x28]),
        HeaderDefect(field: "reserved", offset: 1151, value: [1]),
    ]

    @Test("a header field out of its rules is named", arguments: headerDefects)
    func header(defect: HeaderDefect) {
        let bytes = Forge.header(Array(sealed.bytes[..<4096])) { header in
            header.replaceSubrange(
                defect.offset..<defect.offset + defect.value.count, with: defect.value)
        }
        let fault = failure { _ = try Header(decoding: bytes) }
        expect(fault, .damaged, "header: ")
        if defect.field != "label", defect.field != "reserved" {
            expect(fault, .damaged, "header: \(defect.field)")
        }
    }

    @Test("magic, version and checksum of the header are told apart, in that order")
    func headerOrder() throws {
        var bytes = sealed.bytes
        bytes[5000] ^= 1
        bytes[100] ^= 1
        expect(opening(bytes), .damaged, "the header's checksum is wrong")
        bytes[4] = 3
        expect(opening(bytes), .unsupportedVersion, "a capsule of version 3")
        bytes[0] = 0
        expect(opening(bytes), .notACapsule, "magic")
        expect(opening([]), .notACapsule, "magic")
        expect(opening(Array("MV2E".utf8)), .truncated, "within the header")
    }

    @Test("a capsule of version 1 is reported as that, however small it is")
    func versionOne() {
        let small = Array("MV2E".utf8) + [1, 0, 1, 1] + Noise.bytes(300, seed: 1)
        expect(opening(small + Noise.bytes(5000, seed: 2)), .unsupportedVersion, "version 1")
        do {
            expect(opening(small), .unsupportedVersion, "version 1")
        }
    }

    @Test("header and trailer of different capsules do not fit")
    func headerOfAnother() throws {
        var bytes = sealed.bytes
        let edited = Forge.header(Array(bytes[..<4096])) { $0[640] = UInt8(ascii: "S") }
        bytes.replaceSubrange(..<4096, with: edited)
        expect(opening(bytes), .damaged, "header and trailer are of different capsules")
    }

    @Test("a key that the header does not commit to is refused before anything else")
    func commitment() {
        let bytes = Forge.header(of: sealed) { $0[56] ^= 1 }
        expect(opening(bytes), .wrongSecret, "not this capsule's")
    }

    // MARK: Trailer

    @Test("the trailer's magic, checksum, root and MAC are told apart")
    func trailerSums() {
        let tail = sealed.bytes.count - 1024
        var bytes = sealed.bytes
        bytes[tail] ^= 1
        expect(opening(bytes), .truncated, "does not end with a trailer")
        bytes = sealed.bytes
        bytes[tail + 700] ^= 1
        expect(opening(bytes), .damaged, "the trailer's checksum is wrong")
        bytes = Forge.trailer(of: sealed, repair: [.mac, .checksum]) { $0[930] ^= 1 }
        expect(opening(bytes), .damaged, "the trailer's root is wrong")
        bytes = Forge.trailer(of: sealed, repair: .keyless) { $0[960] ^= 1 }
        expect(opening(bytes), .damaged, "the trailer is not authentic")
        // A change that anyone can make and no checksum shows: only the MAC does.
        bytes = Forge.trailer(of: sealed, repair: .keyless) { trailer in
            trailer[6] = 2
            for index in 64 + 160..<64 + 240 { trailer[index] = 0 }
        }
        expect(opening(bytes), .damaged, "bytes between the streams and the trailer")
    }

    struct TrailerDefect: Sendable, CustomTestStringConvertible {
        let offset: Int
        let value: [UInt8]
        let code: FormatError.Code
        let text: String
        var testDescription: String { "\(text), offset \(offset)" }

        init(_ offset: Int, _ value: [UInt8], _ text: String, _ code: FormatError.Code = .damaged) {
            (self.offset, self.value, self.text, self.code) = (offset, value, text, code)
        }
    }

    static let ones = [UInt8](repeating: 255, count: 8)

    static let trailerDefects: [TrailerDefect] = [
        TrailerDefect(4, [3], "trailer: stream count"),
        TrailerDefect(6, [9], "trailer: stream count"),
        TrailerDefect(6, [2], "trailer: unused stream table"),
        TrailerDefect(6, [4], "entry of stream 4"),
        TrailerDefect(8, [0, 0], "the trailer is of a file of", .truncated),
        TrailerDefect(16, [1, 2, 3], "different capsules"),
        TrailerDefect(40, [1, 2, 3], "different capsules"),
        TrailerDefect(64, [0], "entry of stream 1"),
        TrailerDefect(64, [2], "entry of stream 2"),
        TrailerDefect(144, [1], "entry of stream 2"),
        TrailerDefect(66, [6], "entry of stream 1"),
        TrailerDefect(67, [1], "stream table reserved"),
        TrailerDefect(71, [1], "stream table reserved"),
        TrailerDefect(72, [0, 0], "entry of stream 1"),
        TrailerDefect(72, [1, 0, 0, 0, 0, 1], "entry of stream 1"),
        TrailerDefect(72, ones, "entry of stream 1"),
        TrailerDefect(80, [0, 0x40], "entry of stream 1"),
        TrailerDefect(80, ones, "entry of stream 1"),
        TrailerDefect(88, [0xff], "entry of stream 2"),
        TrailerDefect(88, ones, "entry of stream 1"),
        TrailerDefect(96, ones, "entry of stream 1"),
        TrailerDefect(104, [0, 0, 0, 0, 0, 0, 0, 0], "entry of stream 1"),
        TrailerDefect(104, ones, "entry of stream 1"),
        TrailerDefect(704, [1], "unused stream table"),
        TrailerDefect(927, [1], "unused stream table"),
    ]

    @Test(
        "a trailer field out of its rules is refused, sealed as it may be",
        arguments: trailerDefects)
    func trailer(defect: TrailerDefect) {
        let bytes = Forge.trailer(of: sealed) { trailer in
            trailer.replaceSubrange(
                defect.offset..<defect.offset + defect.value.count, with: defect.value)
        }
        let fault = failure { _ = try CapsuleFile(MemoryStorage(bytes)) }
        expect(fault, defect.code, defect.text)
    }

    @Test("a stream that the trailer misdescribes is refused when it is opened or verified")
    func misdescribedStreams() throws {
        let longer = Forge.trailer(of: sealed) { trailer in
            trailer[96] = trailer[96] &+ 1
        }
        expect(opening(longer), .damaged, "root node of the content stream does not cover it")
        #expect(isNoticed(MemoryStorage(longer)))
        let more = Forge.trailer(of: sealed) { trailer in trailer[72] += 1 }
        #expect(isNoticed(MemoryStorage(more)))
        let level = Forge.trailer(of: sealed) { trailer in trailer[66] = 1 }
        #expect(opening(level)?.code == .damaged && isNoticed(MemoryStorage(level)))
        let unknown = Forge.trailer(of: sealed) { trailer in trailer[64] = 9 }
        expect(opening(unknown), .damaged, "the capsule has no content stream")
    }

    @Test("streams of unknown numbers are accepted")
    func unknownStream() throws {
        let bytes = Forge.trailer(of: sealed) { trailer in
            trailer[6] = 4
            let end = trailer[64 + 160 + 24..<64 + 160 + 32]
            trailer[64 + 240] = 200
            trailer.replaceSubrange(64 + 240 + 16..<64 + 240 + 24, with: end)
            trailer.replaceSubrange(64 + 240 + 24..<64 + 240 + 32, with: end)
        }
        let storage = MemoryStorage(bytes)
        #expect(outcome(storage, sealed.keys, try Snapshot(try sealed.open())) == .original)
        #expect(!isNoticed(storage))
    }

    // MARK: Nodes

    static let nodeDefects: [TrailerDefect] = [
        TrailerDefect(0, [0], "node magic"),
        TrailerDefect(4, [1], "node entry count"),
        TrailerDefect(5, [1], "node reserved"),
        TrailerDefect(6, [0, 0], "is damaged"),
        TrailerDefect(6, [1, 1], "is damaged"),
        TrailerDefect(8, [2], "node entry count"),
        TrailerDefect(10, [1], "node reserved"),
        TrailerDefect(16, [1], "does not cover it"),
        TrailerDefect(24, [1], "stored lengths"),
        TrailerDefect(24, ones, "first block offset"),
        TrailerDefect(32, [1], "does not cover it"),
        TrailerDefect(32, ones, "first block offset"),
        TrailerDefect(72, [16, 0, 0, 0], "stored length"),
        TrailerDefect(72, [255, 255, 255, 255], "stored length"),
        TrailerDefect(76, [0, 0, 0, 0], "stored length"),
        TrailerDefect(76, [1, 0, 16, 0], "stored length"),
        TrailerDefect(73, [0x0f], "stored lengths"),
    ]

    @Test("a node that breaks the rules is refused, sealed as it may be", arguments: nodeDefects)
    func node(defect: TrailerDefect) throws {
        let bytes = try Forge.rootNode(of: sealed, stream: .content) { node in
            node.replaceSubrange(
                defect.offset..<defect.offset + defect.value.count, with: defect.value)
        }
        expect(opening(bytes), .damaged, defect.text)
        #expect(isNoticed(MemoryStorage(bytes)))
    }

    @Test("a leaf that is not the block's is noticed before the block is opened")
    func leaf() throws {
        let bytes = try Forge.rootNode(of: sealed, stream: .content) { $0[40] ^= 1 }
        let capsule = try Sealed.open(MemoryStorage(bytes), sealed.keys)
        let entry = try capsule.index.entry(2)
        let fault = failure { _ = try Snapshot.contents(capsule, entry) }
        expect(fault, .damaged, "a block of the content stream is damaged")
        #expect(isNoticed(MemoryStorage(bytes)))
    }

    @Test("a block that only its tag gives away is not authentic")
    func tag() throws {
        let start = Int(sealed.header.dataOffset)
        let node = try Forge.parts(of: sealed).blocks[0]
        var changed = sealed
        changed.bytes[start] ^= 1
        let leaf = changed.bytes[node].withUnsafeBytes {
            TreeNode.leaf($0, stream: .content, logicalOffset: 0)
        }
        let bytes = try Forge.rootNode(of: changed, stream: .content) {
            $0.replaceSubrange(40..<72, with: leaf.bytes)
        }
        #expect(!isNoticed(MemoryStorage(bytes)))
        let capsule = try Sealed.open(MemoryStorage(bytes), sealed.keys)
        let entry = try capsule.index.entry(2)
        let fault = failure { _ = try Snapshot.contents(capsule, entry) }
        expect(fault, .damaged, "a block of the content stream is not authentic")
    }

    // MARK: Areas

    static let areaDefects: [TrailerDefect] = [
        TrailerDefect(0, [0], "area magic"), TrailerDefect(0, Array("SIGN".utf8), "area magic"),
        TrailerDefect(6, [1], "reserved"), TrailerDefect(8, [0], "records length"),
        TrailerDefect(16, ones.dropLast(4), "records length"),
        TrailerDefect(16, [0xa9, 0x0f], "records length"), TrailerDefect(20, [1], "reserved"),
        TrailerDefect(4000, [1], "unused area"),
    ].map { TrailerDefect($0.offset, Array($0.value), $0.text) }

    @Test("an area that breaks the rules is no whole copy", arguments: areaDefects)
    func area(defect: TrailerDefect) {
        let bytes = Forge.area(sealed.bytes[4096..<8192], keys: sealed.keys) { area in
            area.replaceSubrange(
                defect.offset..<defect.offset + defect.value.count, with: defect.value)
        }
        let fault = failure { _ = try Area(decoding: bytes, kind: .slots, at: 0) }
        expect(fault, .damaged, defect.text)
    }

    @Test("a signature area with a MAC is refused")
    func signatureAreaMAC() {
        let bytes = Forge.area(sealed.bytes[12288..<16384]) { $0[4096 - 64] = 1 }
        let fault = failure { _ = try Area(decoding: bytes, kind: .signatures, at: 0) }
        expect(fault, .damaged, "area MAC")
    }
}
