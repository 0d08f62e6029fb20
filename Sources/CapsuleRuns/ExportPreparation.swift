import CapsuleBytes
import CapsuleFormat
import CapsulePolicy
import CapsuleWorkspace
import Crypto

/// Makes the folder that leaves out of the folder of a run: what stays is left out, what leaves is
/// masked, and the manifest says so.
public final class ExportPreparation {
    private let run: Run
    private let scope: ExportScope
    private let masker: TextMasker
    private var tracks: [String: Int] = [:]
    private var withheld: [String: Int] = [:]
    private var withheldEvents: [(sequence: Int64, rule: ExportScope.Rule)] = []
    /// The numbers of the events that were masked.
    private var maskedEvents: [Int64] = []
    private var withheldFiles: [[[UInt8]]: String] = [:]
    /// The first path of each content, so that what did not change between checkpoints is there
    /// once.
    private var pathOfContent: [[UInt8]: [[UInt8]]] = [:]
    private var digests: [[[UInt8]]: String] = [:]
    private var changed: Set<[[UInt8]]> = []

    /// The longest text that is scanned, in bytes; a longer one counts as one that cannot be.
    private static let scannedLengthMax: UInt64 = 256 << 20

    /// A preparation with the rules by which secrets are found.
    public init(_ run: Run, scope: ExportScope, rules: RedactionRules) {
        self.run = run
        self.scope = scope
        masker = TextMasker(rules: rules)
    }

    /// Prepares the items of `RunFolder`.
    public func prepare(_ items: [ComposedTree.Item]) throws -> PreparedExport {
        var events: [(sequence: Int64, line: [UInt8])] = []
        var result: [ComposedTree.Item] = []
        let words = [run.name.spec, run.name.run] + run.checkpoints.map(\.label)
        try checkName(words.map { Array($0.utf8) })
        var manifest: JSONValue?
        var described: [ComposedTree.Item] = []
        for item in items {
            try checkName(item.path)
            switch (item.path.count, item.path.last.map { String(decoding: $0, as: UTF8.self) }) {
            case (1, "manifest.json"):
                manifest = try JSONValue(parsing: bytes(of: item), "manifest")
            case (1, "events.jsonl"): events = try filtered(try bytes(of: item))
            case (3, "events.jsonl") where isAsOf(item): described.append(item)
            case (2, _) where item.path[0] == Array("checkpoints".utf8): described.append(item)
            case (2, _) where item.path[0] == Array("policy".utf8):
                tracks["policies", default: 0] += 1
                var left = item
                let policy = try bytes(of: item)
                let masked = mask(policy, path: nil)
                if masked != policy { changed.insert(item.path) }
                left.content = .bytes(masked)
                result.append(left)
            default:
                if let file = try prepared(item) { result.append(file) }
            }
        }
        tracks["events"] = events.count
        var all = item("events.jsonl", Array(events.map { $0.line + [10] }.joined()))
        result.append(all)
        for item in described {
            all = item
            all.content = .bytes(
                isAsOf(item)
                    ? try eventsThen(item, events) : try checkpoint(item))
            result.append(all)
        }
        result.append(item("manifest.json", describe(manifest).line + [10]))
        return PreparedExport(
            items: result, run: run, scope: scope, tracks: tracks,
            checkpoints: run.checkpoints.map(\.label),
            redactions: masker.counts, withheld: withheld)
    }

    private func isAsOf(_ item: ComposedTree.Item) -> Bool {
        item.path[0] == Array("as-of".utf8)
    }

    private func item(_ name: String, _ bytes: [UInt8]) -> ComposedTree.Item {
        ComposedTree.Item(
            [Array(name.utf8)], .bytes(bytes), permissions: 0o444, seconds: run.startedAt)
    }

    private func bytes(of item: ComposedTree.Item) throws -> [UInt8] {
        switch item.content {
        case .bytes(let bytes): return bytes
        case .file(let tree, let entry):
            return try URIResolver.read(entry, in: tree, limit: .max)
        case .link(let target): return target
        case .directory, .same: return []
        }
    }

    private func mask(_ bytes: [UInt8], path: String?) -> [UInt8] {
        scope.isSafe ? masker.mask(bytes, path: path) : bytes
    }

    private func withhold(_ rule: ExportScope.Rule) {
        withheld[rule.rawValue, default: 0] += 1
    }

    // MARK: Golden queries

    /// Adds the golden queries of the run, with what they find in what leaves: a search ranks by
    /// all documents, so results belong to the documents beside them.
    public func add(
        _ queries: [GoldenQuery], over items: [ComposedTree.Item], to prepared: inout PreparedExport
    ) throws {
        guard !queries.isEmpty else { return }
        let whole = GoldenSearch(ComposedTree(items, seconds: run.startedAt))
        let leaving = GoldenSearch(prepared.tree)
        var leavingQueries: [GoldenQuery] = []
        for var query in queries {
            try checkPlain(query)
            let before = try whole.results(of: query)
            query.query = String(decoding: mask(Array(query.query.utf8), path: nil), as: UTF8.self)
            query.results = try leaving.results(of: query)
            query.changedByScope = before.map(\.uri) != query.results.map(\.uri)
            if query.changedByScope == true { prepared.changedQueries.append(query.name) }
            leavingQueries.append(query)
        }
        prepared.items.append(item(GoldenQuery.fileName, GoldenQuery.file(leavingQueries)))
        prepared.tracks["golden_queries"] = queries.count
    }

    /// What a query shall find, and its name, are compared: masked they would be something else.
    private func checkPlain(_ query: GoldenQuery) throws(RunError) {
        guard scope.isSafe else { return }
        let texts = ([query.name] + query.expected).map { Array($0.utf8) }
        guard let kind = texts.lazy.compactMap(masker.firstFinding).first else { return }
        let name = masker.mask(query.name)
        throw RunError(
            .validation, "secret_in_golden",
            "the golden query '\(name)' of run '\(query.run)' has in its name, or expects, "
                + "something that may not leave (\(kind)): remove it with 'capsule golden remove "
                + "--spec \(query.spec) --run \(query.run) \(name)', or take --unsafe")
    }

    // MARK: Names

    /// A name is a part of a URI, which does not change, so it cannot be masked.
    private func checkName(_ path: [[UInt8]]) throws(RunError) {
        guard scope.isSafe, path.first != Array("policy".utf8) else { return }
        for name in path {
            guard let kind = Self.readings(of: name).lazy.compactMap(masker.firstFinding).first
            else { continue }
            let shown = path.map { Text.escaped(masker.mask($0)) }.joined(separator: "/")
            throw RunError(
                .validation, "secret_in_name",
                "'\(shown)': a name holds something that may not leave (\(kind)), and URIs do not "
                    + "change: put the file under another name in a new run, or take --unsafe")
        }
    }

    /// A name as it is, and as text: without what follows its last dots, and with spaces.
    private static func readings(of name: [UInt8]) -> [[UInt8]] {
        var readings = [name, name.map { $0 == 0x5f || $0 == 0x2d ? 0x20 : $0 }]
        var stem = name[...]
        for _ in 0..<3 {
            guard let dot = stem.lastIndex(of: 0x2e) else { break }
            stem = stem[..<dot]
            readings.append(Array(stem))
        }
        return readings
    }

    // MARK: Events

    /// The events that leave, masked.
    private func filtered(_ bytes: [UInt8]) throws -> [(sequence: Int64, line: [UInt8])] {
        var events: [(sequence: Int64, line: [UInt8])] = []
        for (index, line) in bytes.split(separator: 10).enumerated() {
            let sequence = Int64(index) + 1
            let line = Array(line)
            guard let event = try? JSONValue(parsing: line, "event"),
                let type = event["event_type"]?.text, event["seq"]?.integer == sequence
            else {
                withhold(.unreadable)
                withheldEvents.append((sequence, .unreadable))
                continue
            }
            if let rule = scope.withholds(type, capture: run.capture) {
                withhold(rule)
                withheldEvents.append((sequence, rule))
                continue
            }
            let left = scope.isSafe ? try masker.maskJSON(Self.withoutHashes(event, line)) : line
            if left != line { maskedEvents.append(sequence) }
            events.append((sequence, left))
        }
        return events
    }

    /// A hash of what is masked would let anybody check a guess.
    private static func withoutHashes(_ event: JSONValue, _ line: [UInt8]) -> [UInt8] {
        guard event["event_type"]?.text == EventSchema.modelCall,
            case .object(var members) = event, var payload = members["payload"]?.members
        else { return line }
        for side in ["prompt_hash", "response_hash"] { payload[side] = nil }
        members["payload"] = .object(payload)
        return JSONValue.object(members).line
    }

    /// The events up to a checkpoint.
    private func eventsThen(
        _ item: ComposedTree.Item, _ events: [(sequence: Int64, line: [UInt8])]
    ) throws -> [UInt8] {
        let label = String(decoding: item.path[1], as: UTF8.self)
        let last = run.checkpoints.first { $0.label == label }?.sequence ?? 0
        return Array(events.prefix { $0.sequence <= last }.map { $0.line + [10] }.joined())
    }

    // MARK: Files

    private func prepared(_ item: ComposedTree.Item) throws -> ComposedTree.Item? {
        var result = item
        switch item.content {
        case .directory: return item
        case .link(let target):
            let masked = mask(target, path: nil)
            if masked != target { changed.insert(item.path) }
            result.content = .link(masked)
            return result
        case .bytes, .same: return item
        case .file(_, let entry):
            let isPresent = !isAsOf(item)
            guard !scope.isSafe || entry.size <= Self.scannedLengthMax else {
                leave(item, "too long to be scanned", isCounted: isPresent)
                return nil
            }
            guard entry.size <= Self.scannedLengthMax else {
                // Nothing is masked, and it need not be in memory.
                if isPresent { count(item) }
                return item
            }
            let bytes = try bytes(of: item)
            // What is masked depends on the name, too: rules can spare some.
            let digest =
                Array(SHA256.hash(data: bytes)) + [UInt8(item.permissions & 0xff)]
                + (item.path.last ?? [])
            if let first = pathOfContent[digest] {
                if isPresent { count(item) }
                if changed.contains(first) { changed.insert(item.path) }
                digests[item.path] = digests[first]
                result.content = .same(as: first)
                return result
            }
            let reason = scope.isSafe ? unscannable(bytes) : nil
            if let reason, !scope.includesBinaries {
                leave(item, reason, isCounted: isPresent)
                return nil
            }
            let name = String(decoding: item.path.last ?? [], as: UTF8.self)
            let masked = reason == nil ? mask(bytes, path: name) : bytes
            if masked != bytes {
                result.content = .bytes(masked)
                changed.insert(item.path)
            }
            if isPresent { count(item) }
            pathOfContent[digest] = item.path
            digests[item.path] = Text.hex(SHA256.hash(data: masked))
            return result
        }
    }

    private func count(_ item: ComposedTree.Item) {
        tracks[String(decoding: item.path[0], as: UTF8.self), default: 0] += 1
    }

    private func leave(_ item: ComposedTree.Item, _ reason: String, isCounted: Bool) {
        withheldFiles[item.path] = reason
        if isCounted { withhold(.unscannable) }
    }

    private func unscannable(_ bytes: [UInt8]) -> String? {
        switch ContentKind.classify(bytes.prefix(ContentKind.prefixSize)) {
        case .archive(let name): return name
        case .binary: return "binary"
        case .empty, .utf16LittleEndian, .utf16BigEndian: return nil
        case .utf8, .otherText: break
        }
        // It may begin as a text and go on as something else.
        for start in stride(
            from: ContentKind.prefixSize, to: bytes.count, by: ContentKind.prefixSize)
        {
            let part = bytes[start..<min(start + ContentKind.prefixSize, bytes.count)]
            if !ContentKind.classify(part).canBeScanned { return "binary" }
        }
        return nil
    }

    // MARK: What is said of it

    /// A checkpoint whose index says what became of each file.
    private func checkpoint(_ item: ComposedTree.Item) throws -> [UInt8] {
        guard case .object(var members) = try JSONValue(parsing: bytes(of: item), "checkpoint"),
            let label = members["label"]?.text
        else { return [] }
        tracks["checkpoints", default: 0] += 1
        members["uri_index"] = .list(
            (members["uri_index"]?.items ?? []).compactMap { entry in
                guard var fields = entry.members, let text = fields["uri"]?.text,
                    let place = RunURI(text)?.place(asOf: label)
                else { return nil }
                if withheldFiles[place] != nil {
                    fields["status"] = .text("withheld")
                    fields["rule"] = .text(ExportScope.Rule.unscannable.rawValue)
                } else {
                    fields["status"] = .text(changed.contains(place) ? "masked" : "same")
                    fields["sha256"] = digests[place].map { .text($0) }
                }
                return .object(fields)
            })
        let line = JSONValue.object(members).line
        let masked = scope.isSafe ? try masker.maskJSON(line) : line
        if masked != line { changed.insert(item.path) }
        return masked + [10]
    }

    private func describe(_ manifest: JSONValue?) -> JSONValue {
        var members = manifest?.members ?? [:]
        func counts(_ counts: [String: Int]) -> JSONValue {
            .object(counts.mapValues { .integer(Int64($0)) })
        }
        var rules: [String: JSONValue] = [:]
        for rule in withheld.keys {
            rules[rule] = ExportScope.Rule(rawValue: rule).map { .text($0.explanation) }
        }
        func names(_ paths: some Sequence<[[UInt8]]>) -> JSONValue {
            .list(
                paths.map { Text.escaped(Array($0.joined(separator: [0x2f]))) }.sorted().map {
                    .text($0)
                })
        }
        members["export"] = .object([
            "safe_mode": .flag(scope.isSafe),
            "includes_model_io": .flag(scope.includesModelIO || !scope.isSafe),
            "includes_binaries": .flag(scope.includesBinaries || !scope.isSafe),
            "included_tracks": counts(tracks), "withheld": counts(withheld),
            "withheld_rules": .object(rules),
            "withheld_events": .list(
                withheldEvents.map { .list([.integer($0.sequence), .text($0.rule.rawValue)]) }),
            "withheld_files": names(withheldFiles.keys),
            // A list of numbers alone could pass for one that is to be masked.
            "masked_events": .list(
                maskedEvents.map { .list([.integer($0), .text("masked")]) }),
            "masked_files": names(changed),
            "redactions": counts(masker.counts),
        ])
        return .object(members)
    }

    // MARK: Afterwards

    /// Looks through a finished capsule once more. Throws `RunError` for a finding.
    public static func rescan(_ tree: any ReadableTree, rules: RedactionRules) throws {
        let redactor = Redactor(rules: rules)
        for ordinal in 0..<Ordinal(clamping: tree.entryCount) {
            let entry = try tree.inode(of: try tree.entry(ordinal), ordinal).entry
            guard entry.isRegular else { continue }
            let buffer = try URIResolver.read(entry, in: tree, limit: .max)
            switch ContentKind.classify(buffer.prefix(ContentKind.prefixSize)) {
            case .archive, .binary: continue
            case .empty, .utf8, .utf16LittleEndian, .utf16BigEndian, .otherText: break
            }
            let name = try tree.namedEntry(ordinal).name
            let path = String(decoding: name, as: UTF8.self)
            if let finding = redactor.scan(buffer, path: path).first {
                throw RunError(
                    .validation, "masking_failed",
                    "the finished export still holds something that may not leave: "
                        + "\(finding) of '\(Text.escaped(try tree.path(of: ordinal)))'; nothing "
                        + "was written")
            }
        }
    }
}
