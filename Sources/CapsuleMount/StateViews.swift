import CapsuleFormat
import CapsuleSystem
import CapsuleWorkspace
import FuseKit
import Glibc
import Synchronization

/// The states of a workspace as directories of its mount: `.capsule/snapshots/NAME`, which nobody
/// can change and which the root does not list.
///
/// The upper 16 bits of a node say what it belongs to: 0 is the present tree, 65535 the directories
/// that are made up here, anything between a state. So a file has another inode number in every
/// state, and no program takes two of them for one.
final class StateViews: Sendable {
    /// The name under which all this is found in the root.
    static let name = Array(".capsule".utf8)
    private static let snapshotsName = Array("snapshots".utf8)
    private static let shift: UInt64 = 48
    private static let madeUp: UInt64 = 65535 << shift
    /// `.capsule` itself.
    private static let top = madeUp | 1
    private static let snapshots = madeUp | 2

    private struct State {
        /// The number of each state's view, by its epoch.
        var numbers: [Int64: UInt64] = [:]
        var views: [UInt64: SealedFileSystem] = [:]
    }

    private let workspace: Workspace
    private let report: @Sendable (String) -> Void
    private let state = Mutex(State())

    init(_ workspace: Workspace, report: @escaping @Sendable (String) -> Void) {
        self.workspace = workspace
        self.report = report
    }

    /// Whether a node is not of the present tree.
    static func owns(_ node: UInt64) -> Bool { node >> shift != 0 }

    /// The file system of the state that a node belongs to; nil for the directories made up here.
    func view(of node: UInt64) -> SealedFileSystem? {
        state.withLock { $0.views[node >> Self.shift] }
    }

    /// The node of a state's root.
    private func root(of wanted: WorkspaceState) throws(WorkspaceError) -> UInt64 {
        let number = state.withLock { state -> UInt64 in
            let next = UInt64(state.numbers.count) + 1
            return state.numbers[wanted.epoch] ?? next
        }
        guard number < Self.madeUp >> Self.shift else { throw WorkspaceError(EMFILE) }
        let first = number << Self.shift | 1
        if view(of: first) != nil { return first }
        let tree = try StateTree(workspace, at: wanted)
        let made = try? SealedFileSystem(
            tree, policy: MountPolicy(), firstNode: first, report: report)
        guard let made else { throw WorkspaceError(EIO) }
        state.withLock { state in
            state.numbers[wanted.epoch] = number
            state.views[number] = made
        }
        return first
    }

    // MARK: Answers

    /// `.capsule` as the answer to a lookup in the root.
    func lookUpTop(_ request: consuming FuseRequest) {
        request.reply(entry(Self.top, FileTime(seconds: 0, nanoseconds: 0)))
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
        do throws(WorkspaceError) {
            let states = try workspace.tree.states()
            if parent == Self.top, name.elementsEqual(Self.snapshotsName) {
                return request.reply(entry(Self.snapshots, time(states)))
            }
            let found = states.first { name.elementsEqual($0.name.utf8) }
            guard parent == Self.snapshots, let found else { return request.fail(ENOENT) }
            request.reply(try stateEntry(found))
        } catch {
            request.fail(error.errno)
        }
    }

    func attributes(_ request: consuming FuseRequest, node: UInt64) {
        if let view = view(of: node) { return view.attributes(request, node: node) }
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
        do throws(WorkspaceError) {
            let states = try workspace.tree.states()
            let time = time(states)
            let above = node == Self.snapshots ? Self.top : Inode.root
            var list: [(name: [UInt8], entry: FuseEntry)] = [
                ([0x2e], entry(node, time)),
                ([0x2e, 0x2e], entry(above, time)),
            ]
            if node == Self.top {
                list.append((Self.snapshotsName, entry(Self.snapshots, time)))
            } else {
                for state in states {
                    list.append((Array(state.name.utf8), try stateEntry(state)))
                }
            }
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
}
