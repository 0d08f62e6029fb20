// The parts of the index one by one, and the manifest.

import CapsuleBytes
import CapsuleCrypto
import FoundationEssentials

@testable import CapsuleFormat

enum IndexParts {
    static let targets = [
        FuzzTarget("index-table", table) {
            var layout = IndexLayout()
            (layout.entryCount, layout.inodeCount, layout.pageCount) = (600, 599, 3)
            layout.hasAttributes = true
            layout.extents = .init(firstBlock: 4, length: 48)
            layout.heap = .init(firstBlock: 5, length: 70_000)
            layout.fences = .init(firstBlock: 7, length: 0)
            layout.owners = .init(firstBlock: 7, length: 9)
            return [layout.encoded]
        },
        FuzzTarget("index-page", page) {
            let sections: [UInt8] = [40, 0, 2, 0, 0, 0]
            return [
                [0, 8] + sections + IndexImage.small.pages[0],
                [2, 88] + sections + Array(IndexImage.wide.pages[2]),
            ]
        },
        FuzzTarget("fence", fence) {
            let names = ["b", "ba", "n1256", "n1512"].map { Array($0.utf8) }
            return [
                Array(Fence(stride: 1, separators: names).encoded.dropFirst(4)),
                Array(Fence(stride: .max, separators: [[], []]).encoded.dropFirst(4)),
            ]
        },
        FuzzTarget("manifest", manifest) {
            let lineage = Manifest.Lineage(id: "00", version: .max, parentRoot: "ff")
            let manifest = Manifest(
                capsuleID: Text.hex(Fixture.header.id), creator: "ada@example.org",
                toolVersion: "2", createdAt: "2026-01-01T00:00:00Z", lineage: lineage,
                contentDigest: "00", entryCount: 8, totalSize: .max, excluded: ["*.o"],
                remarks: [Manifest.Remark(path: "a\\x0a", reason: "changed")])
            return [manifest.encoded, Array("[[{\"a\":1e999}]]".utf8)]
        },
    ]

    // MARK: The table

    /// The stream has as many blocks as the table asks for, as anyone can arrange.
    static func table(_ input: [UInt8]) throws(Finding) {
        var blocks = 1 &+ UInt64(input.number(at: 20, UInt32.self))
        for section in 0..<4 {
            let length = input.number(at: 32 + section * 16, UInt64.self)
            blocks &+= (length &+ 65535) / 65536
        }
        guard let layout = try? IndexLayout(decoding: input, blockCount: blocks) else { return }
        try require(layout.encoded == input, "a table is encoded as it was read")
        let longer = try? IndexLayout(decoding: input, blockCount: blocks &+ 1)
        try require(longer == nil, "no block lies behind the last section")
        try require(
            (1...(1 << 32) - 2).contains(layout.entryCount)
                && UInt64(layout.pageCount) == (layout.entryCount + 255) / 256
                && layout.inodeCount <= layout.entryCount, "numbers are within their limits")
        var next = 1 + UInt64(layout.pageCount)
        for section in [layout.extents, layout.heap, layout.fences, layout.owners] {
            try require(
                section.firstBlock == next && section.length <= 1 << 60,
                "sections lie one after the other")
            next += section.blockCount
        }
    }

    // MARK: Pages

    /// The input is the number of the page, of its entries, the lengths of the sections, the page.
    static func page(_ input: [UInt8]) throws(Finding) {
        var input = FuzzInput(input)
        let number = UInt32(input.number(UInt8.self))
        var layout = IndexLayout()
        layout.entryCount = UInt64(number) * 256 + UInt64(input.number(UInt8.self)) + 1
        layout.heap.length = UInt64(input.number(UInt16.self))
        layout.extents.length = UInt64(input.number(UInt16.self)) * 24
        layout.fences.length = UInt64(input.number(UInt16.self))
        let bytes = input.remainder()
        let block = bytes.withUnsafeBytes { PlainBlock(copying: $0) }
        guard let page = try? IndexPage(block, page: number, layout: layout) else { return }
        try require((1...256).contains(page.count), "a page has 1 to 256 entries")
        var runStart = 0
        for index in 0..<page.count {
            try check(page, index, layout)
            let isRoot = page.firstOrdinal == 0 && index == 0
            if index > 0, page[index].parent != page[index - 1].parent || index == 1 {
                runStart = index
            }
            let found = page.lowerBound(of: page.name(index), in: runStart..<index + 1)
            try require(isRoot || found == index, "a name is found among those of its directory")
        }
    }

    /// The rules of capsule-format(5), written once more.
    private static func check(
        _ page: IndexPage, _ index: Int, _ layout: IndexLayout
    ) throws(Finding) {
        let entry = page[index]
        let name = [UInt8](page.name(index))
        let ordinal = UInt64(page.firstOrdinal) + UInt64(index)
        let isForbidden = [[46], [46, 46]].contains(name) || name.contains(0) || name.contains(47)
        try require(
            ordinal == 0 ? name.isEmpty : (1...255).contains(name.count) && !isForbidden,
            "a name is one that a folder can hold")
        try require(
            ordinal == 0
                ? entry.parent == 0 && entry.kind == .directory : entry.parent < ordinal,
            "a directory comes before its entries")
        try require(
            entry.size < 1 << 63 && entry.nanoseconds < 1_000_000_000 && entry.linkCount > 0
                && entry.attributes < max(1, layout.heap.length), "fields are within their limits")
        if entry.isAlias {
            return try require(
                entry.place < layout.entryCount && entry.place != ordinal
                    && entry.kind != .directory, "an alias is of another entry")
        }
        let count = UInt64(entry.count)
        switch entry.kind {
        case .directory:
            try require(
                (count == 0 || entry.place > ordinal) && entry.place + count <= layout.entryCount,
                "entries come after their directory")
        case .symbolicLink:
            try require(
                (1...4095).contains(entry.size) && entry.place + entry.size <= layout.heap.length,
                "a target lies in the heap")
        case .regular where entry.flags.contains(.sparse):
            try require(
                (entry.place + count) * 24 <= layout.extents.length, "extents lie in their section")
        case .regular: _ = entry.place + entry.size
        default: try require(entry.size == 0 && entry.flags.isEmpty, "a special file is empty")
        }
    }

    // MARK: Fences

    static func fence(_ input: [UInt8]) throws(Finding) {
        guard let fence = try? Fence(decoding: input) else { return }
        try require(fence.encoded.dropFirst(4) == input[...], "a fence is encoded as it was read")
        for separator in fence.separators.prefix(40) {
            for name in [separator, separator + [0], separator.dropLast()] {
                for pageCount in [1, 2, 3, 1 << 24] {
                    let pages = name.withUnsafeBytes { fence.pages(for: $0, pageCount: pageCount) }
                    try require(
                        pages.lowerBound >= 0 && pages.upperBound <= pageCount,
                        "a fence leads to pages of its directory")
                }
            }
        }
    }

    // MARK: The manifest

    static func manifest(_ input: [UInt8]) throws(Finding) {
        let decoder = JSONDecoder()
        guard let manifest = try? decoder.decode(Manifest.self, from: Data(input)) else { return }
        let again = try? decoder.decode(Manifest.self, from: Data(manifest.encoded))
        try require(again == manifest, "a manifest is what was encoded")
        try require(again?.encoded == manifest.encoded, "a manifest has one encoding")
    }
}
