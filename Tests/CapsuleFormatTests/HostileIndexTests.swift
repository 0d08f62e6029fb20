// Capsules whose sealer was hostile: keys, tags, hashes and MACs are right, the tree of files is
// not.

import CapsuleBytes
import CapsuleCrypto
import CapsuleSystem
import Testing

@testable import CapsuleFormat

@Suite("Hostile index")
struct HostileIndexTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let edit: @Sendable (inout HostileIndex) -> Void
        var testDescription: String { name }

        init(_ name: String, _ edit: @escaping @Sendable (inout HostileIndex) -> Void) {
            (self.name, self.edit) = (name, edit)
        }
    }

    /// Opens and reads everything.
    private func reading(_ sealed: Sealed) -> FormatError? {
        failure { _ = try Snapshot(try sealed.open()) }
    }

    @Test("the index that all these begin with is accepted")
    func plain() throws {
        let sealed = try HostileIndex.plain().seal()
        let snapshot = try Snapshot(try sealed.open())
        #expect(snapshot.entries.count == 6)
        #expect(!isNoticed(MemoryStorage(sealed.bytes)))
    }

    @Test("an entry that breaks the rules of its type is refused", arguments: entries + types)
    func entry(hostile: Case) throws {
        var index = HostileIndex.plain()
        hostile.edit(&index)
        let fault = reading(try index.seal())
        #expect(fault?.code == .damaged, "\(fault.map { "\($0)" } ?? "accepted")")
    }

    @Test("a name that could leave its directory or hide is refused", arguments: names)
    func name(hostile: Case) throws {
        var index = HostileIndex.plain()
        hostile.edit(&index)
        let fault = reading(try index.seal())
        #expect(fault?.code == .damaged, "\(fault.map { "\($0)" } ?? "accepted")")
    }

    @Test("extents and attributes that break the rules are refused", arguments: sections)
    func section(hostile: Case) throws {
        var index = HostileIndex.plain()
        hostile.edit(&index)
        let fault = reading(try index.seal())
        #expect(fault?.code == .damaged, "\(fault.map { "\($0)" } ?? "accepted")")
    }

    @Test("a table that breaks the rules is refused when the capsule is opened", arguments: tables)
    func table(hostile: Case) throws {
        var index = HostileIndex.plain()
        hostile.edit(&index)
        let sealed = try index.seal()
        let fault = failure { _ = try sealed.open() }
        #expect(fault?.code == .damaged, "\(fault.map { "\($0)" } ?? "accepted")")
    }

    static let entries: [Case] = [
        Case("the root is a file") { $0.records[0].entry.mode = 0o100644 },
        Case("the root has a parent") { $0.records[0].entry.parent = 1 },
        Case("an entry is its own parent") { $0.records[1].entry.parent = 1 },
        Case("a parent comes later") { $0.records[1].entry.parent = 2 },
        Case("a parent is a file") { $0.records[4].entry.parent = 1 },
        Case("a parent is another directory") { $0.records[4].entry.parent = 0 },
        Case("a directory holds the root") { $0.records[2].entry.place = 0 },
        Case("a directory holds itself") { $0.records[2].entry.place = 2 },
        Case("a directory holds an earlier entry") { $0.records[2].entry.place = 1 },
        Case("two directories share entries") {
            $0.records[3].entry = HostileIndex.entry(0o040755)
            ($0.records[3].entry.place, $0.records[3].entry.count) = (4, 2)
        },
        Case("a directory ends beyond the index") { $0.records[2].entry.count = 3 },
        Case("a directory has 2^32 - 1 entries") { $0.records[2].entry.count = .max },
        Case("a directory begins at 2^64 - 1") { $0.records[2].entry.place = .max },
        Case("a directory is sparse") { $0.records[2].entry.flags = .sparse },
        Case("a fence lies outside its section") { $0.records[2].entry.extra = 1 },
        Case("unknown flags") { $0.records[1].entry.flags = .init(rawValue: 4) },
        Case("a mode of more than 16 bits") { $0.records[1].entry.mode = 0o1100644 },
        Case("an unknown type") { $0.records[1].entry.mode = 0o030644 },
        Case("no type") { $0.records[1].entry.mode = 0o644 },
        Case("a billion nanoseconds") { $0.records[1].entry.nanoseconds = 1_000_000_000 },
        Case("no links") { $0.records[1].entry.linkCount = 0 },
        Case("a size of 2^63") { $0.records[1].entry.size = 1 << 63 },
        Case("attributes outside the heap") { $0.records[1].entry.attributes = 7 },
        Case("attributes at 2^64 - 1") { $0.records[1].entry.attributes = .max },
        Case("a reserved field is set") { $0.editPage = { $1[80 + 60] = 1 } },
        Case("a page too short for its records") { $0.editPage = { $1.removeLast(20) } },
        Case("a page of one byte") { $0.editPage = { $1 = [0] } },
    ]

    static let types: [Case] = [
        Case("an alias of a directory") {
            $0.records[1].entry = HostileIndex.entry(0o100644)
            ($0.records[1].entry.flags, $0.records[1].entry.place) = (.alias, 2)
        },
        Case("an alias that is a directory") {
            $0.records[1].entry = HostileIndex.entry(0o040755)
            ($0.records[1].entry.flags, $0.records[1].entry.place) = (.alias, 2)
        },
        Case("an alias of itself") {
            ($0.records[1].entry.flags, $0.records[1].entry.place) = (.alias, 1)
        },
        Case("an alias of an alias") {
            ($0.records[1].entry.flags, $0.records[1].entry.place) = (.alias, 4)
            ($0.records[4].entry.flags, $0.records[4].entry.place) = (.alias, 1)
        },
        Case("an alias of another type") {
            ($0.records[1].entry.flags, $0.records[1].entry.place) = (.alias, 3)
        },
        Case("an alias outside the index") {
            ($0.records[1].entry.flags, $0.records[1].entry.place) = (.alias, 6)
        },
        Case("an alias of 2^32 + 4") {
            ($0.records[1].entry.flags, $0.records[1].entry.place) = (.alias, 1 << 32 | 4)
        },
        Case("a sparse alias") {
            ($0.records[1].entry.flags, $0.records[1].entry.place) = ([.alias, .sparse], 4)
        },
        Case("a link without a target") { $0.records[3].entry.size = 0 },
        Case("a target of 4096 bytes") {
            $0.heap += [UInt8](repeating: 65, count: 5000)
            $0.records[3].entry.size = 4096
        },
        Case("a target of 2^62 bytes") { $0.records[3].entry.size = 1 << 62 },
        Case("a target beyond the heap") { $0.records[3].entry.place = 2 },
        Case("a target at 2^64 - 1") { $0.records[3].entry.place = .max },
        Case("a target with a NUL") { $0.records[3].entry.place = 0 },
        Case("a sparse link") { $0.records[3].entry.flags = .sparse },
        Case("a fifo with contents") { $0.records[1].entry.mode = 0o010644 },
        Case("a device with contents") { $0.records[1].entry.mode = 0o020644 },
        Case("a socket that is sparse") {
            $0.records[1].entry = HostileIndex.entry(0o140644)
            $0.records[1].entry.flags = .sparse
        },
        Case("a file beyond the content stream") { $0.records[1].entry.place = 950 },
        Case("a file at the end of the content stream") { $0.records[1].entry.place = 1000 },
        Case("a file at 2^64 - 1") { $0.records[1].entry.place = .max },
        Case("a file where there is no content") { $0.content = [] },
    ]

    static let names: [Case] = [
        Case("empty") { $0.records[1].name = [] },
        Case(".") { $0.records[1].name = Array(".".utf8) },
        Case("..") { $0.records[1].name = Array("..".utf8) },
        Case("with a slash") { $0.records[1].name = Array("a/b".utf8) },
        Case("a slash") { $0.records[1].name = Array("/".utf8) },
        Case("with a NUL") { $0.records[1].name = [65, 0, 65] },
        Case("256 bytes") { $0.records[1].name = [UInt8](repeating: 65, count: 256) },
        Case("length 65535") { $0.records[1].nameLength = 65535 },
        Case("a root with a name") { $0.records[0].name = [65] },
        Case("equal to the one before") { $0.records[3].name = $0.records[2].name },
        Case("less than the one before") { $0.records[3].name = Array("aa".utf8) },
        Case("a prefix of the one before") {
            $0.records[1].name = Array("ab".utf8)
            $0.records[2].name = Array("a".utf8)
        },
        Case("inside the records") { $0.records[1].nameOffset = 2 },
        Case("beyond the page") { $0.records[1].nameOffset = 100_000 },
        Case("at 2^32 - 1") { $0.records[1].nameOffset = Int(UInt32.max) },
        Case("without a NUL behind it") { $0.records[1].nameLength = 3 },
        Case("at the very end of the page") { index in
            index.records[5].nameLength = 2
        },
    ]

    static let sections: [Case] = [
        Case("extents that overlap") { $0.makeSparse([(0, 100, 0), (99, 10, 0)]) },
        Case("extents that descend") { $0.makeSparse([(500, 10, 0), (0, 10, 0)]) },
        Case("an extent beyond the size") { $0.makeSparse([(990, 11, 0)]) },
        Case("an extent without length") { $0.makeSparse([(0, 0, 0)]) },
        Case("an extent of 2^64 - 1 bytes") { $0.makeSparse([(1, .max, 0)]) },
        Case("an extent at 2^64 - 1") { $0.makeSparse([(.max, 1, 0)]) },
        Case("an extent beyond the content") { $0.makeSparse([(0, 10, 995)]) },
        Case("an extent at the end of numbers") { $0.makeSparse([(0, 10, .max - 3)]) },
        Case("more extents than there are") {
            $0.makeSparse([(0, 10, 0)])
            $0.records[1].entry.count = 2
        },
        Case("2^32 - 1 extents") {
            $0.makeSparse([(0, 10, 0)])
            $0.records[1].entry.count = .max
        },
        Case("extents at 2^64 - 1") {
            $0.makeSparse([(0, 10, 0)])
            $0.records[1].entry.place = .max
        },
        Case("more bytes in extents than in the file") {
            $0.makeSparse([(0, 10, 0)])
            $0.records[1].entry.extra = 1001
        },
        Case("attributes of 2^32 - 1 bytes") { $0.setAttributes([0, 0], length: .max) },
        Case("attributes of 4 MiB and a byte") { $0.setAttributes([0, 0], length: (4 << 20) + 1) },
        Case("attributes beyond the heap") { $0.setAttributes([0, 0], length: 3) },
        Case("attributes of no bytes") { $0.setAttributes([]) },
        Case("bytes behind the attributes") { $0.setAttributes([0, 0, 1]) },
        Case("65535 attributes") { $0.setAttributes([255, 255]) },
        Case("an attribute without a name") { $0.setAttributes([1, 0, 0, 0, 0, 0, 0, 0]) },
        Case("an attribute's name of 256 bytes") {
            $0.setAttributes([1, 0, 0, 1, 0, 0, 0, 0] + [UInt8](repeating: 65, count: 256))
        },
        Case("an attribute's name with a NUL") { $0.setAttributes([1, 0, 1, 0, 0, 0, 0, 0, 0]) },
        Case("an attribute's value of 65537 bytes") {
            $0.setAttributes(
                [1, 0, 1, 0, 1, 0, 1, 0, 65] + [UInt8](repeating: 66, count: 65537))
        },
        Case("an attribute's value of 2^32 - 1 bytes") {
            $0.setAttributes([1, 0, 1, 0, 255, 255, 255, 255, 65])
        },
        Case("a length of attributes cut off by the heap's end") {
            $0.records[1].entry.attributes = UInt64($0.heap.count - 2)
        },
        Case("an owner's name cut off") { $0.owners = [0, 5, 1, 0, 0, 0, 65] },
        Case("half an owner") { $0.owners = [0, 5, 1] },
    ]

    static let tables: [Case] = [
        Case("magic") { $0.editTable = { $0[0] = 0 } },
        Case("layout 2") { $0.editTable = { $0[4] = 2 } },
        Case("no entries") { $0.editLayout = { $0.entryCount = 0 } },
        Case("no entries and no pages") {
            $0.editLayout = { ($0.entryCount, $0.pageCount) = (0, 0) }
        },
        Case("2^32 - 1 entries") {
            $0.editLayout = { ($0.entryCount, $0.pageCount) = (4_294_967_295, 1 << 24) }
        },
        Case("2^32 - 2 entries") {
            $0.editLayout = { ($0.entryCount, $0.pageCount) = (4_294_967_294, 1 << 24) }
        },
        Case("2^63 entries") { $0.editLayout = { $0.entryCount = 1 << 63 } },
        Case("255 entries of a page") { $0.editTable = { $0[16] = 255 } },
        Case("no page") { $0.editLayout = { $0.pageCount = 0 } },
        Case("2^32 - 1 pages") { $0.editLayout = { $0.pageCount = .max } },
        Case("a section at block 0") { $0.editLayout = { $0.heap.firstBlock = 0 } },
        Case("a section at block 2^64 - 1") { $0.editLayout = { $0.heap.firstBlock = .max } },
        Case("a section longer than its blocks") { $0.editLayout = { $0.heap.length = 65537 } },
        Case("a section of 2^60 bytes") { $0.editLayout = { $0.owners.length = 1 << 60 } },
        Case("a section of 2^64 - 1 bytes") { $0.editLayout = { $0.extents.length = .max } },
        Case("a section less than there is") { $0.editLayout = { $0.heap.length = 0 } },
        Case("more inodes than entries") { $0.editLayout = { $0.inodeCount = 7 } },
        Case("unknown flags") { $0.editTable = { $0[104] = 2 } },
        Case("a reserved field") { $0.editTable = { $0[108] = 1 } },
        Case("a byte too many") { $0.editTable = { $0.append(0) } },
        Case("a byte too few") { $0.editTable = { $0.removeLast() } },
        Case("no index at all") {
            $0.editStreams = { streams in
                streams[1].blockCount = 0
            }
        },
    ]
}
