// A whole index, read as a mount reads it; and its sections.

import CapsuleBytes
import CapsuleCrypto

@testable import CapsuleFormat

enum Sections {
    static let targets = [
        FuzzTarget("index", index) {
            [
                [0, 0], [1, 0], [1, 1], [0, 255], [0, 0, 0x83, 4, 0, 1, 2, 3, 4],
                [1, 0, 3, 8, 0, 4, 2, 0, 0, 0], [0, 0, 0, 56, 0, 1, 7],
            ]
        },
        FuzzTarget("extents", extents) {
            [Fixture.pattern(0, 0) + [132, 3, 0, 0, 0, 0, 0, 0] + IndexImage.small.extents]
        },
        FuzzTarget("attributes", attributes) { [IndexImage.attributeSet] },
        FuzzTarget("owners", owners) { [IndexImage.ownerTable] },
    ]

    /// The input is an index to begin with, how many entries more it has, and changes to it.
    static func index(_ input: [UInt8]) throws(Finding) {
        var input = FuzzInput(input)
        var image = input.number(UInt8.self) & 1 == 0 ? IndexImage.small : IndexImage.wide
        let more = Int(Int8(truncatingIfNeeded: input.number(UInt8.self)))
        image.entryCount = UInt64(max(1, Int(image.entryCount) + more))
        while !input.isEmpty { image.change(&input) }
        guard let capsule = image.open() else { return }
        _ = try? capsule.index.ownerNames()
        let count = Ordinal(capsule.index.entryCount)
        for ordinal in Array(0..<min(count, 24)) + Array(max(24, count) - 8..<max(24, count)) {
            guard let (entry, name) = try? capsule.index.namedEntry(ordinal) else { continue }
            try require(name.count <= 255, "a name has at most 255 bytes")
            _ = try? capsule.index.path(of: ordinal)
            if entry.isDirectory { try list(capsule, ordinal, entry) }
            guard let inode = try? capsule.index.inode(of: entry, ordinal) else { continue }
            try require(
                !inode.entry.isAlias && inode.entry.kind == entry.kind, "an alias has an inode")
            try examine(capsule, inode.entry)
        }
    }

    /// Lists a directory from several places and looks its names up.
    private static func list(
        _ capsule: Capsule, _ directory: Ordinal, _ record: Entry
    ) throws(Finding) {
        var names: [(name: [UInt8], ordinal: Ordinal)] = []
        let isWhole: Void? = try? capsule.index.forEach(in: directory, record, from: 0) {
            names.append(([UInt8]($2), $0))
            return true
        }
        for start in [1, 255, 256, Int(record.count)] where start <= Int(record.count) {
            try? capsule.index.forEach(in: directory, record, from: start) { _, _, _ in true }
        }
        for (first, second) in zip(names, names.dropFirst()) {
            try require(
                first.name.lexicographicallyPrecedes(second.name) && first.ordinal > directory,
                "a listing is in the order of names")
        }
        for (name, ordinal) in names.prefix(8) + names.suffix(8) {
            let found = name.withUnsafeBytes {
                try? capsule.index.lookup($0, in: directory, record)
            }
            let isBound = isWhole != nil && record.extra == 0
            try require(
                isBound ? found?.ordinal == ordinal : found == nil || found?.ordinal == ordinal,
                "a name that is listed is found")
        }
        for name in [[], [47], [255, 255]] as [[UInt8]] {
            name.withUnsafeBytes { _ = try? capsule.index.lookup($0, in: directory, record) }
        }
    }

    /// Reads everything that an inode has.
    private static func examine(_ capsule: Capsule, _ entry: Entry) throws(Finding) {
        for attribute in (try? capsule.index.attributes(of: entry)) ?? [] {
            try require(
                (1...255).contains(attribute.name.count) && attribute.value.count <= 65536
                    && !attribute.name.contains(0), "an attribute is within its limits")
        }
        switch entry.kind {
        case .symbolicLink:
            guard let target = try? capsule.index.target(of: entry) else { return }
            try require(
                UInt64(target.count) == entry.size && !target.contains(0), "a target is whole")
        case .regular:
            if let extents = try? capsule.extents(of: entry) { try check(extents, of: entry) }
            var buffer = [UInt8](repeating: 0, count: 300)
            for offset in [0, entry.size / 2, max(entry.size, 7) - 7, entry.size, .max] {
                let count = buffer.withUnsafeMutableBytes {
                    try? capsule.read(entry, at: offset, into: $0)
                }
                let rest = entry.size - min(offset, entry.size)
                try require(
                    count == nil || count == Int(min(300, rest)), "a read is as long as the file")
                for toHole in [false, true] {
                    let place = try? capsule.seek(entry, from: offset, toHole: toHole)
                    try require(
                        place.flatMap { $0 }.map { $0 >= offset && $0 <= entry.size } ?? true,
                        "a seek goes on and stays in the file")
                }
            }
        default: break
        }
    }

    private static func check(_ extents: [Extent], of entry: Entry) throws(Finding) {
        var end: UInt64 = 0
        for extent in extents {
            try require(
                extent.length > 0 && extent.fileOffset >= end
                    && extent.fileOffset + extent.length <= entry.size,
                "extents ascend and lie in the file")
            end = extent.fileOffset + extent.length
        }
    }

    // MARK: Sections

    /// The input is the size of a sparse file and its extents.
    static func extents(_ input: [UInt8]) throws(Finding) {
        var input = FuzzInput(input)
        var image = IndexImage.small
        let size = input.number(UInt64.self) & UInt64(Int64.max)
        image.extents = input.remainder()
        guard let capsule = image.open(), var entry = try? capsule.index.entry(5) else { return }
        (entry.size, entry.count) = (size, UInt32(image.extents.count / 24))
        try examine(capsule, entry)
    }

    /// The input is a set of attributes with its length, and what follows it in the heap.
    static func attributes(_ input: [UInt8]) throws(Finding) {
        var image = IndexImage.small
        image.heap = [0] + Array("target".utf8) + input
        guard let capsule = image.open(), let entry = try? capsule.index.entry(3),
            let attributes = try? capsule.index.attributes(of: entry)
        else { return }
        var writer = ByteWriter()
        writer.integer(UInt16(attributes.count))
        for attribute in attributes {
            writer.integer(UInt16(attribute.name.count))
            writer.integer(UInt32(attribute.value.count))
            writer.append(attribute.name)
            writer.append(attribute.value)
        }
        try require(
            input.dropFirst(4).starts(with: writer.bytes)
                && Int(input.number(at: 0, UInt32.self)) == writer.count,
            "attributes are what stands in the heap")
        try examine(capsule, entry)
    }

    /// The input is the section of owner names.
    static func owners(_ input: [UInt8]) throws(Finding) {
        var image = IndexImage.small
        image.owners = input
        guard let names = try? image.open()?.index.ownerNames() else { return }
        try require(
            (names.users.count + names.groups.count) * 6 <= input.count,
            "each name takes some room")
    }
}
