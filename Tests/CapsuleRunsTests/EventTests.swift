// What may be recorded, and what the capture mode leaves of it.

import Testing

@testable import CapsuleRuns
@testable import CapsuleWorkspace

@Suite("Events")
struct EventTests {
    static func run(_ capture: Run.Capture, sanitized: Bool = false) throws -> Run {
        Run(
            name: try RunName(spec: "S", run: "r1"), startedAt: 0, isHighRisk: false,
            capture: capture, isSanitized: sanitized)
    }

    private static func event(
        _ text: String, _ type: String? = nil, _ capture: Run.Capture = .full
    ) throws -> RunEvent? {
        try EventReader(try run(capture), type: type, stage: "", masker: nil)
            .event(Array(text.utf8), "input")
    }

    @Test("an event is kept as one line with sorted keys")
    func canonical() throws {
        let text = #"{ "request_id": "q", "source": "capsule", "query" : "a\nb" }"#
        let event = try #require(try Self.event(text, "RetrievalRequest"))
        let line = String(decoding: event.payload, as: UTF8.self)
        #expect(line == #"{"query":"a\nb","request_id":"q","source":"capsule"}"#)
    }

    @Test(
        "what does not fit is refused, and the field is named",
        arguments: [
            (#"{"source":"capsule","request_id":"q"}"#, "RetrievalRequest", "query"),
            (#"{"source":1,"request_id":"q","query":"x"}"#, "RetrievalRequest", "source"),
            (
                #"{"gate_name":"g","outcome":"pass","stage":"s","blocking":true}"#, "GateDecision",
                "outcome"
            ),
            (
                #"{"call_id":"c","model":"m","routing_mode":"Cloud","success":true,"answer":"x"}"#,
                "ModelCallEnvelope", "answer"
            ),
            (#"{}"#, "Surprise", "Surprise"), (#"[]"#, "DebugTrace", "object"),
            (#"{"a":}"#, "DebugTrace", "JSON"),
        ])
    func refused(_ text: String, _ type: String, _ named: String) {
        do {
            _ = try Self.event(text, type)
            Issue.record("it was taken")
        } catch let error as RunError {
            #expect(error.message.contains(named))
        } catch {
            Issue.record("\(error)")
        }
    }

    private static let call = #"""
        {"call_id":"c","model":"m","routing_mode":"Cloud","prompt":"P!","response":"R!",
        "success":true}
        """#

    @Test("none records no call, prompts_only no response, full_io both")
    func capture() throws {
        #expect(try Self.event(Self.call, "ModelCallEnvelope", .none) == nil)
        for (mode, sides) in [(Run.Capture.prompts, ["P!"]), (.full, ["P!", "R!"])] {
            let event = try #require(try Self.event(Self.call, "ModelCallEnvelope", mode))
            let line = String(decoding: event.payload, as: UTF8.self)
            for side in ["P!", "R!"] { #expect(line.contains(side) == sides.contains(side)) }
            #expect(line.contains("response_hash") && line.contains(mode.rawValue))
        }
    }

    @Test("what a sanitized run records is masked, and says so")
    func sanitized() throws {
        let text = #"{"reason":"ask jo.doe"# + #"@example.org"}"#
        let reader = EventReader(
            try Self.run(.full, sanitized: true), type: "CaptureGapAcknowledged", stage: "",
            masker: TextMasker())
        let event = try #require(try reader.event(Array(text.utf8), "input"))
        let line = String(decoding: event.payload, as: UTF8.self)
        #expect(line.contains("[EMAIL:1]") && !line.contains("example.org"))
        #expect(line.contains("sanitized_on_ingest"))
    }

    @Test("every schema is JSON Schema with its required fields")
    func schemas() throws {
        for schema in EventSchema.all {
            let text = schema.schema
            #expect(text["title"]?.text == schema.type)
            let required = text["required"]?.items?.compactMap(\.text) ?? []
            for name in required { #expect(text["properties"]?[name] != nil) }
        }
    }
}

@Suite("Numbers of JSON")
struct JSONValueTests {
    @Test(
        "what is read is written as it was",
        arguments: [
            #"{"a":[1,2.5,true,null,"x"],"b":{"c":9007199254740993}}"#, #""é\n""#, "[]", "-7",
        ])
    func roundTrip(_ text: String) throws {
        let value = try JSONValue(parsing: Array(text.utf8), "text")
        #expect(String(decoding: value.line, as: UTF8.self) == text)
    }
}
