import CapsuleBytes
import CapsuleWorkspace
import Crypto

/// Makes events of what programs hand over: checked against the schemas, and cut down to what the
/// run's capture mode allows.
public struct EventReader {
    private let capture: Run.Capture
    private let type: String?
    private let stage: String
    /// Of a run that is sanitized.
    private let masker: TextMasker?

    /// A reader for a run. Without a `type`, each input names its own.
    public init(
        _ run: Run, type: String?, stage: String, masker: TextMasker?
    ) {
        capture = run.capture
        self.type = type
        self.stage = stage
        self.masker = masker
    }

    /// The event of one input: a payload, or, where the reader has no type, an object with
    /// `event_type`, `payload` and perhaps `stage`. Nil for what the capture mode leaves out.
    public func event(_ bytes: [UInt8], _ name: String) throws(RunError) -> RunEvent? {
        let value = try JSONValue(parsing: bytes, name)
        guard let type else {
            guard let type = value["event_type"]?.text ?? value["type"]?.text else {
                throw RunError(
                    .validation, "invalid_event", "\(name): the field 'event_type' is missing")
            }
            return try event(
                type, value["payload"] ?? .object([:]), stage: value["stage"]?.text ?? stage, name)
        }
        return try event(type, value, stage: stage, name)
    }

    private func event(
        _ type: String, _ payload: JSONValue, stage: String, _ name: String
    ) throws(RunError) -> RunEvent? {
        do throws(RunError) {
            try EventSchema.named(type).check(payload)
        } catch {
            throw RunError(error.kind, error.code, "\(name): \(error.message)")
        }
        guard stage.isEmpty || RunName.isValid(stage) else {
            throw RunError(.validation, "invalid_event", "\(name): '\(stage)' is no stage")
        }
        guard let captured = captured(type, payload) else { return nil }
        var line = captured.line
        if let masker {
            line = try masker.maskJSON(line)
            guard case .object(var members) = try JSONValue(parsing: line, name) else { return nil }
            members["redaction_state"] = .text("sanitized_on_ingest")
            line = JSONValue.object(members).line
        }
        return RunEvent(type: type, stage: stage, payload: line)
    }

    /// What the capture mode leaves of a payload.
    private func captured(_ type: String, _ payload: JSONValue) -> JSONValue? {
        guard type == EventSchema.modelCall, var members = payload.members else { return payload }
        guard capture != .none else { return nil }
        for side in ["prompt", "response"] {
            // A hash of what is masked would let anybody check a guess.
            if masker != nil { members["\(side)_hash"] = nil }
            guard let text = members[side]?.text else { continue }
            if masker == nil, members["\(side)_hash"] == nil {
                members["\(side)_hash"] = .text(Text.hex(SHA256.hash(data: Array(text.utf8))))
            }
        }
        if capture == .prompts { members["response"] = nil }
        members["capture_mode"] = .text(capture.rawValue)
        return .object(members)
    }
}
