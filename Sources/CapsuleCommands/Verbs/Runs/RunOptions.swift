import ArgumentParser
import CapsuleAccess
import CapsuleRuns
import CapsuleSystem
import CapsuleWorkspace

extension RunError: AccessErrorConvertible {
    /// The same error.
    public var accessError: AccessError {
        let kind: AccessError.Kind =
            switch self.kind {
            case .usage: .usage
            case .system: .system
            case .validation: .validation
            }
        return AccessError(kind, code: code, message)
    }
}

/// Which run a verb is about.
struct RunOptions: ParsableArguments {
    @Option(name: [.customShort("s"), .long], help: "The work item that the run is for.")
    var spec: String?

    @Option(name: [.customShort("r"), .customLong("run")], help: "The run's id.")
    var id: String

    /// The run. Without `--spec` its id must be that of one run only.
    func find(in service: any RunRecorder) throws -> Run {
        try Self.find(id, of: spec, in: service)
    }

    /// The run of an id, for a work item if there is one. Throws where that is none, or several.
    static func find(_ id: String, of spec: String?, in service: any RunRecorder) throws -> Run {
        let runs = try service.runs().filter {
            $0.name.run == id && (spec == nil || $0.name.spec == spec)
        }
        guard let first = runs.first else {
            let spec = spec.map { " of '\($0)'" } ?? ""
            throw RunError(
                .usage, "unknown_run",
                "there is no run '\(id)'\(spec): 'capsule run list' names those that are there")
        }
        guard runs.count == 1 else {
            let specs = runs.map(\.name.spec).joined(separator: ", ")
            throw RunError(
                .usage, "ambiguous_run", "several specs have a run '\(id)': give --spec, \(specs)")
        }
        return first
    }
}

/// A run as it is shown.
struct RunRow: Encodable {
    let specID: String
    let runID: String
    let startedAt: String
    let finishedAt: String?
    let outcome: String?
    let highRisk: Bool
    let captureMode: String
    let sanitized: Bool
    let eventCount: Int64
    let checkpoints: [CheckpointRow]

    init(_ run: Run, _ masker: TextMasker? = nil) {
        func shown(_ text: String) -> String {
            masker.map { String(decoding: $0.mask(Array(text.utf8)), as: UTF8.self) } ?? text
        }
        specID = shown(run.name.spec)
        runID = shown(run.name.run)
        startedAt = Timestamp(seconds: run.startedAt).rfc3339
        finishedAt = run.finishedAt.map { Timestamp(seconds: $0).rfc3339 }
        outcome = run.outcome?.rawValue
        highRisk = run.isHighRisk
        captureMode = run.capture.rawValue
        sanitized = run.isSanitized
        eventCount = run.eventCount
        checkpoints = run.checkpoints.map { CheckpointRow($0, label: shown($0.label)) }
    }

    private enum CodingKeys: String, CodingKey {
        case outcome, sanitized, checkpoints
        case specID = "spec_id"
        case runID = "run_id"
        case startedAt = "started_at"
        case finishedAt = "finished_at"
        case highRisk = "high_risk"
        case captureMode = "capture_mode"
        case eventCount = "event_count"
    }
}

/// A checkpoint as it is shown.
struct CheckpointRow: Encodable {
    let label: String
    let timestamp: String
    let eventCount: Int64
    let stage: String?
    let commitHash: String?

    init(_ checkpoint: RunCheckpoint, label: String? = nil) {
        self.label = label ?? checkpoint.label
        timestamp = Timestamp(seconds: checkpoint.seconds).rfc3339
        eventCount = checkpoint.sequence
        stage = checkpoint.stage.isEmpty ? nil : checkpoint.stage
        commitHash = checkpoint.commit.isEmpty ? nil : checkpoint.commit
    }

    private enum CodingKeys: String, CodingKey {
        case label, timestamp, stage
        case eventCount = "event_count"
        case commitHash = "commit_hash"
    }
}
