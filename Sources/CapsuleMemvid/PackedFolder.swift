import CapsuleBytes
import CapsuleFormat
import MemvidFormat

/// What `capsule memvid pack` put into a file, as far as it is still there: Memvid's client may
/// have added and removed documents since.
struct PackedFolder {
    /// Directories, links and whatever else is no document.
    private(set) var entries: [PackedEntry] = []
    /// Files, symbolic links and special files.
    private(set) var objects: [(entry: PackedEntry, kind: FolderNode.Kind)] = []
    /// Frames that are accounted for: the record and the files' frames.
    private(set) var documents: Set<UInt64> = []
    /// The record's frame.
    let recordID: UInt64

    /// The record, in bytes.
    private static let recordLengthMax: UInt64 = 256 << 20

    /// Nil for a file that was not packed. Throws `FormatError` when the record is damaged.
    init?(_ file: MemvidFile) throws(FormatError) {
        let record = file.frames.last {
            $0.status == .active && $0.role == .document
                && $0.retained[PackedTree.markKey] == PackedTree.mark
        }
        guard let record else { return nil }
        recordID = record.id
        documents.insert(record.id)
        try readRecord(file, record)
        collectFiles(file)
    }

    private mutating func readRecord(
        _ file: MemvidFile, _ record: FrameSummary
    ) throws(FormatError) {
        do throws(MemvidError) {
            let document = try file.document(record.id)
            guard document.length <= Self.recordLengthMax else {
                throw MemvidError(.limitExceeded, "the tree record is larger than 256 MiB")
            }
            var text = [UInt8](repeating: 0, count: Int(document.length))
            var failure: MemvidError?
            text.withUnsafeMutableBytes { buffer in
                do throws(MemvidError) {
                    _ = try document.read(into: buffer, at: 0)
                } catch {
                    failure = error
                }
            }
            if let failure { throw failure }
            for line in text.split(separator: UInt8(ascii: "\n")) {
                guard let entry = PackedEntry(json: String(decoding: line, as: UTF8.self)) else {
                    throw MemvidError(.damaged, "a line of the tree record is not an entry")
                }
                add(entry)
            }
        } catch {
            throw FormatError(error)
        }
    }

    private mutating func add(_ entry: PackedEntry) {
        entries.append(entry)
        if entry.link != nil { return }
        switch Entry.Kind(rawValue: entry.mode & 0o170000) {
        case .symbolicLink:
            guard let target = entry.target.flatMap(Text.unbase64), !target.contains(0),
                (1...Int(Limits.targetLength)).contains(target.count)
            else { return }
            objects.append((entry, .symbolicLink(target)))
        case .fifo, .socket, .characterDevice, .blockDevice:
            objects.append((entry, .special))
        case .directory, .regular, nil: break
        }
    }

    /// Files whose frames are all there. The frames of others stay documents like any.
    private mutating func collectFiles(_ file: MemvidFile) {
        var parts: [String: [(entry: PackedEntry, id: UInt64)]] = [:]
        for frame in file.frames where frame.status == .active && frame.role == .document {
            guard let json = frame.retained[PackedEntry.key],
                let entry = PackedEntry(json: json), !entry.path.isEmpty,
                entry.mode & 0o170000 == Entry.Kind.regular.rawValue
            else { continue }
            parts[entry.path, default: []].append((entry, frame.id))
        }
        for list in parts.values {
            let sorted = list.sorted { ($0.entry.part ?? 1, $0.id) < ($1.entry.part ?? 1, $1.id) }
            guard let first = sorted.first, isComplete(sorted, file) else { continue }
            // Where a run lies among the stored bytes is where the ones before it end.
            var stored: UInt64 = 0
            let extents = first.entry.extents.map { runs in
                runs.map { run in
                    defer { stored += run[1] }
                    return Extent(fileOffset: run[0], length: run[1], streamOffset: stored)
                }
            }
            documents.formUnion(sorted.map(\.id))
            objects.append((first.entry, .file(sorted.map(\.id), extents)))
        }
        objects.sort { $0.entry.path < $1.entry.path }
    }

    private func isComplete(
        _ parts: [(entry: PackedEntry, id: UInt64)], _ file: MemvidFile
    ) -> Bool {
        guard let first = parts.first else { return false }
        guard parts.count == first.entry.partCount ?? 1 else { return false }
        let isNumbered = zip(parts, 1...).allSatisfy { ($0.entry.part ?? 1) == $1 }
        let stored = parts.reduce(0) { $0 + file.contentLength(of: $1.id) }
        let expected =
            first.entry.extents?.reduce(0) { $0 + $1[1] } ?? first.entry.size ?? 0
        let isWhole = parts.dropLast().allSatisfy {
            file.contentLength(of: $0.id) == MemvidPacker.partLength
        }
        return isNumbered && stored == expected && isWhole
    }
}
