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

        var node: UInt64 { StateViews.madeUp | rawValue }
        var name: [UInt8] { Array("\(self)".utf8) }

        init?(node: UInt64) {
            guard node & StateViews.madeUp == StateViews.madeUp else { return nil }
            self.init(rawValue: node & ~StateViews.madeUp)
        }

        /// Whether it has a directory for a state.
        func shows(_ state: WorkspaceState) -> Bool {
            switch self {
            case .top: false
            case .snapshots: state.kind != .automatic
            case .timeline: state.kind == .automatic
            }
        }
    }

    private struct State {
        /// The number of each state's view, by its epoch.
        var numbers: [Int64: UInt64] = [:]
        var views: [UInt64: SealedFileSystem] = [:]
        var next: UInt64 = 1
    }

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

    /// The file system of the state that a node belongs to; nil for what is made up here.
    func view(of node: UInt64) -> SealedFileSystem? {
        state.withLock { $0.views[node >> Self.shift] }
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

    /// The node of a state's root.
    private func root(of wanted: WorkspaceState) throws(WorkspaceError) -> UInt64 {
        let known = state.withLock { $0.numbers[wanted.epoch] }
        if let known { return known << Self.shift | 1 }
        let number = state.withLock { state in
            defer { state.next += 1 }
            return state.next
        }
        guard number < Self.madeUp >> Self.shift else { throw WorkspaceError(EMFILE) }
        let first = number << Self.shift | 1
        let tree = try StateTree(workspace, at: wanted)
        let made = try? SealedFileSystem(
            tree, policy: MountPolicy(), firstNode: first, report: report)
        guard let made else { throw WorkspaceError(EIO) }
        // Another thread may have been faster: one state has one number.
        let kept = state.withLock { state in
            if let other = state.numbers[wanted.epoch] { return other }
            state.numbers[wanted.epoch] = number
            state.views[number] = made
            return number
        }
        return kept << Self.shift | 1
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

    /// Changes with every state that comes or goes, so that the kernel lists the directory anew.
    private func time(_ states: [WorkspaceState]) -> FileTime {
        let epochs = states.reduce(UInt64(0)) { $0 &+ UInt64(bitPattern: $1.epoch) }
        return FileTime(
            seconds: states.last?.seconds ?? 0,
            nanoseconds: UInt32((epochs &* 1000 &+ UInt64(states.count)) % 1_000_000_000))
    }

    private func stateEntry(_ state: WorkspaceState) throws(WorkspaceError) -> FuseEntry {
        entry(try root(of: state), FileTime(seconds: state.seconds, nanoseconds: 0))
    }

    func lookup(
        _ request: consuming FuseRequest, parent: UInt64, name: UnsafeRawBufferPointer
    ) {
        if let view = view(of: parent) {
            return view.lookup(request, parent: parent, name: name)
        }
        guard let directory = Directory(node: parent) else { return request.fail(ESTALE) }
        do throws(WorkspaceError) {
            if directory == .top {
                if let found = Directory.allCases.first(where: { name.elementsEqual($0.name) }),
                    found != .top
                {
                    return request.reply(entry(found.node, time(try workspace.tree.states())))
                }
                guard let file = try generated.entry(name) else { return request.fail(ENOENT) }
                return request.reply(file)
            }
            let found = try workspace.tree.states().first {
                directory.shows($0) && name.elementsEqual($0.name.utf8)
            }
            guard let found else { return request.fail(ENOENT) }
            request.reply(try stateEntry(found))
        } catch {
            request.fail(error.errno)
        }
    }

    func attributes(_ request: consuming FuseRequest, node: UInt64) {
        if let view = view(of: node) { return view.attributes(request, node: node) }
        if let file = generated.attributes(of: node) { return request.reply(file, timeout: 1e9) }
        guard Directory(node: node) != nil else { return request.fail(ESTALE) }
        do throws(WorkspaceError) {
            let time = time(try workspace.tree.states())
            request.reply(entry(node, time).attributes, timeout: 0)
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
        guard let directory = Directory(node: node) else { return request.fail(ESTALE) }
        do throws(WorkspaceError) {
            let list = try entries(of: directory)
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
        of directory: Directory
    ) throws(WorkspaceError) -> [(name: [UInt8], entry: FuseEntry)] {
        let states = try workspace.tree.states()
        let time = time(states)
        let above = directory == .top ? Inode.root : Directory.top.node
        var list: [(name: [UInt8], entry: FuseEntry)] = [
            ([0x2e], entry(directory.node, time)), ([0x2e, 0x2e], entry(above, time)),
        ]
        if directory == .top {
            for below in Directory.allCases where below != .top {
                list.append((below.name, entry(below.node, time)))
            }
            return list + (try generated.entries())
        }
        for state in states where directory.shows(state) {
            list.append((Array(state.name.utf8), try stateEntry(state)))
        }
        return list
    }
}
