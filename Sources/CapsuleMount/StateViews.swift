import CapsuleFormat
import CapsuleSystem
import CapsuleWorkspace
import FuseKit
import Glibc
import Synchronization

/// What a workspace remembers, in its mount: `.capsule`, which nobody can change and which the root
/// does not list.
///
///     .capsule/snapshots/NAME/   states that somebody kept
///     .capsule/timeline/TIME/    states that came by themselves
///     .capsule/imports/NAME/     capsules that were taken in
///     .capsule/runs/SPEC/RUN/    runs, with what they were at each checkpoint
///     .capsule/audit.jsonl       the audit log
///     .capsule/stats.json        what is stored, and for what
///
/// The upper 16 bits of a node say what it belongs to: 0 is the present tree, 65535 what is made up
/// here, anything between a state. So a file has another inode number in every state, and no
/// program takes two of them for one.
final class StateViews: Sendable {
    /// The name under which all this is found in the root.
    static let name = Array(".capsule".utf8)
    private static let shift: UInt64 = 48
    static let madeUp: UInt64 = 65535 << shift

    /// The directories that are made up here.
    private enum Directory: UInt64, CaseIterable {
        case top = 1
        case snapshots = 2
        case timeline = 3
        case imports = 4
        case runs = 5

        var node: UInt64 { StateViews.madeUp | rawValue }
        var name: [UInt8] { Array("\(self)".utf8) }

        init?(node: UInt64) {
            guard node & StateViews.madeUp == StateViews.madeUp else { return nil }
            self.init(rawValue: node & ~StateViews.madeUp)
        }
    }

    /// The directory of a work item's runs: this and its place among all work items.
    private static let firstSpec: UInt64 = madeUp | 1 << 40

    /// What a view shows.
    private enum Subject: Hashable {
        case state(Int64)
        /// An import, by its file.
        case imported(String)
        /// A run, as far as it has come.
        case run(RunName, events: Int64, checkpoints: Int)
    }

    private struct State {
        /// The number of each view.
        var numbers: [Subject: UInt64] = [:]
        var subjects: [UInt64: Subject] = [:]
        var views: [UInt64: SealedFileSystem] = [:]
        var next: UInt64 = 1
        /// Work items, in the order in which somebody first saw them.
        var specs: [String] = []

        /// A run that goes on has another view after every event: only the last few stay.
        mutating func dropOldest(of name: RunName) {
            let views = subjects.filter { _, subject in
                if case .run(name, _, _) = subject { true } else { false }
            }.keys.sorted()
            for number in views.dropLast(StateViews.runViewCountMax - 1) {
                if let subject = subjects.removeValue(forKey: number) { numbers[subject] = nil }
                self.views[number] = nil
            }
        }
    }

    private static let runViewCountMax = 4

    private let workspace: Workspace
    let generated: GeneratedFiles
    private let report: @Sendable (String) -> Void
    private let state = Mutex(State())

    init(_ workspace: Workspace, report: @escaping @Sendable (String) -> Void) {
        self.workspace = workspace
        self.report = report
        generated = GeneratedFiles(workspace.tree)
    }

    /// Whether a node is not of the present tree.
    static func owns(_ node: UInt64) -> Bool { node >> shift != 0 }

    /// The file system of the view that a node belongs to; nil for what is made up here.
    func view(of node: UInt64) -> SealedFileSystem? {
        let number = node >> Self.shift
        let (known, subject) = state.withLock { ($0.views[number], $0.subjects[number]) }
        if let known { return known }
        guard let subject, let made = try? make(subject, number) else { return nil }
        return made
    }

    /// States do not show something any more. Returns what the numbers of their nodes begin with,
    /// where there is anything: a node is this and the number of an inode.
    func didForget(_ replaced: ReplacedNames) -> [UInt64] {
        guard !replaced.pastNames.isEmpty else { return [] }
        return state.withLock { state in
            for view in state.views.values { (view.tree as? StateTree)?.didForget() }
            return state.numbers.values.map { $0 << Self.shift }
        }
    }

    /// The node of a view's root. The view is made when somebody looks into it.
    private func root(of subject: Subject) throws(WorkspaceError) -> UInt64 {
        let number = state.withLock { state in
            if let known = state.numbers[subject] { return known }
            if case .run(let name, _, _) = subject { state.dropOldest(of: name) }
            defer { state.next += 1 }
            state.numbers[subject] = state.next
            state.subjects[state.next] = subject
            return state.next
        }
        guard number < Self.madeUp >> Self.shift else { throw WorkspaceError(EMFILE) }
        return number << Self.shift | 1
    }

    private func make(
        _ subject: Subject, _ number: UInt64
    ) throws(WorkspaceError) -> SealedFileSystem {
        let tree = try tree(of: subject)
        let made = try? SealedFileSystem(
            tree, policy: MountPolicy(), firstNode: number << Self.shift | 1, report: report)
        guard let made else { throw WorkspaceError(EIO) }
        // Another thread may have been faster.
        return state.withLock { state in
            if let other = state.views[number] { return other }
            state.views[number] = made
            return made
        }
    }

    private func tree(of subject: Subject) throws(WorkspaceError) -> any ReadableTree {
        switch subject {
        case .state(let epoch):
            guard let state = try workspace.tree.states().first(where: { $0.epoch == epoch }) else {
                throw WorkspaceError(ESTALE)
            }
            return try StateTree(workspace, at: state)
        case .imported(let file):
            guard let entry = try workspace.imports().first(where: { $0.file == file }) else {
                throw WorkspaceError(ESTALE)
            }
            do throws(WorkspaceError) {
                return try workspace.importedTree(entry)
            } catch {
                report(error.message)
                throw error
            }
        case .run(let name, _, _):
            guard let run = try workspace.tree.runs().first(where: { $0.name == name }) else {
                throw WorkspaceError(ESTALE)
            }
            do {
                let folder = try RunFolder(run, in: workspace.tree) { [workspace] state in
                    try workspace.readableTree(at: state)
                }
                return ComposedTree(try folder.items(), seconds: run.startedAt)
            } catch {
                report("the run '\(name.run)' cannot be shown: \(error)")
                throw WorkspaceError(EIO)
            }
        }
    }

    // MARK: Answers

    /// `.capsule` as the answer to a lookup in the root.
    func lookUpTop(_ request: consuming FuseRequest) {
        request.reply(entry(Directory.top.node, FileTime(seconds: 0, nanoseconds: 0)))
    }

    private func entry(_ node: UInt64, _ time: FileTime) -> FuseEntry {
        var attributes = FuseAttributes()
        attributes.inode = node
        attributes.mode = Inode.Kind.directory | 0o555
        attributes.linkCount = 2
        attributes.seconds = time.seconds
        attributes.nanoseconds = time.nanoseconds
        // The kernel asks again: states come and go.
        return FuseEntry(node: node, attributes: attributes, timeout: 0)
    }

    /// Changes with everything that comes or goes, so that the kernel lists the directory anew.
    private func time(of list: [(name: [UInt8], subject: Subject)]) -> FileTime {
        var hash: UInt64 = UInt64(list.count)
        for byte in list.flatMap(\.name) { hash = (hash &* 31 &+ UInt64(byte)) % 1_000_000_000 }
        return FileTime(seconds: Int64(list.count), nanoseconds: UInt32(hash))
    }

    /// What a directory has: names, and what they show. Those of work items have nothing of their
    /// own.
    private func children(
        of node: UInt64
    ) throws(WorkspaceError) -> [(name: [UInt8], subject: Subject)]? {
        if let spec = spec(of: node) {
            return try workspace.tree.runs().filter { $0.name.spec == spec }.map {
                (
                    Array($0.name.run.utf8),
                    .run($0.name, events: $0.eventCount, checkpoints: $0.checkpoints.count)
                )
            }
        }
        switch Directory(node: node) {
        case .snapshots:
            return try states { $0.kind != .automatic }
        case .timeline:
            return try states { $0.kind == .automatic }
        case .imports:
            return try workspace.imports().map { (Array($0.name.utf8), .imported($0.file)) }
        case .top, .runs, nil: return nil
        }
    }

    private func states(
        _ isShown: (WorkspaceState) -> Bool
    ) throws(WorkspaceError) -> [(name: [UInt8], subject: Subject)] {
        try workspace.tree.states().filter(isShown).map {
            (Array($0.name.utf8), .state($0.epoch))
        }
    }

    // MARK: Work items

    private func spec(of node: UInt64) -> String? {
        guard node >= Self.firstSpec, node & ~Self.madeUp < 1 << 41 else { return nil }
        let place = node - Self.firstSpec
        return state.withLock { place < $0.specs.count ? $0.specs[Int(place)] : nil }
    }

    private func specs() throws(WorkspaceError) -> [(name: [UInt8], node: UInt64)] {
        let present = Set(try workspace.tree.runs().map(\.name.spec)).sorted()
        return state.withLock { state in
            present.map { spec in
                if !state.specs.contains(spec) { state.specs.append(spec) }
                let place = state.specs.firstIndex(of: spec) ?? 0
                return (Array(spec.utf8), Self.firstSpec | UInt64(place))
            }
        }
    }

    func lookup(
        _ request: consuming FuseRequest, parent: UInt64, name: UnsafeRawBufferPointer
    ) {
        if let view = view(of: parent) {
            return view.lookup(request, parent: parent, name: name)
        }
        do throws(WorkspaceError) {
            if let children = try children(of: parent) {
                guard let found = children.first(where: { name.elementsEqual($0.name) }) else {
                    return request.fail(ENOENT)
                }
                return request.reply(try shown(found.subject))
            }
            switch Directory(node: parent) {
            case .top:
                if let found = Directory.allCases.first(where: { name.elementsEqual($0.name) }),
                    found != .top
                {
                    return request.reply(try made(found.node))
                }
                guard let file = try generated.entry(name) else { return request.fail(ENOENT) }
                request.reply(file)
            case .runs:
                guard let found = try specs().first(where: { name.elementsEqual($0.name) }) else {
                    return request.fail(ENOENT)
                }
                request.reply(try made(found.node))
            default: request.fail(ESTALE)
            }
        } catch {
            request.fail(error.errno)
        }
    }

    /// A directory that is made up here.
    private func made(_ node: UInt64) throws(WorkspaceError) -> FuseEntry {
        let list = try children(of: node) ?? []
        let count = node == Directory.runs.node ? try specs().count : 0
        var time = time(of: list)
        time.seconds += Int64(count)
        return entry(node, time)
    }

    /// The root of a view. An import that is damaged says so here.
    private func shown(_ subject: Subject) throws(WorkspaceError) -> FuseEntry {
        let node = try root(of: subject)
        if case .imported = subject, view(of: node) == nil { throw WorkspaceError(EIO) }
        return entry(node, FileTime(seconds: 0, nanoseconds: 0))
    }

    func attributes(_ request: consuming FuseRequest, node: UInt64) {
        if let view = view(of: node) { return view.attributes(request, node: node) }
        if let file = generated.attributes(of: node) { return request.reply(file, timeout: 1e9) }
        guard Directory(node: node) != nil || spec(of: node) != nil else {
            return request.fail(ESTALE)
        }
        do throws(WorkspaceError) {
            request.reply(try made(node).attributes, timeout: 0)
        } catch {
            request.fail(error.errno)
        }
    }

    func readDirectory(
        _ request: consuming FuseRequest, node: UInt64, size: Int, offset: Int64, isPlus: Bool
    ) {
        if let view = view(of: node) {
            return view.readDirectory(
                request, node: node, size: size, offset: offset, isPlus: isPlus)
        }
        guard Directory(node: node) != nil || spec(of: node) != nil else {
            return request.fail(ESTALE)
        }
        do throws(WorkspaceError) {
            let list = try entries(of: node)
            var buffer = FuseDirectoryBuffer(for: request, capacity: size, isPlus: isPlus)
            for (index, item) in list.enumerated().dropFirst(Int(clamping: max(0, offset))) {
                let name = item.name.map { CChar(bitPattern: $0) } + [0]
                guard buffer.add(name: name, item.entry, next: Int64(index) + 1) else { break }
            }
            request.reply(buffer)
        } catch {
            request.fail(error.errno)
        }
    }

    private func entries(
        of node: UInt64
    ) throws(WorkspaceError) -> [(name: [UInt8], entry: FuseEntry)] {
        let directory = Directory(node: node)
        let above =
            switch directory {
            case .top: Inode.root
            case nil: Directory.runs.node
            default: Directory.top.node
            }
        let still = FileTime(seconds: 0, nanoseconds: 0)
        var list: [(name: [UInt8], entry: FuseEntry)] = [
            ([0x2e], try made(node)), ([0x2e, 0x2e], entry(above, still)),
        ]
        switch directory {
        case .top:
            for below in Directory.allCases where below != .top {
                list.append((below.name, try made(below.node)))
            }
            list += try generated.entries()
        case .runs:
            for spec in try specs() { list.append((spec.name, try made(spec.node))) }
        default:
            for child in try children(of: node) ?? [] {
                list.append((child.name, entry(try root(of: child.subject), still)))
            }
        }
        return list
    }
}
