import CapsuleStore
import Glibc

/// What of the tree belongs to runs. Nobody changes the files of one that has ended, and the
/// directories in which runs have their files keep their places: somebody else could else make
/// them anew.
///
/// Looked up when somebody changes anything and it is not known, so a workspace without runs pays
/// nothing. Only used with the lock of the tree held.
struct FrozenRuns {
    /// Of runs that have ended.
    fileprivate var inodes: Set<UInt64> = []
    /// Directories on the way to the files of runs.
    fileprivate var fixed: Set<UInt64> = []
    /// Names by directory that are not there and lead to the files of runs; whether one is the
    /// folder of a run that has ended.
    fileprivate var missing: [UInt64: [[UInt8]: Bool]] = [:]
    fileprivate var isKnown = false

    /// Other inodes may be theirs.
    mutating func forget() { isKnown = false }
}

extension LiveTree {
    /// Throws EROFS for an inode of a run that has ended.
    func refuseFrozen(_ number: UInt64, _ other: UInt64 = 0) throws(WorkspaceError) {
        if !frozen.isKnown { try findFrozen() }
        guard !frozen.inodes.isEmpty,
            frozen.inodes.contains(number) || frozen.inodes.contains(other)
        else { return }
        throw WorkspaceError.refusal(EROFS, "the run has ended, and its files stay as they are")
    }

    /// Throws EBUSY for a directory in which runs have their files: it keeps its name.
    func refuseFixed(_ number: UInt64, _ other: UInt64 = 0) throws(WorkspaceError) {
        if !frozen.isKnown { try findFrozen() }
        guard frozen.fixed.contains(number) || frozen.fixed.contains(other) else { return }
        throw WorkspaceError.refusal(EBUSY, "runs have their files in the directory")
    }

    /// A name that is not there shall be. Throws EROFS for the folder of a run that has ended, and
    /// EBUSY for anything but a new directory on the way to the folder of a run.
    func refuseForged(
        _ name: [UInt8], in parent: UInt64, isNewDirectory: Bool
    ) throws(WorkspaceError) {
        if !frozen.isKnown { try findFrozen() }
        guard !frozen.missing.isEmpty, let isEnded = frozen.missing[parent]?[name] else { return }
        if isEnded {
            throw WorkspaceError.refusal(EROFS, "the run has ended, and has no folder here")
        }
        guard isNewDirectory else {
            throw WorkspaceError.refusal(EBUSY, "runs have their files below this name")
        }
        frozen.forget()
    }

    private func findFrozen() throws(WorkspaceError) {
        frozen = FrozenRuns()
        for run in try stored(listRuns) { try find(run) }
        frozen.isKnown = true
    }

    /// A run has begun, or ended.
    func noteChanged(_ run: Run) throws(WorkspaceError) {
        if frozen.isKnown { try find(run) }
    }

    private func find(_ run: Run) throws(WorkspaceError) {
        let isEnded = run.outcome != nil
        var parent = Inode.root
        for (index, name) in run.name.directory.enumerated() {
            guard let next = try place(name, in: parent) else {
                let isFolder = index == run.name.directory.count - 1
                let before = frozen.missing[parent]?[name] ?? false
                frozen.missing[parent, default: [:]][name] = before || isFolder && isEnded
                return
            }
            frozen.fixed.insert(next)
            parent = next
        }
        for track in RunTrack.allCases {
            let name = Array(track.rawValue.utf8)
            if let next = try place(name, in: parent) {
                frozen.fixed.insert(next)
            } else {
                frozen.missing[parent, default: [:]][name] = isEnded
            }
        }
        guard isEnded else { return }
        let top = parent
        let below = try stored { () throws(StoreError) in try entries(below: top) }
        frozen.inodes.insert(top)
        frozen.inodes.formUnion(below.keys)
    }

    private func place(_ name: [UInt8], in parent: UInt64) throws(WorkspaceError) -> UInt64? {
        try stored { () throws(StoreError) in try names.find(name, in: parent) }
    }

    /// Everything below a directory, each with one of its names.
    private func entries(
        below top: UInt64
    ) throws(StoreError) -> [UInt64: ReplacedNames.Name] {
        let rows = try Statement(
            database,
            """
            WITH RECURSIVE below(number) AS (
              SELECT ?1 UNION SELECT child FROM entry JOIN below ON parent = number)
            SELECT parent, name, child FROM entry JOIN below ON parent = number
            """
        ).bind(1, Int64(bitPattern: top)).all {
            (
                UInt64(bitPattern: $0.integer(2)),
                ReplacedNames.Name(
                    parent: UInt64(bitPattern: $0.integer(0)), name: $0.bytes(1))
            )
        }
        return Dictionary(rows) { first, _ in first }
    }
}

/// The end of a run, for those who have its files open.
extension LiveTree {
    /// The files of a run that are open for writing: what the kernel has of them, or takes from
    /// now on, is not what is stored.
    func openForWriting(in name: RunName) throws(WorkspaceError) -> ReplacedNames {
        var replaced = ReplacedNames()
        guard !writers.isEmpty else { return replaced }
        var top = Inode.root
        for name in name.directory {
            guard let next = try place(name, in: top) else { return replaced }
            top = next
        }
        let folder = top
        let found = try stored { () throws(StoreError) in try entries(below: folder) }
        for number in writers.keys {
            guard var place = found[number] else { continue }
            replaced.names.append(place)
            replaced.inodes.append(number)
            var path = [place.name]
            while place.parent != top, let above = found[place.parent] {
                path.append(above.name)
                place = above
            }
            replaced.renewed.append(
                ReplacedNames.Renewed(
                    inode: number, path: name.directory + Array(path.reversed())))
        }
        return replaced
    }
}
