import CapsuleWorkspace

/// What an export will hold, before anything is written.
public struct PreparedExport {
    /// The folder that will be sealed.
    public internal(set) var items: [ComposedTree.Item]
    /// The run.
    public let run: Run
    /// The scope.
    public let scope: ExportScope
    /// Records by track.
    public internal(set) var tracks: [String: Int]
    /// Labels of the checkpoints.
    public let checkpoints: [String]
    /// How often each kind was masked.
    public let redactions: [String: Int]
    /// How many records stay, by the rule that holds them.
    public let withheld: [String: Int]

    /// Names of golden queries that find something else in what leaves.
    public internal(set) var changedQueries: [String] = []

    /// The tree of it.
    public var tree: ComposedTree { ComposedTree(items, seconds: run.startedAt) }
}
