import CapsuleBytes
import Crypto

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

    /// A run as it was kept.
    public init(
        _ start: RunStart, startedAt: Int64, finishedAt: Int64?, outcome: Outcome?,
        eventCount: Int64, checkpoints: [RunCheckpoint]
    ) {
        self.init(
            name: start.name, startedAt: startedAt, finishedAt: finishedAt, outcome: outcome,
            isHighRisk: start.isHighRisk, capture: start.capture,
            isSanitized: start.isSanitized, eventCount: eventCount, checkpoints: checkpoints)
    }

    init(
        name: RunName, startedAt: Int64, finishedAt: Int64? = nil, outcome: Outcome? = nil,
        isHighRisk: Bool, capture: Capture, isSanitized: Bool, eventCount: Int64 = 0,
        checkpoints: [RunCheckpoint] = []
    ) {
        self.name = name
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.outcome = outcome
        self.isHighRisk = isHighRisk
        self.capture = capture
        self.isSanitized = isSanitized
        self.eventCount = eventCount
        self.checkpoints = checkpoints
    }
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
    /// What says of two texts whether they are the same, in hex.
    public let id: String
    /// The name of its file.
    public let name: String
    /// Its text.
    public let body: [UInt8]

    /// A policy whose id is the SHA-256 of its text. A workspace gives it one of its own instead,
    /// since a hash of what is masked would let anybody check a guess.
    public init(name: String, body: [UInt8]) {
        self.init(id: Text.hex(SHA256.hash(data: body)), name: name, body: body)
    }

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

extension RunEvent {
    /// Whether the type and stage are words, and the payload is one line.
    public var isWellFormed: Bool {
        RunName.isValid(type) && (stage.isEmpty || RunName.isValid(stage))
            && !payload.contains(0x0a)
    }

    /// The event as it is stored and shown, without an end of line: the payload is JSON already,
    /// and nothing else in it needs escapes.
    public func line(
        _ sequence: Int64, at time: String, of name: RunName, workspace: String
    ) -> [UInt8] {
        var line = Array("{\"event_type\":\"\(type)\",\"payload\":".utf8)
        line += payload
        line += Array(",\"run_id\":\"\(name.run)\",\"seq\":\(sequence)".utf8)
        line += Array(",\"spec_id\":\"\(name.spec)\"".utf8)
        if !stage.isEmpty { line += Array(",\"stage\":\"\(stage)\"".utf8) }
        line += Array(",\"timestamp\":\"\(time)\",\"uri\":\"mv2://\(workspace)/".utf8)
        return line + Array("\(name.spec)/\(name.run)/event/\(sequence)\"}".utf8)
    }
}

extension RunPolicy {
    /// The event that says that a run is under it.
    public func reference(workspace: String, isSanitized: Bool) -> RunEvent {
        var payload: [String: EventValue] = [
            "policy_id": .text(id), "policy_hash": .text(id), "name": .text(name),
            "policy_uri": .text("mv2://\(workspace)/policy/\(id)"),
        ]
        if isSanitized { payload["redaction_state"] = .text("sanitized_on_ingest") }
        return RunEvent(
            type: "PolicySnapshotRef", stage: "", payload: EventValue.object(payload).line)
    }
}

/// Where the files of a run go.
public enum RunTrack: String, Sendable, CaseIterable {
    case artifacts, evidence
}
