import CapsuleSystem
import CapsuleWorkspace
import FuseKit
import Glibc
import Synchronization

/// A workspace as a file system that can be written to.
///
/// A node is an inode's number. The driver is the only one who changes the tree, and only on behalf
/// of the kernel, so the kernel may keep every answer. Size and times of a file that is open for
/// writing it keeps itself, and tells us later.
public final class WorkspaceFileSystem: MountedFileSystem {
    private let workspace: Workspace
    let tree: LiveTree
    let buffers = BufferPool()
    let views: StateViews
    private let lastRequest = Atomic<UInt64>(0)
    private let isAttached = Atomic(false)
    private let session = Mutex<FuseSession?>(nil)
    private let control = Mutex<ControlServer?>(nil)
    /// Whether the kernel is writing a file back for a seek.
    private let isWritingBack = Atomic(false)
    /// How often each file was renewed.
    private let generations = Mutex<[UInt64: UInt64]>([:])
    /// Files of which the kernel has pages that were not taken.
    private let refused = WorkQueue<UInt64>(capacity: 4096)

    /// How long the kernel may keep an answer, in seconds: for ever.
    private static let timeout = 1e9

    private let mountPoint: String
    /// Seconds of change after which a point of the timeline is kept; 0 keeps none.
    private let pointInterval: Int64

    /// A file system over an opened workspace.
    ///
    /// - Parameter pointInterval: seconds of change after which a point of the timeline is kept; 0
    ///   keeps none.
    public init(_ workspace: Workspace, mountPoint: String, pointInterval: Int64) {
        self.workspace = workspace
        self.mountPoint = mountPoint
        self.pointInterval = pointInterval
        tree = workspace.tree
        views = StateViews(workspace, report: workspace.tree.report)
    }

    /// Whether a name of the root is not the tree's own.
    func isReserved(_ name: UnsafeRawBufferPointer, in parent: UInt64) -> Bool {
        parent == Inode.root && name.elementsEqual(StateViews.name)
    }

    /// Whether a name lies where nobody may change anything.
    func isFixed(_ name: UnsafeRawBufferPointer, in parent: UInt64) -> Bool {
        StateViews.owns(parent) || isReserved(name, in: parent)
    }

    // MARK: The driver's side

    /// Seconds without a request.
    public var idleSeconds: Double {
        Environment.monotonicSeconds() - Double(bitPattern: lastRequest.load(ordering: .relaxed))
    }

    /// Commits what is old, keeps points, gives space back and answers the other verbs, from now
    /// on.
    public func attach(_ session: FuseSession) {
        if tree.isReadOnly { return }
        tree.onReplacement { [weak self] in self?.invalidate($0) }
        // A failure is reported where it happens, and must not keep anybody from their files.
        try? workspace.noteMounted(at: mountPoint)
        control.withLock { $0 = workspace.listen() }
        self.session.withLock { $0 = session }
        isAttached.store(true, ordering: .releasing)
        _ = Worker { [refused] in
            while let node = refused.pop() { _ = session.invalidate(node: node) }
        }
        _ = Worker { [weak self] in
            var round = 0
            while let self, isAttached.load(ordering: .acquiring) {
                tree.commitIfDue()
                round += 1
                if round % Self.roundsPerUpkeep == 0 { upkeep() }
                usleep(Self.commitPauseMicroseconds)
            }
        }
    }

    private static let commitPauseMicroseconds: UInt32 = 500_000
    private static let roundsPerUpkeep = 4

    /// What keeps a workspace in order while it is mounted.
    private func upkeep() {
        _ = try? tree.keepPoint(interval: pointInterval)
        if let space = try? workspace.space() { try? tree.reclaimIfDue(space: space) }
    }

    /// The tree was changed by somebody else than the kernel.
    private func invalidate(_ replaced: ReplacedNames) {
        let bases = views.didForget(replaced)
        generations.withLock { generations in
            for file in replaced.renewed { generations[file.inode, default: 0] += 1 }
        }
        guard let session = session.withLock({ $0 }) else { return }
        for place in replaced.names { session.invalidate(name: place.name, in: place.parent) }
        for node in replaced.inodes { _ = session.invalidate(node: node) }
        for file in replaced.renewed { lookUp(file.path) }
        for base in bases {
            for place in replaced.pastNames {
                session.invalidate(name: place.name, in: base | place.parent)
            }
            for node in replaced.pastInodes { _ = session.invalidate(node: base | node) }
        }
    }

    /// Lets the kernel ask what is at a path: it finds a file that was renewed, and whoever has the
    /// old one open gets EIO at once instead of being told that it took what is written.
    private func lookUp(_ path: [[UInt8]]) {
        let bytes = Array(mountPoint.utf8) + path.flatMap { [0x2f] + $0 } + [0]
        var facts = stat()
        bytes.withUnsafeBytes { bytes in
            guard let text = bytes.baseAddress?.assumingMemoryBound(to: CChar.self) else { return }
            _ = lstat(text, &facts)
        }
    }

    /// What was written to a file was refused, after the kernel had said that it was taken: it must
    /// not be shown. By another thread, as this one may have to answer for the rest of it.
    func dropPages(of node: UInt64) { _ = refused.tryPush(node) }

    /// Stores everything.
    public func detach() -> Bool {
        let wasAttached = isAttached.exchange(false, ordering: .acquiringAndReleasing)
        session.withLock { $0 = nil }
        refused.close()
        control.withLock { control in
            control?.stop()
            control = nil
        }
        if wasAttached {
            _ = try? tree.keepPoint(interval: pointInterval, isEnd: true)
            try? workspace.noteUnmounted()
        }
        // `close` reports what fails.
        return (try? workspace.close()) != nil
    }

    /// Nothing to do.
    public func warmUp() {}

    /// As `FuseFileSystem` says.
    public func start(_ connection: FuseConnection) {
        for capability: FuseConnection.Capability in [
            .readDirectoryPlus, .readDirectoryPlusAuto, .parallelDirectoryOperations,
            .cacheSymlinks, .asynchronousRead, .noOpenDirectory, .writebackCache, .dontMask,
            .posixACL, .exportable,
        ] {
            connection.want(capability)
        }
        connection.refuse(.spliceRead)
        connection.refuse(.handlesPrivileges)
        // The kernel does not drop pages that somebody reads during an asynchronous direct write.
        connection.refuse(.asynchronousDirect)
        // libfuse asks for it by default.
        connection.refuse(.truncatesOnOpen)
    }

    /// As `FuseFileSystem` says.
    public func willServe() {
        lastRequest.store(Environment.monotonicSeconds().bitPattern, ordering: .relaxed)
    }

    /// Lets the kernel tell what it has of a file. Not while this is under way for another one: the
    /// threads that wait must not be all there are.
    func writeBack(_ node: UInt64) -> Bool {
        guard let session = session.withLock({ $0 }) else { return false }
        guard !isWritingBack.exchange(true, ordering: .acquiringAndReleasing) else { return false }
        defer { isWritingBack.store(false, ordering: .releasing) }
        let outcome = Outcome()
        Worker { outcome.isDone.store(session.invalidate(node: node), ordering: .releasing) }.join()
        return outcome.isDone.load(ordering: .acquiring)
    }

    /// The kernel does not know that a request has changed more than what it asked for.
    func forgetAttributes(of node: UInt64) {
        session.withLock { $0 }?.invalidateAttributes(node: node)
    }

    private final class Outcome: Sendable {
        let isDone = Atomic(false)
    }

    // MARK: Attributes

    private func shown(_ inode: Inode) -> FuseAttributes {
        var result = FuseAttributes()
        result.inode = inode.number
        result.mode = inode.mode
        result.linkCount = inode.linkCount
        result.uid = inode.uid
        result.gid = inode.gid
        result.device = inode.device
        result.size = inode.size
        result.blocks = (inode.storedSize + 511) / 512
        // The kernel asks for the blocks anew when somebody closes the file. Until then it must
        // not look like one that has none: GNU tar would take all of it for a hole. Whoever sees
        // few blocks looks for holes, and `seek` has the contents written back first.
        if tree.mayBeDirty(inode.number) { result.blocks = max(1, result.blocks) }
        result.seconds = inode.modified.seconds
        result.nanoseconds = inode.modified.nanoseconds
        result.accessed = (inode.accessed.seconds, inode.accessed.nanoseconds)
        result.changed = (inode.changed.seconds, inode.changed.nanoseconds)
        return result
    }

    func entry(_ inode: Inode) -> FuseEntry {
        var entry = FuseEntry(
            node: inode.number, attributes: shown(inode), timeout: Self.timeout)
        entry.generation = generations.withLock { $0[inode.number] ?? 0 }
        return entry
    }

    /// Answers with an inode that the kernel has to know from now on.
    func tell(_ request: consuming FuseRequest, _ inode: Inode) {
        tree.didTell(inode.number)
        request.reply(entry(inode))
    }

    /// As `FuseFileSystem` says.
    public func lookup(
        _ request: consuming FuseRequest, parent: UInt64, name: UnsafeRawBufferPointer
    ) {
        if StateViews.owns(parent) {
            return views.lookup(request, parent: parent, name: name)
        }
        if isReserved(name, in: parent) { return views.lookUpTop(request) }
        do throws(WorkspaceError) {
            guard let found = try tree.lookup(Array(name), in: parent) else {
                return request.reply(
                    FuseEntry(node: 0, attributes: FuseAttributes(), timeout: Self.timeout))
            }
            tell(request, found)
        } catch {
            request.fail(error.errno)
        }
    }

    /// As `FuseFileSystem` says.
    public func attributes(_ request: consuming FuseRequest, node: UInt64) {
        if StateViews.owns(node) { return views.attributes(request, node: node) }
        do throws(WorkspaceError) {
            let inode = try tree.attributes(of: node)
            request.reply(shown(inode), timeout: Self.timeout)
        } catch {
            request.fail(error.errno)
        }
    }

    /// As `WritableFileSystem` says.
    public func change(
        _ request: consuming FuseRequest, node: UInt64, _ changes: FuseChanges
    ) {
        if StateViews.owns(node) { return request.fail(EROFS) }
        var wanted = AttributeChanges()
        wanted.mode = changes.mode
        wanted.uid = changes.uid
        wanted.gid = changes.gid
        wanted.size = changes.size
        wanted.accessed = changes.accessed.map(Self.time)
        wanted.modified = changes.modified.map(Self.time)
        wanted.changed = changes.changed.map(Self.time)
        do throws(WorkspaceError) {
            let inode = try tree.change(node, wanted)
            request.reply(shown(inode), timeout: Self.timeout)
        } catch {
            request.fail(error.errno)
        }
    }

    private static func time(_ time: FuseTime) -> FileTime {
        switch time {
        case .now: FileTime.now
        case .at(let seconds, let nanoseconds):
            FileTime(seconds: seconds, nanoseconds: nanoseconds)
        }
    }

    /// As `FuseFileSystem` says.
    public func readLink(_ request: consuming FuseRequest, node: UInt64) {
        if let view = views.view(of: node) { return view.readLink(request, node: node) }
        do throws(WorkspaceError) {
            let target = try tree.target(of: node)
            request.reply(target: target)
        } catch {
            request.fail(error.errno)
        }
    }

    /// As `FuseFileSystem` says.
    public func readDirectory(
        _ request: consuming FuseRequest, node: UInt64, size: Int, offset: Int64, isPlus: Bool
    ) {
        if StateViews.owns(node) {
            return views.readDirectory(
                request, node: node, size: size, offset: offset, isPlus: isPlus)
        }
        do throws(WorkspaceError) {
            // What an entry with a short name takes at least.
            let count = size / (isPlus ? 160 : 32) + 1
            let list = try tree.entries(of: node, after: offset, count: count)
            var buffer = FuseDirectoryBuffer(for: request, capacity: size, isPlus: isPlus)
            for listed in list {
                let name = listed.name.map { CChar(bitPattern: $0) } + [0]
                guard buffer.add(name: name, entry(listed.inode), next: listed.next) else { break }
                // The kernel counts these as lookups, but for the two that every directory has.
                if isPlus, listed.next > 2 { tree.didTell(listed.inode.number) }
            }
            request.reply(buffer)
        } catch {
            request.fail(error.errno)
        }
    }

    /// Bytes that may still be written.
    func freeSpace() throws(WorkspaceError) -> UInt64 { try workspace.space().free }

    /// As `FuseFileSystem` says.
    public func facts(_ request: consuming FuseRequest) {
        do throws(WorkspaceError) {
            let space = try workspace.space()
            var facts = FuseFacts(totalSize: space.total, inodeCount: space.total / 512)
            facts.freeSize = space.free
            request.reply(facts)
        } catch {
            request.fail(error.errno)
        }
    }
}
