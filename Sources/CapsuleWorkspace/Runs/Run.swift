/// A run: what somebody, or some program, did for a work item, and how it ended.
public struct Run: Equatable, Sendable {
    /// How much of what models said is recorded.
    public enum Capture: String, Sendable, CaseIterable {
        /// No call of a model.
        case none
        /// What was asked, and hashes of both sides.
        case prompts = "prompts_only"
        /// What was asked and answered.
        case full = "full_io"
    }

    /// How a run ended.
    public enum Outcome: String, Sendable, CaseIterable {
        case unlock, fail, abandon
    }

    /// Which one.
    public let name: RunName
    /// When it began, in seconds since 1970.
    public internal(set) var startedAt: Int64
    /// When it ended, or nil.
    public internal(set) var finishedAt: Int64?
    /// How it ended, or nil.
    public internal(set) var outcome: Outcome?
    /// Whether somebody said at its start that it is of high risk.
    public internal(set) var isHighRisk: Bool
    /// How much of what models said is recorded.
    public internal(set) var capture: Capture
    /// Whether what is recorded was masked before.
    public internal(set) var isSanitized: Bool
    /// The number of its events.
    public internal(set) var eventCount: Int64 = 0
    /// Its checkpoints, in their order.
    public internal(set) var checkpoints: [RunCheckpoint] = []
}

/// A moment of a run that can be returned to.
public struct RunCheckpoint: Equatable, Sendable {
    /// Its name, one of its kind within the run.
    public let label: String
    /// The events up to this one belong to it.
    public let sequence: Int64
    /// When, in seconds since 1970.
    public let seconds: Int64
    /// The stage of the work, or nothing.
    public let stage: String
    /// The commit that the work was at, or nothing.
    public let commit: String

    /// A checkpoint.
    public init(
        label: String, sequence: Int64, seconds: Int64, stage: String, commit: String
    ) {
        self.label = label
        self.sequence = sequence
        self.seconds = seconds
        self.stage = stage
        self.commit = commit
    }
}

/// What a run shall be.
public struct RunStart: Equatable, Sendable {
    /// Which one.
    public var name: RunName
    /// Whether it is of high risk.
    public var isHighRisk = false
    /// How much of what models say is recorded.
    public var capture = Run.Capture.prompts
    /// Whether what is recorded is masked before.
    public var isSanitized = false
    /// The policies it is under.
    public var policies: [RunPolicy] = []

    /// A run with the defaults.
    public init(_ name: RunName) { self.name = name }
}

/// A policy as it was when a run began.
public struct RunPolicy: Equatable, Sendable {
    /// The SHA-256 of its text, in hex.
    public let id: String
    /// The name of its file.
    public let name: String
    /// Its text.
    public let body: [UInt8]

    /// A policy.
    public init(id: String, name: String, body: [UInt8]) {
        self.id = id
        self.name = name
        self.body = body
    }
}

/// An event that is to be recorded.
public struct RunEvent: Equatable, Sendable {
    /// Its type, as capsule-runs(7) lists them.
    public let type: String
    /// The stage of the work, or nothing.
    public let stage: String
    /// One line of JSON.
    public let payload: [UInt8]

    /// An event.
    public init(type: String, stage: String, payload: [UInt8]) {
        self.type = type
        self.stage = stage
        self.payload = payload
    }
}

/// Where the files of a run go.
public enum RunTrack: String, Sendable, CaseIterable {
    case artifacts, evidence
}
