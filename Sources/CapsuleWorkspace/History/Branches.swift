import CapsuleStore
import CapsuleSystem
import Glibc

/// A line of states. One branch is the present one; each of the others is the state that it was
/// left in.
public struct WorkspaceBranch: Equatable, Sendable {
    /// The name, UTF-8.
    public let name: String
    /// Whether the present tree is this branch.
    public let isCurrent: Bool
    /// The state at its end; empty of the current one.
    public let state: String

    /// A branch.
    public init(name: String, isCurrent: Bool, state: String) {
        self.name = name
        self.isCurrent = isCurrent
        self.state = state
    }
}

extension LiveTree {
    struct BranchRow {
        let number: Int64
        let name: String
        let head: Int64
    }

    func listBranches() throws(StoreError) -> [BranchRow] {
        try Statement(
            database, "SELECT number, name, coalesce(head, 0) FROM branch ORDER BY name"
        ).all { BranchRow(number: $0.integer(0), name: $0.text(1), head: $0.integer(2)) }
    }

    func currentBranch() throws(StoreError) -> BranchRow {
        let number = try fact("branch")
        guard let found = try listBranches().first(where: { $0.number == number }) else {
            throw StoreError(.damaged, "the present branch is not in the database", errno: EIO)
        }
        return found
    }

    /// The branches, by name.
    public func branches() throws(WorkspaceError) -> [WorkspaceBranch] {
        try locked { () throws(WorkspaceError) in
            try stored { () throws(StoreError) in
                let current = try currentBranch().number
                let states = try listStates()
                return try listBranches().map { row in
                    WorkspaceBranch(
                        name: row.name, isCurrent: row.number == current,
                        state: states.first { $0.epoch == row.head }?.name ?? "")
                }
            }
        }
    }

    private func branch(_ name: String) throws(WorkspaceError) -> BranchRow {
        let found = try stored(listBranches).first { $0.name == name }
        guard let found else {
            throw WorkspaceError.refusal(ENOENT, "there is no branch '\(name)'")
        }
        return found
    }

    /// Makes a branch at a state, or at the present one, which is kept for it. Throws EEXIST,
    /// EINVAL, ENOENT.
    public func makeBranch(_ name: String, at state: String?) throws(WorkspaceError) {
        guard Self.isValidStateName(name) else {
            throw WorkspaceError.refusal(EINVAL, "'\(name)' cannot name a branch")
        }
        try changing { () throws(WorkspaceError) in
            if try stored(listBranches).contains(where: { $0.name == name }) {
                throw WorkspaceError.refusal(EEXIST, "there is a branch '\(name)' already")
            }
            let head: WorkspaceState
            if let state {
                head = try keptState(state)
            } else {
                head = try insertState(nil, kind: .automatic)
            }
            try stored { () throws(StoreError) in
                try Statement(database, "INSERT INTO branch(name, head) VALUES (?1, ?2)")
                    .bind(1, Array(name.utf8)).bind(2, head.epoch).run()
            }
            try record(.branchCreated, ["name": .text(name), "state": .text(head.name)])
        }
        try commit()
    }

    /// Forgets a branch; its states stay. Throws ENOENT, EINVAL for the current one.
    public func dropBranch(_ name: String) throws(WorkspaceError) {
        try changing { () throws(WorkspaceError) in
            let row = try branch(name)
            guard row.number != (try stored(currentBranch).number) else {
                throw WorkspaceError.refusal(
                    EINVAL, "'\(name)' is the present branch: switch first")
            }
            try stored { () throws(StoreError) in
                try Statement(database, "DELETE FROM branch WHERE number = ?1")
                    .bind(1, row.number).run()
            }
            try record(.branchDeleted, ["name": .text(name)])
        }
        try commit()
    }

    /// Leaves the present branch in the state that it is in, and goes on with another one. Throws
    /// EBUSY while a run goes on, whose files are on the branch on which it began, and while files
    /// are open for writing, or open and deleted.
    public func switchBranch(_ name: String) throws(WorkspaceError) {
        var replaced = ReplacedNames()
        try changing { () throws(WorkspaceError) in
            let row = try branch(name)
            let current = try stored(currentBranch)
            if row.number == current.number { return }
            guard try stored(listStates).contains(where: { $0.epoch == row.head }) else {
                throw WorkspaceError.refusal(ENOENT, "the state of the branch '\(name)' is gone")
            }
            try requireNoRun(on: current.name)
            try requireNobodyWrites()
            try stored { () throws(StoreError) in
                try inodes.flush(epoch: epoch)
                replaced = try difference(to: row.head)
            }
            let open = replaced.inodes.count { opened[$0] != nil }
            guard open == 0 else {
                throw Self.open(open, "open and another there")
            }
            let left = try insertState(nil, kind: .automatic)
            try stored { () throws(StoreError) in
                try become(row.head)
                // The kernel keeps sizes and times of files by itself, as long as it knows them by
                // a name.
                replaced.names += try namesOfReborn()
                let update = try Statement(
                    database, "UPDATE branch SET head = ?2 WHERE number = ?1")
                try update.bind(1, current.number).bind(2, left.epoch).run()
                try Statement(database, "UPDATE branch SET head = NULL WHERE number = ?1")
                    .bind(1, row.number).run()
                try set("branch", row.number)
            }
            try record(.branchSwitched, ["from": .text(current.name), "to": .text(name)])
            isReplacing = true
            frozen.forget()
        }
        defer { exclusively { isReplacing = false } }
        try commit()
        tellReplaced(replaced)
    }

    private func requireNoRun(on branch: String) throws(WorkspaceError) {
        let runs = try stored(listRuns).filter { $0.outcome == nil }
        guard let first = runs.first?.name else { return }
        let others = runs.count > 1 ? ", as do \(runs.count - 1) others" : ""
        throw WorkspaceError.refusal(
            EBUSY,
            "the run '\(first.run)' of '\(first.spec)' goes on\(others), and its files are on the "
                + "branch '\(branch)': end it first, with 'capsule run finish'")
    }

    private func requireNobodyWrites() throws(WorkspaceError) {
        guard writers.isEmpty else {
            throw Self.open(writers.count, "open for writing")
        }
        guard orphans.isEmpty else {
            throw Self.open(orphans.count, "deleted and still open")
        }
    }

    private static func open(_ count: Int, _ manner: String) -> WorkspaceError {
        WorkspaceError.refusal(
            EBUSY,
            "\(count) \(count == 1 ? "file is" : "files are") \(manner): close what lsof(8) shows "
                + "in the mount")
    }

    /// The names that stand for something else in an older epoch, and the inodes that are others.
    private func difference(to state: Int64) throws(StoreError) -> ReplacedNames {
        var replaced = ReplacedNames()
        _ = try Statement(
            database,
            """
            SELECT parent, name FROM entry WHERE born > ?1
            UNION SELECT parent, name FROM past_entry WHERE born <= ?1 AND died > ?1
            """
        ).bind(1, state).all {
            replaced.names.append(
                ReplacedNames.Name(parent: UInt64(bitPattern: $0.integer(0)), name: $0.bytes(1)))
        }
        _ = try Statement(
            database,
            """
            SELECT number FROM inode WHERE born > ?1
            UNION SELECT number FROM past_inode WHERE born <= ?1 AND died > ?1
            """
        ).bind(1, state).all { replaced.inodes.append(UInt64(bitPattern: $0.integer(0))) }
        return replaced
    }

    /// The names of inodes that became others in this epoch.
    private func namesOfReborn() throws(StoreError) -> [ReplacedNames.Name] {
        try Statement(
            database,
            """
            SELECT entry.parent, name FROM entry JOIN inode ON number = child WHERE inode.born = ?1
            """
        ).bind(1, epoch).all {
            ReplacedNames.Name(parent: UInt64(bitPattern: $0.integer(0)), name: $0.bytes(1))
        }
    }

    /// Makes the present tree that of an older epoch, row by row; the present one must be kept in a
    /// state.
    private func become(_ state: Int64) throws(StoreError) {
        let tables: [(name: String, columns: String)] = [
            ("inode", InodeTable.columns), ("entry", NameTable.columns),
            ("extent", ExtentTable.columns), ("attribute", AttributeTable.columns),
        ]
        for (name, columns) in tables {
            let reborn = columns.split { ", \n".contains($0) }
                .map { $0 == "born" ? "?2" : String($0) }.joined(separator: ", ")
            let steps = [
                """
                INSERT INTO past_\(name)(\(columns), died)
                SELECT \(columns), ?2 FROM \(name) WHERE born > ?1
                """,
                "DELETE FROM \(name) WHERE born > ?1 AND ?2 > 0",
                """
                INSERT INTO \(name)(\(columns)) SELECT \(reborn) FROM past_\(name)
                WHERE born <= ?1 AND died > ?1
                """,
            ]
            for step in steps {
                try Statement(database, step).bind(1, state).bind(2, epoch).run()
            }
        }
        inodes.reset()
    }
}
