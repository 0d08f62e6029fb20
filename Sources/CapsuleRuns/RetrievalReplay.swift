import CapsuleFormat
import CapsuleWorkspace

/// Runs the retrievals of a run again and compares: replay is exact for retrieval and events; what
/// models said depends on the capture mode.
public struct RetrievalReplay: Encodable {
    /// One retrieval.
    public struct Step: Encodable {
        /// The event that asked.
        public let request: String
        /// What it asked for.
        public let query: String
        /// The checkpoint at which was searched, or nil: the end.
        public let asOf: String?
        /// same, order, scores, documents, not recorded.
        public let verdict: String
        /// What was recorded.
        public let recorded: [String]
        /// What is found now.
        public let found: [GoldenQuery.Result]

        private enum CodingKeys: String, CodingKey {
            case request, query, verdict, recorded, found
            case asOf = "as_of"
        }
    }

    /// The retrievals.
    public private(set) var steps: [Step] = []
    /// URIs of calls of models, which are not made again.
    public private(set) var notReplayed: [String] = []

    private enum CodingKeys: String, CodingKey {
        case steps
        case notReplayed = "model_steps_not_replayed"
    }

    /// Calls of models that the export of a run left out are among them, by what its manifest says.
    private static func withheldCalls(
        _ tree: any ReadableTree
    ) throws -> [(sequence: Int64, uri: String)] {
        guard let found = try tree.resolve([Array("manifest.json".utf8)]), found.entry.isRegular
        else { return [] }
        let manifest = try JSONValue(
            parsing: URIResolver.read(found.entry, in: tree), "manifest.json")
        guard let workspace = manifest["workspace_id"]?.text,
            let spec = manifest["spec_id"]?.text, let run = manifest["run_id"]?.text
        else { return [] }
        let name = try RunName(spec: spec, run: run)
        return (manifest["export"]?["withheld_events"]?.items ?? []).compactMap { entry in
            guard let sequence = entry.items?.first?.integer,
                entry.items?.last?.text == ExportScope.Rule.modelIO.rawValue
            else { return nil }
            return (sequence, RunURI.event(sequence, of: name, in: workspace).text)
        }
    }

    /// Replays the run in a folder. What a text shows is masked by `masker`.
    public init(_ tree: any ReadableTree, asOf: String?, masker: TextMasker?) throws {
        guard let found = try tree.resolve([Array("events.jsonl".utf8)]) else { return }
        let entry = try tree.inode(of: found.entry, found.ordinal).entry
        let events = try URIResolver.read(entry, in: tree).split(separator: 10).map {
            try JSONValue(parsing: Array($0), "event")
        }
        var responses: [String: JSONValue] = [:]
        for event in events where event["event_type"]?.text == "RetrievalResponse" {
            if let id = event["payload"]?["request_id"]?.text { responses[id] = event["payload"] }
        }
        var calls = try Self.withheldCalls(tree)
        let search = GoldenSearch(tree)
        for event in events {
            switch event["event_type"]?.text {
            case EventSchema.modelCall:
                calls.append((event["seq"]?.integer ?? 0, event["uri"]?.text ?? ""))
            case "RetrievalRequest":
                guard let payload = event["payload"], let query = payload["query"]?.text else {
                    continue
                }
                let moment = asOf ?? payload["as_of"]?.text
                let results = try search.results(of: query, asOf: moment)
                let response = payload["request_id"]?.text.flatMap { responses[$0] }
                steps.append(
                    Self.step(event, query, moment, response, results, masker))
            default: break
            }
        }
        notReplayed = calls.sorted { $0.sequence < $1.sequence }.map(\.uri)
    }

    private static func step(
        _ event: JSONValue, _ query: String, _ asOf: String?, _ response: JSONValue?,
        _ found: [GoldenQuery.Result], _ masker: TextMasker?
    ) -> Step {
        let recorded = response?["hit_uris"]?.items?.compactMap(\.text) ?? []
        let scores = response?["fused_scores"]?.items?.compactMap { value -> Double? in
            switch value {
            case .number(let number): number
            case .integer(let number): Double(number)
            case .decimal(let number): Double("\(number)")
            default: nil
            }
        }
        let uris = found.prefix(max(recorded.count, 1)).map(\.uri)
        let verdict: String
        if response == nil {
            verdict = "not recorded"
        } else if Set(uris) != Set(recorded) {
            verdict = "documents"
        } else if uris != recorded {
            verdict = "order"
        } else if let scores, scores.count == recorded.count,
            !zip(scores, found).allSatisfy({ abs($0 - $1.score) <= GoldenQuery.tolerance })
        {
            verdict = "scores"
        } else {
            verdict = "same"
        }
        func shown(_ text: String) -> String { masker?.mask(text) ?? text }
        return Step(
            request: event["uri"]?.text ?? "", query: shown(query), asOf: asOf, verdict: verdict,
            recorded: recorded.map(shown),
            found: found.map { GoldenQuery.Result(uri: shown($0.uri), score: $0.score) })
    }

    /// The report for people.
    public func markdown(_ title: String) -> String {
        var text = "# Replay of \(title)\n\nRetrieval is run again and compared; what models said "
        text +=
            "is not asked for again.\n\n| request | query | as of | result |\n|---|---|---|---|\n"
        for step in steps {
            let query = step.query.replacing("|", with: "\\|").replacing("\n", with: " ")
            text += "| \(step.request) | \(query) | \(step.asOf ?? "the end") | \(step.verdict) |\n"
        }
        text += "\n\(notReplayed.count) calls of models cannot be replayed"
        return text + (notReplayed.isEmpty ? ".\n" : ": \(notReplayed.joined(separator: ", ")).\n")
    }
}
