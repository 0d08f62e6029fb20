import CapsuleFormat
import CapsuleSystem
import Glibc

/// A run as a folder: what the mount shows under `.capsule/runs`, and what an export is made of.
///
///     manifest.json              what the run is
///     events.jsonl               its events, one a line
///     checkpoints/LABEL.json     each moment that can be returned to
///     policy/ID                  the policies it is under
///     artifacts/ evidence/       its files, of a run that has ended
///     as-of/LABEL/               events and files as they were then
public struct RunFolder {
    private let run: Run
    private let service: any RunService
    private let workspace: String
    private let tree: (_ state: String) throws -> any ReadableTree

    /// A run, with what opens the tree of a state.
    public init(
        _ run: Run, in service: any RunService,
        tree: @escaping (_ state: String) throws -> any ReadableTree
    ) throws {
        self.run = run
        self.service = service
        self.tree = tree
        workspace = try service.workspaceID()
    }

    private static let lineCount = 4096

    private func item(_ path: [String], _ bytes: [UInt8]) -> ComposedTree.Item {
        ComposedTree.Item(
            path.map { Array($0.utf8) }, .bytes(bytes), permissions: 0o444,
            seconds: run.startedAt)
    }

    /// Everything in the folder. The files of a run that goes on are those of the state `present`,
    /// or left out.
    public func items(present: String? = nil) throws -> [ComposedTree.Item] {
        let lines = try eventLines()
        var items = [
            item(["manifest.json"], manifest().line + [10]),
            item(["events.jsonl"], Array(lines.joined())),
        ]
        for policy in try service.policies(of: run.name) {
            items.append(item(["policy", policy.id], policy.body))
        }
        let last = run.outcome == nil ? present : run.name.stateName(LiveTree.finalLabel)
        if let last { items += try files(in: try tree(last), below: []) }
        for checkpoint in run.checkpoints {
            let tree = try tree(run.name.stateName(checkpoint.label))
            let top = ["as-of", checkpoint.label]
            let below = top.map { Array($0.utf8) }
            let files = try files(in: tree, below: below)
            let uris = files.compactMap { uri(of: $0, below: below.count) }
            items.append(
                item(
                    ["checkpoints", "\(checkpoint.label).json"],
                    describe(checkpoint, uris).line + [10]))
            items.append(
                item(
                    top + ["events.jsonl"],
                    Array(lines.prefix(Int(clamping: checkpoint.sequence)).joined())))
            items += files
        }
        return items
    }

    private func eventLines() throws -> [[UInt8]] {
        var lines: [[UInt8]] = []
        while true {
            let more = try service.eventLines(
                of: run.name, from: Int64(lines.count) + 1, count: Self.lineCount)
            // Not what came after the run was looked up.
            lines += more.prefix(Int(clamping: run.eventCount) - lines.count).map { $0 + [10] }
            if more.isEmpty || lines.count >= run.eventCount { return lines }
        }
    }

    private func files(
        in tree: any ReadableTree, below: [[UInt8]]
    ) throws -> [ComposedTree.Item] {
        var items: [ComposedTree.Item] = []
        for track in RunTrack.allCases {
            let name = Array(track.rawValue.utf8)
            guard let top = try tree.resolve(run.name.directory + [name]) else { continue }
            var stack = [(path: below + [name], ordinal: top.ordinal, entry: top.entry)]
            while let next = stack.popLast() {
                let content = try content(of: next.entry, in: tree)
                guard let content else { continue }
                items.append(
                    ComposedTree.Item(
                        next.path, content, permissions: next.entry.mode & 0o777,
                        seconds: next.entry.seconds))
                guard next.entry.isDirectory else { continue }
                try tree.forEach(in: next.ordinal, next.entry, from: 0) { child, entry, name in
                    if !RunFile.isTemporary(name) {
                        stack.append((next.path + [Array(name)], child, entry))
                    }
                    return true
                }
            }
        }
        // In the order of their names, whatever the tree's is.
        return items.sorted { $0.path.lexicographicallyPrecedes($1.path) { $0.precedes($1) } }
    }

    /// Devices, fifos and sockets are nothing that a run has made.
    private func content(
        of entry: Entry, in tree: any ReadableTree
    ) throws -> ComposedTree.Content? {
        switch entry.kind {
        case .directory: .directory
        case .regular: .file(tree, entry)
        case .symbolicLink: .link(try tree.target(of: entry))
        case .fifo, .socket, .characterDevice, .blockDevice: nil
        }
    }

    // MARK: What is said of it

    private func time(_ seconds: Int64) -> EventValue { .text(Timestamp(seconds: seconds).rfc3339) }

    private func manifest() -> EventValue {
        var members: [String: EventValue] = [
            "schema_version": .number(1), "workspace_id": .text(workspace),
            "spec_id": .text(run.name.spec), "run_id": .text(run.name.run),
            "started_at": time(run.startedAt), "high_risk": .flag(run.isHighRisk),
            "capture_mode": .text(run.capture.rawValue), "sanitized": .flag(run.isSanitized),
            "event_count": .number(run.eventCount),
            "checkpoints": .list(run.checkpoints.map { .text($0.label) }),
        ]
        if let outcome = run.outcome { members["outcome"] = .text(outcome.rawValue) }
        if let end = run.finishedAt { members["finished_at"] = time(end) }
        return .object(members)
    }

    private func describe(_ checkpoint: RunCheckpoint, _ uris: [EventValue]) -> EventValue {
        var members: [String: EventValue] = [
            "checkpoint_id": .text("\(run.name.spec)_\(run.name.run)_\(checkpoint.label)"),
            "label": .text(checkpoint.label), "spec_id": .text(run.name.spec),
            "run_id": .text(run.name.run), "timestamp": time(checkpoint.seconds),
            "event_count": .number(checkpoint.sequence), "uri_index": .list(uris),
            "is_manual": .flag(checkpoint.label != LiveTree.finalLabel),
        ]
        if !checkpoint.stage.isEmpty { members["stage"] = .text(checkpoint.stage) }
        if !checkpoint.commit.isEmpty { members["commit_hash"] = .text(checkpoint.commit) }
        return .object(members)
    }

    /// The URI of a file and where it is in the folder. A name that is no UTF-8 has none.
    private func uri(of item: ComposedTree.Item, below count: Int) -> EventValue? {
        guard case .file(_, let entry) = item.content else { return nil }
        let parts = item.path.dropFirst(count)
        guard let uri = RunURI.file(Array(parts), of: run.name, in: workspace) else { return nil }
        return .object([
            "uri": .text(uri.text), "size": .number(Int64(clamping: entry.size)),
        ])
    }
}

extension [UInt8] {
    fileprivate func precedes(_ other: [UInt8]) -> Bool { lexicographicallyPrecedes(other) }
}
