// What programs hand over while they record a run, and what names a part of one.

import CapsuleBytes

@testable import CapsuleRuns
@testable import CapsuleWorkspace

enum Records {
    static let targets = [
        FuzzTarget("run-event", event) {
            [
                #"{"event_type":"ErrorEvent","payload":{"error_code":"E","message":"m","#
                    + #""severity":"Error","recoverable":true},"stage":"Plan"}"#,
                #"{"event_type":"ModelCallEnvelope","payload":{"call_id":"c","model":"m","#
                    + #""routing_mode":"Cloud","success":true,"prompt":"p","response":"r"}}"#,
                #"{"type":"ToolCall","payload":{"call_id":"1","tool_name":"t","input":[1e400]}}"#,
            ].map { Array($0.utf8) }
        },
        FuzzTarget("run-uri", uri) {
            [
                "mv2://00ff/S1/r1/artifact/a%20b/c.txt", "mv2://00ff/policy/abc",
                "mv2://w/S/r/event/12", "mv2://w/S/r/checkpoint/final",
            ].map { Array($0.utf8) }
        },
    ]

    static func event(_ input: [UInt8]) throws(Finding) {
        guard let name = try? RunName(spec: "S1", run: "r1") else { return }
        for capture in Run.Capture.allCases {
            var start = RunStart(name)
            start.capture = capture
            let run = Run(
                start, startedAt: 0, finishedAt: nil, outcome: nil, eventCount: 0,
                checkpoints: [])
            let reader = EventReader(run, type: nil, stage: "", masker: nil)
            guard let event = try? reader.event(input, "an input") else { continue }
            try require(event.isWellFormed, "an event is one line and has a type")
            let line = event.line(1, at: "2026-01-01T00:00:00Z", of: name, workspace: "00")
            let read = try? JSONValue(parsing: line, "a line")
            try require(read?["event_type"]?.text == event.type, "an event can be read again")
            if event.type == EventSchema.modelCall {
                try require(capture != .none, "no call of a model is kept")
                try require(
                    capture == .full || read?["payload"]?["response"] == nil, "no response is kept")
            }
        }
    }

    static func uri(_ input: [UInt8]) throws(Finding) {
        guard let uri = RunURI(String(decoding: input, as: UTF8.self)) else { return }
        try require(RunURI(uri.text) == uri, "a URI names one thing")
        for name in uri.path {
            try require(
                !name.isEmpty && name != [46] && name != [46, 46] && !name.contains(47),
                "a segment is a name")
        }
    }
}
