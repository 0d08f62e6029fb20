import CapsuleStore
import Glibc

/// The directories and files of runs that have ended: nobody changes them.
///
/// Looked up when somebody changes anything and it is not known, so a workspace without runs that
/// ended pays nothing. Only used with the lock of the tree held.
struct FrozenRuns {
    fileprivate var inodes: Set<UInt64> = []
    fileprivate var isKnown = false

    /// Other inodes may be theirs.
    mutating func forget() { isKnown = false }
}

extension LiveTree {
    /// Throws EROFS for an inode of a run that has ended; the caller is changing the tree.
    func refuseFrozen(_ number: UInt64, _ other: UInt64 = 0) throws(WorkspaceError) {
        if !frozen.isKnown { try findFrozen() }
        guard !frozen.inodes.isEmpty,
            frozen.inodes.contains(number) || frozen.inodes.contains(other)
        else { return }
        throw WorkspaceError.refusal(EROFS, "the run has ended, and its files stay as they are")
    }

    private func findFrozen() throws(WorkspaceError) {
        var found: Set<UInt64> = []
        for run in try stored(listRuns) where run.outcome != nil {
            var place: UInt64? = Inode.root
            for name in run.name.directory {
                guard let parent = place else { break }
                place = try stored { () throws(StoreError) in try names.find(name, in: parent) }
            }
            guard let top = place else { continue }
            let below = try stored { () throws(StoreError) in
                try Statement(
                    database,
                    """
                    WITH RECURSIVE below(number) AS (
                      SELECT ?1 UNION SELECT child FROM entry JOIN below ON parent = number)
                    SELECT number FROM below
                    """
                ).bind(1, Int64(bitPattern: top)).all { UInt64(bitPattern: $0.integer(0)) }
            }
            found.formUnion(below)
        }
        frozen.inodes = found
        frozen.isKnown = true
    }
}
