import CapsuleWorkspace

/// What may leave in an export, and why the rest stays.
public struct ExportScope: Equatable, Sendable {
    /// Whether only the listed kinds of record leave, masked.
    public var isSafe = true
    /// Whether calls of models leave, of a run that recorded them in full.
    public var includesModelIO = false
    /// Whether files that cannot be scanned leave as they are.
    public var includesBinaries = false

    /// Safe, and nothing besides.
    public init() {}

    /// The types of event that leave in a safe export, and those that bind them together.
    static let safeTypes: Set<String> = [
        "PolicySnapshotRef", "RetrievalRequest", "RetrievalResponse", "GateDecision", "ErrorEvent",
        "StageTransition", "BranchMerged", "MilestoneMarked",
    ]

    /// Why an event does not leave: a word for the manifest.
    public enum Rule: String, Sendable {
        /// What models were asked and said stays, unless both sides ask for it.
        case modelIO = "model_io"
        /// A kind of record that safe exports leave out.
        case kind = "record_kind"
        /// It could not be read, so nobody knows what it is.
        case unreadable
        /// Exports, imports and deletions are no content of a run.
        case bookkeeping
        /// A file that cannot be scanned.
        case unscannable

        /// What it means, and what to do about it.
        public var explanation: String {
            switch self {
            case .modelIO:
                "raw model input and output, prompts included: it leaves only of a run recorded "
                    + "with capture.mode full_io, masked with --include model-io, or with --unsafe"
            case .kind: "not among the kinds of record that a safe export has: --unsafe has all"
            case .unreadable: "could not be parsed"
            case .bookkeeping: "exports, imports and deletions are no content of a run"
            case .unscannable:
                "an archive or a binary, which cannot be scanned: --include binaries lets it leave"
            }
        }
    }

    private static let bookkeepingTypes: Set<String> = ["CapsuleExported", "CapsuleImported"]

    /// Why an event of a type stays, or nil: it leaves.
    func withholds(_ type: String, capture: Run.Capture) -> Rule? {
        if Self.bookkeepingTypes.contains(type) { return .bookkeeping }
        if type == EventSchema.modelCall {
            let mayLeave = capture == .full && (includesModelIO || !isSafe)
            return mayLeave ? nil : .modelIO
        }
        return !isSafe || Self.safeTypes.contains(type) ? nil : .kind
    }
}
