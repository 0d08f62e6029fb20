// What leaves in an export, what stays, and what is said of it.

import CapsuleFormat
import CapsulePolicy
import CapsuleWorkspace
import Testing

@testable import CapsuleRuns

@Suite("Exports")
struct ExportTests {
    private static let mail = "jo.doe" + "@example.org"
    private static let key = "AKIA" + "QYLPMN5HFIQR7XYA"

    private static func item(_ path: String, _ text: String) -> ComposedTree.Item {
        ComposedTree.Item(
            path.split(separator: "/").map { Array($0.utf8) }, .bytes(Array(text.utf8)),
            permissions: 0o644, seconds: 0)
    }

    private static func file(_ path: String, _ bytes: [UInt8]) throws -> ComposedTree.Item {
        let source = ComposedTree(
            [
                ComposedTree.Item(
                    [Array("f".utf8)], .bytes(bytes), permissions: 0o644, seconds: 0)
            ], seconds: 0)
        var made = item(path, "")
        made.content = .file(source, try source.entry(1))
        return made
    }

    private static func event(_ sequence: Int, _ type: String, _ text: String) -> String {
        """
        {"event_type":"\(type)","payload":{"text":"\(text)"},"run_id":"r1","seq":\(sequence),\
        "spec_id":"S","uri":"mv2://ws/S/r1/event/\(sequence)"}

        """
    }

    private static func prepared(
        _ items: [ComposedTree.Item], _ capture: Run.Capture = .prompts,
        _ scope: ExportScope = ExportScope()
    ) throws -> (tree: ComposedTree, result: PreparedExport) {
        let result = try ExportPreparation(
            try EventTests.run(capture), scope: scope, rules: .standard
        ).prepare(items)
        return (result.tree, result)
    }

    private static func text(_ path: String, _ tree: ComposedTree) throws -> String? {
        guard let found = try tree.resolve(path.split(separator: "/").map { Array($0.utf8) })
        else { return nil }
        let entry = try tree.inode(of: found.entry, found.ordinal).entry
        return String(decoding: try URIResolver.read(entry, in: tree), as: UTF8.self)
    }

    private static let manifest = #"{"spec_id":"S","run_id":"r1","workspace_id":"ws"}"#

    @Test("texts are masked, equal values alike, and binaries stay")
    func files() throws {
        let (tree, result) = try Self.prepared([
            Self.item("manifest.json", Self.manifest),
            Self.item("events.jsonl", Self.event(1, "ErrorEvent", Self.mail)),
            try Self.file("artifacts/a.txt", Array("mail \(Self.mail) key \(Self.key)".utf8)),
            try Self.file("artifacts/b.bin", [0, 1, 2, 3, 0, 0, 255]),
        ])
        let file = try #require(try Self.text("artifacts/a.txt", tree))
        #expect(!file.contains(Self.mail) && !file.contains(Self.key))
        #expect(file.contains("[EMAIL:1]"))
        #expect(try Self.text("events.jsonl", tree)?.contains("[EMAIL:1]") == true)
        #expect(try Self.text("artifacts/b.bin", tree) == nil)
        #expect(result.withheld == ["unscannable": 1])
        #expect(result.redactions["EMAIL"] == 2)
        try ExportPreparation.rescan(tree, rules: .standard)
    }

    @Test("nothing is masked or left out when somebody says unsafe")
    func unsafe() throws {
        var scope = ExportScope()
        scope.isSafe = false
        let (tree, _) = try Self.prepared(
            [
                Self.item("manifest.json", Self.manifest),
                Self.item("events.jsonl", Self.event(1, "ToolResult", Self.mail)),
                try Self.file("artifacts/b.bin", [0, 1, 2, 3, 0, 0, 255]),
            ], .prompts, scope)
        #expect(try Self.text("events.jsonl", tree)?.contains(Self.mail) == true)
        #expect(try Self.text("artifacts/b.bin", tree) != nil)
        #expect(throws: RunError.self) {
            try ExportPreparation.rescan(tree, rules: .standard)
        }
    }

    @Test("raw model traffic leaves only if it was recorded in full and somebody asks for it")
    func modelTraffic() throws {
        let line = Self.event(1, EventSchema.modelCall, "what the model said")
        for capture in [Run.Capture.prompts, .full] {
            for isSafe in [true, false] {
                for includes in [true, false] {
                    var scope = ExportScope()
                    scope.isSafe = isSafe
                    scope.includesModelIO = includes
                    let (tree, result) = try Self.prepared(
                        [
                            Self.item("manifest.json", Self.manifest),
                            Self.item("events.jsonl", line),
                        ], capture, scope)
                    let leaves = capture == .full && (includes || !isSafe)
                    let text = try #require(try Self.text("events.jsonl", tree))
                    #expect(text.contains("what the model said") == leaves)
                    #expect(result.withheld == (leaves ? [:] : ["model_io": 1]))
                }
            }
        }
    }

    @Test("what cannot be parsed stays, and the manifest says so")
    func unreadable() throws {
        let (tree, result) = try Self.prepared([
            Self.item("manifest.json", Self.manifest),
            Self.item("events.jsonl", "no json \(Self.key)\n" + Self.event(2, "ErrorEvent", "x")),
        ])
        #expect(result.withheld == ["unreadable": 1] && result.tracks["events"] == 1)
        #expect(try Self.text("manifest.json", tree)?.contains("\"unreadable\"") == true)
    }

    @Test("a name that may not leave fails the export")
    func name() throws {
        let file = try Self.file("artifacts/\(Self.key).txt", [65])
        #expect(throws: RunError.self) { _ = try Self.prepared([file]) }
    }

    @Test("what did not change between checkpoints is one inode")
    func same() throws {
        let bytes = Array("some text".utf8)
        let (tree, _) = try Self.prepared([
            Self.item("manifest.json", Self.manifest), Self.item("events.jsonl", ""),
            try Self.file("artifacts/a", bytes), try Self.file("as-of/c/artifacts/a", bytes),
        ])
        let found = try #require(
            try tree.resolve(["as-of", "c", "artifacts", "a"].map { Array($0.utf8) }))
        #expect(found.entry.isAlias)
        #expect(try Self.text("as-of/c/artifacts/a", tree) == "some text")
    }

    @Test("two preparations of one folder are the same")
    func deterministic() throws {
        let items = [
            Self.item("manifest.json", Self.manifest),
            Self.item("events.jsonl", Self.event(1, "ErrorEvent", Self.mail)),
            try Self.file("artifacts/a", Array("x \(Self.key)".utf8)),
        ]
        let one = try TreeFingerprint.of(try Self.prepared(items).tree)
        #expect(try TreeFingerprint.of(try Self.prepared(items).tree) == one)
    }
}

@Suite("Queries")
struct QueryTests {
    private static func index(_ texts: [String: String]) throws -> CorpusIndex {
        let items = texts.map { name, text in
            ComposedTree.Item(
                [Array(name.utf8)], .bytes(Array(text.utf8)), permissions: 0o644, seconds: 0)
        }
        return try CorpusIndex([try RunCorpus(ComposedTree(items, seconds: 0))])
    }

    @Test(
        "a placeholder is one word for its kind, and no other text is",
        arguments: [
            ("[EMAIL:1]", ["one", "two"]), ("[EMAIL:77]", ["one", "two"]), ("[IPV4:1]", ["two"]),
            ("EMAIL", ["key", "open"]), ("maskedEMAIL", ["plain"]), ("[A:b]", ["odd"]),
            ("\u{1}EMAIL", ["key", "open"]), ("[PHONE:1]", []), ("a", ["odd", "one", "two"]),
        ])
    func placeholders(_ query: String, _ expected: [String]) throws {
        let index = try Self.index([
            "one": "a[EMAIL:12]b", "two": "a [[EMAIL:1]] [IPV4:1]", "key": "[EMAIL]",
            "open": "[EMAIL:3", "plain": "maskedEMAIL", "odd": "[A:b]",
        ])
        let found = try index.find(CorpusIndex.words(query), limit: 10)
        #expect(found.map { $0.document.uri.dropFirst(11) }.sorted() == expected.map { $0[...] })
    }

    @Test("the number of a placeholder changes no score, and is shown")
    func snippets() throws {
        func text(_ number: Int) -> String {
            "see /ho" + "me/[HOME_DIRECTORY:\(number)]/x maskedTOKEN42 x"
        }
        let (one, other) = (try Self.index(["f": text(1)]), try Self.index(["f": text(2)]))
        let (hits, others) = (try one.find(["see"], limit: 1), try other.find(["see"], limit: 1))
        #expect(hits.map(\.score) == others.map(\.score))
        for masker in [nil, TextMasker()] {
            #expect(try one.snippets(of: hits, ["see"], masker) == [text(1)])
        }
    }

    @Test("precision, recall and the place of the first")
    func metrics() throws {
        let query = GoldenQuery(
            name: "g", query: "x", of: try RunName(spec: "S", run: "r"), asOf: nil,
            expected: ["b", "c"])
        let found = ["a", "b"].map { GoldenQuery.Result(uri: $0, score: 1) }
        let metrics = query.metrics(of: found)
        #expect(metrics.precision == 0.5 && metrics.recall == 0.5 && metrics.reciprocalRank == 0.5)
        #expect(GoldenQuery.agree(found, found))
        #expect(!GoldenQuery.agree(found, found.reversed()))
    }

    @Test(
        "a URI keeps any name, and nothing leads out of the run",
        arguments: [
            "a b/%", "ü/..x", "c+d?e#f",
        ])
    func uris(_ path: String) throws {
        let name = try RunName(spec: "S", run: "r")
        let parts = [Array("artifacts".utf8)] + path.split(separator: "/").map { Array($0.utf8) }
        let uri = try #require(RunURI.file(parts, of: name, in: "ws"))
        #expect(RunURI(uri.text) == uri)
        #expect(uri.place(asOf: nil) == parts)
        #expect(RunURI("mv2://ws/S/r/artifact/../x") == nil)
        #expect(RunURI("mv2://ws/S/r/artifact/a%2fb") == nil)
        #expect(RunURI("http://ws/S/r/artifact/a") == nil)
    }
}
