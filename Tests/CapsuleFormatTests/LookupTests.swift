// Names in directories of every size: each one is found, none of its neighbours is.

import CapsuleCrypto
import CapsuleSystem
import Testing

@testable import CapsuleFormat

@Suite("Directories")
struct LookupTests {
    /// Names with gaps between them, common beginnings and prefixes of each other.
    static func name(_ number: Int) -> [UInt8] {
        let digits = String(number + 100_000)
        return Array("a-long-common-beginning-\(digits)\(number % 3 == 0 ? "x" : "")".utf8)
    }

    /// A root with `before` files and then a directory with `count` files.
    private static func seal(before: Int, count: Int) throws -> Capsule {
        let sealed = try Sample.seal { writer in
            try writer.finish(writer.contentStream(Sample.smallShape))
            var index = IndexBuilder()
            var record = Entry()
            record.mode = 0o040755
            record.place = 1
            record.count = UInt32(before + 1)
            try index.append(record, name: [])
            for number in 0..<before {
                var file = Entry()
                file.mode = 0o100644
                try index.append(file, name: Self.name(number))
            }
            record.place = UInt64(before + 2)
            record.count = UInt32(count)
            try index.append(record, name: "directory".utf8)
            for number in 0..<count {
                var file = Entry()
                file.mode = 0o100644
                file.parent = Ordinal(before + 1)
                file.seconds = Int64(number)
                try index.append(file, name: Self.name(number))
            }
            try writer.writeIndex(&index, uniform: false)
            try writer.writeManifest(Sample.manifest(id: Noise.bytes(16, seed: 201)).encoded)
        }
        return try sealed.open()
    }

    private func lookup(
        _ name: [UInt8], _ directory: Ordinal, _ entry: Entry, _ index: IndexReader
    ) throws(FormatError) -> Int64? {
        let found = try index.resolve([Array("directory".utf8), name])
        return found?.entry.seconds
    }

    static let sizes = [
        (0, 0), (0, 1), (0, 255), (0, 256), (0, 257), (100, 600), (254, 5000), (255, 512), (3, 768),
    ]

    @Test("every name is found and no neighbour is", arguments: sizes)
    func everyName(before: Int, count: Int) throws {
        let index = try Self.seal(before: before, count: count).index
        let directory = Ordinal(before + 1)
        let entry = try index.entry(directory)
        let lastPage = (before + 1 + count) / 256
        #expect((entry.extra != 0) == (count > 0 && lastPage - (before + 2) / 256 >= 2))
        for number in 0..<count {
            let name = Self.name(number)
            #expect(try lookup(name, directory, entry, index) == Int64(number))
            for neighbour in [name + [0], Array(name.dropLast()), name.dropLast() + [1]] {
                #expect(try lookup(neighbour, directory, entry, index) == nil)
            }
        }
        let strangers = [
            "", "a", "a-long-common-beginning-", "zzz", "a-long-common-beginning-999999",
        ]
        for name in strangers {
            #expect(try lookup(Array(name.utf8), directory, entry, index) == nil)
        }
        #expect(try lookup([0xff], directory, entry, index) == nil)
        #expect(try lookup([0], directory, entry, index) == nil)
    }

    @Test("a listing is in order from every start and can be ended anywhere", arguments: sizes)
    func listing(before: Int, count: Int) throws {
        let index = try Self.seal(before: before, count: count).index
        let directory = Ordinal(before + 1)
        let entry = try index.entry(directory)
        let step = count > 1000 ? 37 : 1
        for start in stride(from: 0, through: count + 1, by: step) {
            var number = start
            var isRight = true
            try index.forEach(in: directory, entry, from: start) { ordinal, entry, name in
                isRight =
                    isRight && ordinal == Ordinal(before + 2 + number)
                    && entry.seconds == Int64(number) && name.elementsEqual(Self.name(number))
                number += 1
                return number < start + 300
            }
            #expect(isRight)
            #expect(number == max(start, min(count, start + 300)))
        }
    }

    @Test("fences lead to the same pages as bisection, with any stride")
    func fences() throws {
        let separators = (1...9).map { [UInt8($0 * 10)] }
        for stride in [1, 2, 3] as [UInt32] {
            let fence = Fence(stride: stride, separators: separators)
            #expect(try Fence(decoding: Array(fence.encoded.dropFirst(4))) == fence)
            let pageCount = 1 + 9 * Int(stride) - (stride > 1 ? 1 : 0)
            for byte in 0...255 {
                let pages = [UInt8(byte)].withUnsafeBytes {
                    fence.pages(for: $0, pageCount: pageCount)
                }
                let below = separators.filter { $0[0] <= byte }.count
                let first = below == 0 ? 0 : 1 + (below - 1) * Int(stride)
                #expect(pages.lowerBound == first)
                #expect(pages.upperBound == (below == 9 ? pageCount : 1 + below * Int(stride)))
            }
        }
    }

    @Test("a fence that breaks the rules is refused")
    func brokenFences() {
        let good = Array(Fence(stride: 1, separators: [[1], [2, 3]]).encoded.dropFirst(4))
        #expect((try? Fence(decoding: good)) != nil)
        for (offset, value) in [(0, 0), (4, 0), (4, 200), (8, 4), (12, 0), (12, 9), (12, 2)] {
            var bytes = good
            Forge.put(UInt32(value), into: &bytes, at: offset)
            #expect((try? Fence(decoding: bytes)) == nil, "\(offset) \(value)")
        }
        #expect((try? Fence(decoding: good + [0])) == nil)
        for count in 0..<good.count {
            #expect((try? Fence(decoding: Array(good.prefix(count)))) == nil)
        }
    }
}
