/// What an event of a type has to say: the types and fields of SPEC-KIT-974's events, as
/// capsule-runs(7) lists them.
public struct EventSchema: Sendable {
    /// What a field holds.
    public enum Shape: Equatable, Sendable {
        case text, flag, integer, number, texts, numbers, any
        /// A hash, perhaps with the name of its function: no place for anything else.
        case digest
        /// One of these texts.
        case word([String])

        func accepts(_ value: JSONValue) -> Bool {
            switch (self, value) {
            case (.any, _), (.text, .text), (.flag, .flag), (.integer, .integer),
                (.number, .integer), (.number, .number), (.number, .decimal):
                true
            case (.word(let words), .text(let text)): words.contains(text)
            case (.digest, .text(let text)): Self.isDigest(text)
            case (.texts, .list(let items)): items.allSatisfy { Shape.text.accepts($0) }
            case (.numbers, .list(let items)): items.allSatisfy { Shape.number.accepts($0) }
            default: false
            }
        }

        private static func isDigest(_ text: String) -> Bool {
            let digits = text.split(separator: ":", maxSplits: 1).last ?? ""
            return text.utf8.count <= 140 && digits.count >= 16
                && digits.allSatisfy { $0.isHexDigit && $0.isASCII }
                && text.dropLast(digits.count).allSatisfy {
                    $0.isLetter || $0.isNumber || $0 == ":"
                }
        }

        /// The shape in a JSON Schema, draft 2020-12.
        var schema: JSONValue {
            switch self {
            case .text: .object(["type": .text("string")])
            case .flag: .object(["type": .text("boolean")])
            case .integer: .object(["type": .text("integer")])
            case .number: .object(["type": .text("number")])
            case .texts: .object(["type": .text("array"), "items": Shape.text.schema])
            case .numbers: .object(["type": .text("array"), "items": Shape.number.schema])
            case .any: .object([:])
            case .digest:
                .object([
                    "type": .text("string"),
                    "pattern": .text("^([A-Za-z0-9]+:)?[0-9A-Fa-f]{16,}$"),
                ])
            case .word(let words): .object(["enum": .list(words.map { .text($0) })])
            }
        }

        fileprivate var description: String {
            switch self {
            case .text: "a text"
            case .flag: "true or false"
            case .integer: "a whole number"
            case .number: "a number"
            case .texts: "a list of texts"
            case .numbers: "a list of numbers"
            case .any: "anything"
            case .digest: "a hash in hexadecimal digits"
            case .word(let words): "one of \(words.joined(separator: ", "))"
            }
        }
    }

    /// The type.
    public let type: String
    let fields: [(name: String, shape: Shape, isRequired: Bool)]
    /// Whether fields that are not listed are refused.
    let isClosed: Bool

    /// A field's name ends with `?` where it may be missing.
    private init(_ type: String, isClosed: Bool = false, _ fields: [(String, Shape)]) {
        self.type = type
        self.isClosed = isClosed
        self.fields = fields.map { name, shape in
            name.hasSuffix("?")
                ? (String(name.dropLast()), shape, false) : (name, shape, true)
        }
    }

    /// Throws `RunError` for a payload that does not fit, with the name of the field.
    public func check(_ payload: JSONValue) throws(RunError) {
        guard let members = payload.members else {
            throw RunError(.validation, "invalid_event", "\(type): the payload is no object")
        }
        for (name, shape, isRequired) in fields {
            guard let value = members[name], value != .null else {
                if isRequired {
                    throw RunError(
                        .validation, "invalid_event", "\(type): the field '\(name)' is missing")
                }
                continue
            }
            guard shape.accepts(value) else {
                throw RunError(
                    .validation, "invalid_event",
                    "\(type): the field '\(name)' is not \(shape.description)")
            }
        }
        guard isClosed else { return }
        let unknown = Set(members.keys).subtracting(fields.map(\.name)).sorted()
        if let first = unknown.first {
            throw RunError(
                .validation, "invalid_event", "\(type): there is no field '\(first)'")
        }
    }

    /// The schema as JSON Schema, draft 2020-12.
    public var schema: JSONValue {
        .object([
            "$schema": .text("https://json-schema.org/draft/2020-12/schema"),
            "title": .text(type), "type": .text("object"),
            "properties": .object(
                Dictionary(uniqueKeysWithValues: fields.map { ($0.name, $0.shape.schema) })),
            "required": .list(fields.filter(\.isRequired).map { .text($0.name) }),
            "additionalProperties": .flag(!isClosed),
        ])
    }

    /// The schema of a type. Throws `RunError` for a type that nobody knows.
    public static func named(_ type: String) throws(RunError) -> EventSchema {
        guard let schema = all.first(where: { $0.type == type }) else {
            throw RunError(
                .validation, "unknown_event",
                "there is no event type '\(type)': see 'capsule event schema'")
        }
        return schema
    }

    private static let stages = Shape.word([
        "Specify", "Plan", "Tasks", "Implement", "Validate", "Audit", "Unlock",
    ])

    /// Calls of a model: what safe exports and the capture mode are about.
    public static let modelCall = "ModelCallEnvelope"

    /// Every type.
    public static let all: [EventSchema] = [
        EventSchema(
            "StageTransition",
            [
                ("stage", stages), ("checkpoint_id?", .text), ("policy_id?", .text),
                ("policy_hash?", .text), ("policy_uri?", .text),
            ]),
        EventSchema(
            "PolicySnapshotRef",
            [("policy_uri", .text), ("policy_id?", .text), ("policy_hash?", .text)]),
        EventSchema("IntakeCompleted", []),
        EventSchema("RoutingDecision", []),
        EventSchema(
            "BranchMerged",
            [
                ("from_branch", .text), ("to_branch", .text), ("mode", .word(["curated", "full"])),
                ("merge_checkpoint_id", .text), ("uris_merged", .integer),
                ("events_merged", .integer), ("spec_id?", .text), ("run_id?", .text),
            ]),
        EventSchema("DebugTrace", []),
        EventSchema(
            "RetrievalRequest",
            [
                ("request_id", .text), ("query", .text), ("config?", .any), ("source", .text),
                ("stage?", .text), ("role?", .text), ("as_of?", .text),
            ]),
        EventSchema(
            "RetrievalResponse",
            [
                ("request_id", .text), ("hit_uris", .texts), ("fused_scores?", .numbers),
                ("explainability?", .any), ("latency_ms?", .number), ("error?", .text),
            ]),
        EventSchema(
            "ToolCall",
            [
                ("call_id", .text), ("tool_name", .text), ("input", .any), ("stage?", .text),
                ("role?", .text),
            ]),
        EventSchema(
            "ToolResult",
            [
                ("call_id", .text), ("tool_name", .text), ("success", .flag), ("output?", .any),
                ("error?", .text), ("duration_ms?", .number),
            ]),
        EventSchema(
            "PatchApply",
            [
                ("patch_id", .text), ("file_path", .text),
                ("patch_type", .word(["create", "modify", "delete"])), ("diff?", .text),
                ("before_hash?", .text), ("after_hash?", .text), ("stage?", .text),
                ("success", .flag), ("error?", .text),
            ]),
        EventSchema(
            "GateDecision",
            [
                ("gate_name", .text), ("outcome", .word(["Pass", "Fail", "Warn", "Skip"])),
                ("stage", .text), ("confidence?", .number), ("reason?", .text),
                ("details?", .any), ("blocking", .flag), ("audit_handoff_required?", .flag),
            ]),
        EventSchema(
            "ErrorEvent",
            [
                ("error_code", .text), ("message", .text),
                ("severity", .word(["Warning", "Error", "Fatal"])), ("stage?", .text),
                ("component?", .text), ("stack_trace?", .text), ("related_uris?", .texts),
                ("recoverable", .flag),
            ]),
        // Closed: an answer must not slip past the capture mode under another name.
        EventSchema(
            modelCall, isClosed: true,
            [
                ("call_id", .text), ("model", .text), ("routing_mode", .word(["Cloud", "Reflex"])),
                ("capture_mode?", .text), ("stage?", .text), ("role?", .text),
                ("prompt_hash?", .digest), ("response_hash?", .digest), ("prompt?", .text),
                ("response?", .text), ("prompt_tokens?", .integer), ("response_tokens?", .integer),
                ("latency_ms?", .number), ("success", .flag), ("error?", .text),
            ]),
        EventSchema("ExportRequested", [("by", .word(["Judge", "User"])), ("reason", .text)]),
        EventSchema("MilestoneMarked", [("name", .text)]),
        EventSchema("CapsuleExported", [("destination_type", .text), ("format", .text)]),
        EventSchema("CapsuleImported", [("source_type", .text), ("format", .text)]),
        EventSchema("BreakerStateChanged", []),
        EventSchema("LocalMemorySunsetPhaseResolved", []),
        EventSchema("FallbackActivated", []),
        EventSchema("CaptureGapAcknowledged", [("reason", .text)]),
    ]
}
