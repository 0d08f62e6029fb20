import CapsuleStore
import CapsuleSystem
import Glibc

/// A state that the tree has been in and can be read in again.
public struct WorkspaceState: Equatable, Sendable {
    /// Changes up to this epoch, and none later, are in it.
    public let epoch: Int64
    /// The name, UTF-8.
    public let name: String
    /// When it was made, in seconds since 1970.
    public let seconds: Int64
}

/// The states of a workspace: one row each, however large the tree.
extension LiveTree {
    /// The longest name of a state, in bytes.
    private static let nameLengthMax = 255

    /// The states, oldest first.
    public func states() throws(WorkspaceError) -> [WorkspaceState] {
        try locked { () throws(WorkspaceError) in
            try stored { () throws(StoreError) in
                try Statement(database, "SELECT epoch, name, seconds FROM state ORDER BY epoch")
                    .all {
                        WorkspaceState(
                            epoch: $0.integer(0),
                            name: String(decoding: $0.bytes(1), as: UTF8.self),
                            seconds: $0.integer(2))
                    }
            }
        }
    }

    /// The present state, which has no name.
    public func presentState() throws(WorkspaceError) -> WorkspaceState {
        try commit()
        return try locked { () throws(WorkspaceError) in
            WorkspaceState(epoch: epoch, name: "", seconds: Environment.wallClock().seconds)
        }
    }

    /// The state of a name. Throws ENOENT.
    public func state(named name: String) throws(WorkspaceError) -> WorkspaceState {
        guard let found = try states().first(where: { $0.name == name }) else {
            throw WorkspaceError(ENOENT, "there is no state '@\(name)'")
        }
        return found
    }

    /// Whether a state can have this name: it shall be usable as a file's, and after an `@`.
    public static func isValidStateName(_ name: String) -> Bool {
        let isPlain = name.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value != 0x7f }
        return (1...nameLengthMax).contains(name.utf8.count) && isPlain && !name.contains("/")
            && !name.hasPrefix(".") && !name.hasPrefix("-") && !name.hasPrefix("@")
    }

    /// Keeps the present state under a name. Throws EEXIST, EINVAL.
    public func keepState(as name: String) throws(WorkspaceError) -> WorkspaceState {
        guard Self.isValidStateName(name) else {
            throw WorkspaceError(EINVAL, "'\(name)' cannot name a state")
        }
        guard try !states().contains(where: { $0.name == name }) else {
            throw WorkspaceError(EEXIST, "there is a state '@\(name)' already")
        }
        let state = try changing { () throws(WorkspaceError) in
            let state = WorkspaceState(
                epoch: epoch, name: name, seconds: Environment.wallClock().seconds)
            try stored { () throws(StoreError) in
                // Rows that wait in memory belong to the state and have to carry its epoch.
                try inodes.flush(epoch: epoch)
                try Statement(
                    database, "INSERT INTO state(epoch, name, seconds) VALUES (?1, ?2, ?3)"
                ).bind(1, state.epoch).bind(2, Array(name.utf8)).bind(3, state.seconds).run()
                try Statement(database, "UPDATE fact SET value = ?1 WHERE name = 'epoch'")
                    .bind(1, state.epoch + 1).run()
            }
            epoch += 1
            return state
        }
        try commit()
        return state
    }

    /// Forgets a state: what only it still had goes from the tables of the past.
    public func dropState(named name: String) throws(WorkspaceError) {
        let state = try state(named: name)
        let all = try states()
        let before = all.last { $0.epoch < state.epoch }?.epoch ?? 0
        let after = all.first { $0.epoch > state.epoch }?.epoch ?? epoch
        try changing { () throws(WorkspaceError) in
            try stored { () throws(StoreError) in
                try Statement(database, "DELETE FROM state WHERE epoch = ?1")
                    .bind(1, state.epoch).run()
                // Rows that were born after the state before and died before the state after it
                // are in no other.
                for table in ["past_inode", "past_entry", "past_extent", "past_attribute"] {
                    try Statement(
                        database, "DELETE FROM \(table) WHERE born > ?1 AND died <= ?2"
                    ).bind(1, before).bind(2, after).run()
                }
            }
        }
        try commit()
    }
}
