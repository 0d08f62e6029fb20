import CapsuleStore
import CapsuleSystem
import Glibc

/// A state that the tree has been in and can be read in again.
public struct WorkspaceState: Equatable, Sendable {
    /// Why a state is kept.
    public enum Kind: Int64, Sendable {
        /// Somebody gave it a name: it stays until somebody deletes it.
        case named = 0
        /// Made by hand without a name: the retention rule thins it.
        case unnamed = 1
        /// Made by the driver while things change: the retention rule thins it.
        case automatic = 2
    }

    /// Changes up to this epoch, and none later, are in it.
    public let epoch: Int64
    /// The name, UTF-8; without one of its own, the time.
    public let name: String
    /// When it was made, in seconds since 1970.
    public let seconds: Int64
    /// Why it is kept.
    public let kind: Kind
    /// A word by which the retention rule may keep it, or nothing.
    public let tag: String
    /// The branch on which it was made.
    public let branch: String
}

/// The states of a workspace: one row each, however large the tree.
extension LiveTree {
    /// The longest name of a state, in bytes.
    private static let nameLengthMax = 255

    /// The states, oldest first.
    public func states() throws(WorkspaceError) -> [WorkspaceState] {
        try locked { () throws(WorkspaceError) in try stored(listStates) }
    }

    func listStates() throws(StoreError) -> [WorkspaceState] {
        try Statement(
            database,
            """
            SELECT epoch, state.name, seconds, kind, tag, branch.name FROM state
            LEFT JOIN branch ON branch.number = state.branch ORDER BY epoch
            """
        ).all {
            WorkspaceState(
                epoch: $0.integer(0), name: $0.text(1), seconds: $0.integer(2),
                kind: WorkspaceState.Kind(rawValue: $0.integer(3)) ?? .named, tag: $0.text(4),
                branch: $0.text(5))
        }
    }

    /// The present state, which has no name.
    public func presentState() throws(WorkspaceError) -> WorkspaceState {
        try commit()
        return try locked { () throws(WorkspaceError) in
            WorkspaceState(
                epoch: epoch, name: "", seconds: Environment.wallClock().seconds, kind: .named,
                tag: "", branch: "")
        }
    }

    /// The state of a name. Throws ENOENT.
    public func state(named name: String) throws(WorkspaceError) -> WorkspaceState {
        guard let found = try states().first(where: { $0.name == name }) else {
            throw WorkspaceError.refusal(ENOENT, "there is no state '@\(name)'")
        }
        return found
    }

    /// The same within a change.
    func keptState(_ name: String) throws(WorkspaceError) -> WorkspaceState {
        guard let found = try stored(listStates).first(where: { $0.name == name }) else {
            throw WorkspaceError.refusal(ENOENT, "there is no state '@\(name)'")
        }
        return found
    }

    /// Whether a state, a tag or a branch can have this name: it shall be usable as a file's, and
    /// after an `@`.
    public static func isValidStateName(_ name: String) -> Bool {
        let isPlain = name.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value != 0x7f }
        return (1...nameLengthMax).contains(name.utf8.count) && isPlain && !name.contains("/")
            && !name.hasPrefix(".") && !name.hasPrefix("-") && !name.hasPrefix("@")
    }

    /// Keeps the present state, without a name of its own under the time. Throws EEXIST, EINVAL.
    public func keepState(
        as name: String?, tag: String
    ) throws(WorkspaceError) -> WorkspaceState {
        for text in [name ?? "x", tag.isEmpty ? "x" : tag] where !Self.isValidStateName(text) {
            throw WorkspaceError.refusal(EINVAL, "'\(text)' cannot name a state")
        }
        if let name, name.hasPrefix(RunName.statePrefix) {
            throw WorkspaceError.refusal(
                EINVAL, "'\(name)' would name a checkpoint of a run: see 'capsule checkpoint'")
        }
        let state = try changing { () throws(WorkspaceError) in
            if let name, try stored(listStates).contains(where: { $0.name == name }) {
                throw WorkspaceError.refusal(EEXIST, "there is a state '@\(name)' already")
            }
            let state = try insertState(name, kind: name == nil ? .unnamed : .named, tag: tag)
            try record(.snapshotCreated, ["name": .text(state.name), "tag": .text(tag)])
            return state
        }
        try commit()
        return state
    }

    /// Begins a new epoch; the caller changes the tree. Rows that wait in memory belong to the
    /// state and have to carry its epoch.
    @discardableResult
    func insertState(
        _ name: String?, kind: WorkspaceState.Kind, tag: String = ""
    ) throws(WorkspaceError) -> WorkspaceState {
        let seconds = Environment.wallClock().seconds
        let state = try stored { () throws(StoreError) in
            try inodes.flush(epoch: epoch)
            let branch = try currentBranch()
            let free = try freeName(at: seconds)
            let state = WorkspaceState(
                epoch: epoch, name: name ?? free, seconds: seconds,
                kind: kind, tag: tag, branch: branch.name)
            try Statement(
                database,
                """
                INSERT INTO state(epoch, name, seconds, kind, tag, branch)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                """
            ).bind(1, state.epoch).bind(2, Array(state.name.utf8)).bind(3, seconds)
                .bind(4, kind.rawValue).bind(5, Array(tag.utf8)).bind(6, branch.number).run()
            try set("epoch", state.epoch + 1)
            return state
        }
        epoch += 1
        return state
    }

    /// The time as a name that no state has.
    private func freeName(at seconds: Int64) throws(StoreError) -> String {
        let taken = Set(try listStates().map(\.name))
        let plain = Timestamp(seconds: seconds).rfc3339
        var name = plain
        var count = 1
        while taken.contains(name) {
            count += 1
            name = "\(plain).\(count)"
        }
        return name
    }

    /// Forgets a state: what only it still had goes from the tables of the past.
    public func dropState(named name: String) throws(WorkspaceError) {
        try changing { () throws(WorkspaceError) in
            guard let state = try stored(listStates).first(where: { $0.name == name }) else {
                throw WorkspaceError.refusal(ENOENT, "there is no state '@\(name)'")
            }
            if let branch = try stored(listBranches).first(where: { $0.head == state.epoch }) {
                throw WorkspaceError.refusal(
                    EINVAL, "the branch '\(branch.name)' is at '@\(name)': delete that first")
            }
            if let run = try runMarked(by: state) {
                throw WorkspaceError.refusal(
                    EINVAL, "'@\(name)' is a checkpoint of run \(run), which stays")
            }
            try remove([state])
            try record(.snapshotDeleted, ["name": .text(name)])
        }
        try commit()
    }

    /// Forgets states.
    func remove(_ states: [WorkspaceState]) throws(WorkspaceError) {
        try stored { () throws(StoreError) in
            let delete = try Statement(database, "DELETE FROM state WHERE epoch = ?1")
            for state in states { try delete.bind(1, state.epoch).run() }
            try prunePast()
        }
    }

    /// Removes the rows of the past that no state shows.
    func prunePast() throws(StoreError) {
        for table in ["past_inode", "past_entry", "past_extent", "past_attribute"] {
            try Statement(
                database,
                """
                DELETE FROM \(table) WHERE NOT EXISTS (
                  SELECT 1 FROM state WHERE epoch >= born AND epoch < died)
                """
            ).run()
        }
        // A link that waits in memory has no row yet.
        try inodes.flush(epoch: epoch)
        try Statement(
            database,
            """
            DELETE FROM target WHERE inode NOT IN (SELECT number FROM inode)
            AND inode NOT IN (SELECT number FROM past_inode)
            """
        ).run()
        // How much that was, a look through the segments will tell.
        freedBytes = .max
    }

    // MARK: Facts

    func fact(_ name: String) throws(StoreError) -> Int64 {
        try Statement(database, "SELECT value FROM fact WHERE name = CAST(?1 AS TEXT)")
            .bind(1, Array(name.utf8)).first { $0.integer(0) } ?? 0
    }

    func set(_ name: String, _ value: Int64) throws(StoreError) {
        try Statement(database, "INSERT OR REPLACE INTO fact VALUES (CAST(?1 AS TEXT), ?2)")
            .bind(1, Array(name.utf8)).bind(2, value).run()
    }
}
