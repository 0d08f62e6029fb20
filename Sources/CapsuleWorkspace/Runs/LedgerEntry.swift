/// What a workspace knows of something outside its tree: an export, an import, a golden query.
public struct LedgerEntry: Equatable, Sendable {
    /// What kind of thing.
    public enum Kind: String, Sendable, CaseIterable {
        /// A capsule that was made of a run.
        case export
        /// A capsule that is shown in the mount.
        case `import`
        /// A query whose results are known.
        case golden
        /// Whether a run that ended is exported: not decided yet, or decided and not done yet.
        case decision
    }

    /// What kind of thing.
    public let kind: Kind
    /// Its name, one of its kind.
    public let name: String
    /// The name of a file in the workspace's directory, or nothing.
    public let file: String
    /// A key, sealed to the workspace; or nothing.
    public let secret: [UInt8]
    /// The particulars: JSON.
    public let body: [UInt8]

    /// An entry.
    public init(
        _ kind: Kind, _ name: String, body: [UInt8], file: String = "", secret: [UInt8] = []
    ) {
        self.kind = kind
        self.name = name
        self.file = file
        self.secret = secret
        self.body = body
    }
}

extension LedgerEntry {
    /// What says that it is yet to be decided, or done, whether a run is exported, and who is at
    /// it.
    public static func owedDecision(on run: RunName, holder: [UInt8]) -> LedgerEntry {
        LedgerEntry(.decision, "\(run.spec)/\(run.run)", body: holder)
    }
}

/// What happens to an entry.
public enum LedgerChange: Equatable, Sendable {
    /// It is new: EEXIST where there is one.
    case insert(LedgerEntry)
    /// It takes the place of one: ENOENT where there is none.
    case replace(LedgerEntry)
    /// It takes the place of one with this body: ENOENT where there is none, EEXIST where somebody
    /// has changed it meanwhile.
    case exchange(LedgerEntry, from: [UInt8])
    /// It goes: ENOENT where there is none.
    case remove(LedgerEntry.Kind, String)
    /// It goes, if there is one.
    case drop(LedgerEntry.Kind, String)
}
