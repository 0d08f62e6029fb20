import CapsuleAccess
import CapsuleCrypto
import CapsuleFormat
import CapsuleRuns
import CapsuleSystem
import CapsuleTree
import CapsuleWorkspace
import Crypto
import Glibc
import MemvidFormat

/// What an import says of itself, and how the workspace remembers it.
extension ImportJob {
    /// The version of a run's manifest that is known.
    private static let runVersion: Int64 = 1

    /// What a run that was exported says of itself, and the name that follows from it.
    func describe(_ record: inout ImportRecord, _ tree: any ReadableTree) throws {
        if let found = try tree.resolve([Array("manifest.json".utf8)]), found.entry.isRegular,
            found.entry.size < 64 << 20
        {
            let bytes = try URIResolver.read(found.entry, in: tree)
            if let manifest = try? JSONValue(parsing: bytes, "manifest.json"),
                manifest["spec_id"]?.text != nil
            {
                try requireKnownVersion(manifest)
                record.describe(manifest)
                record.policies = try ContentsOf.names(of: "policy", in: tree)
            }
        }
        if record.run != nil { checkGolden(tree) }
        var name = AtomicFile.split(source).base
        if let dot = name.lastIndex(of: "."), dot != name.startIndex { name = String(name[..<dot]) }
        if let spec = record.spec, let run = record.run { name = "\(spec)-\(run)" }
        record.name = mountName ?? name
        guard RunName.isValid(record.name) else {
            throw AccessError(
                .usage, code: "bad_name",
                "'\(record.name)' cannot name an import: give another with --mount-as, of letters, "
                    + "digits, '.', '_' and '-'")
        }
    }

    /// What another version means by what it says is not known.
    private func requireKnownVersion(_ manifest: JSONValue) throws {
        guard let version = manifest["schema_version"] else { return }
        guard version.integer == Self.runVersion else {
            let text = String(decoding: version.line.prefix(20), as: UTF8.self)
            throw AccessError(
                .system, code: "unsupported_version",
                "\(source): the manifest of its run has version \(text), and this program knows "
                    + "version \(Self.runVersion): import it with a capsulefs of the version that "
                    + "made it, or have it exported with one like this")
        }
        add(.ok, "version", "the manifest of its run has version \(Self.runVersion)")
    }

    /// Whether searches find here what they found where the capsule was made.
    private func checkGolden(_ tree: any ReadableTree) {
        do {
            let different = try differentQueries(tree)
            guard let different else { return }
            if different.isEmpty {
                add(.ok, "golden", "its golden queries find what they found")
            } else {
                let names = different.map(\.name).joined(separator: ", ")
                add(.warning, "golden", "golden queries find something else here: \(names)")
            }
        } catch {
            add(.warning, "golden", "its golden queries cannot be tried: \(error)")
        }
    }

    /// The golden queries that find something else here; nil where it has none.
    private func differentQueries(_ tree: any ReadableTree) throws -> [GoldenQuery]? {
        let queries = try GoldenQuery.file(in: tree)
        if queries.isEmpty { return nil }
        let search = GoldenSearch(tree)
        return try queries.filter { query in
            !GoldenQuery.agree(try search.results(of: query), query.results)
        }
    }

    // MARK: The ledger

    private func presentImport(named name: String) throws -> ImportRecord? {
        try access.service.ledger(.import).first { $0.name == name }.map { try ImportRecord($0) }
    }

    /// The import of the same name, if its content is the same too. Throws where it is another.
    func same(_ record: ImportRecord) throws -> ImportRecord? {
        guard let known = try presentImport(named: record.name) else { return nil }
        guard known.contentDigest == record.contentDigest else {
            throw AccessError(
                .usage, code: "mount_conflict",
                "there is an import '\(record.name)' with other content: give another name with "
                    + "--mount-as, or remove that one with 'capsule imports remove'")
        }
        return known
    }

    /// Records that the same came again. What is known of it stays as it is: source, digests and
    /// checks are those of the file that is kept.
    func noteAgain(_ record: ImportRecord, _ known: ImportRecord) throws -> Outcome {
        var details = record.details
        details["already_there"] = .flag(true)
        try access.service.note(.imported, details)
        return Outcome(record: known, wasThere: true)
    }

    /// Registers the import whose file is at a path, in the place of one of the same content of
    /// which less is known, if there is one. Where it cannot be, the file goes; where the ledger
    /// does not answer any more, the file stays for who looks for what was left.
    func register(
        _ record: ImportRecord, _ keys: FileKeys, at path: String,
        insteadOf known: ImportRecord? = nil
    ) throws -> Outcome {
        do {
            let secret = try LedgerKey.seal(
                keys.fileKey.withUnsafeBytes { Array($0) }, of: record.file,
                to: try access.service.ledgerRecipient(),
                workspace: try access.service.workspaceID())
            let entry = record.entry(secret: secret)
            var details = record.details
            if known != nil { details["already_there"] = .flag(true) }
            try access.service.changeLedger(
                known == nil ? .insert(entry) : .replace(entry), .imported, details)
        } catch {
            // The answer alone may be what failed, and somebody may just have imported the same.
            let present = try presentImport(named: record.name)
            guard present?.file == record.file else {
                unlink(path)
                guard known == nil, let other = try same(record) else { throw error }
                return try noteAgain(record, other)
            }
        }
        if let known { unlink("\(AtomicFile.split(path).directory)/\(known.file)") }
        return Outcome(record: record, wasThere: known != nil)
    }

    // MARK: Memvid

    /// A file of Memvid's becomes a capsule that nobody but the workspace can open.
    func importMemvid(
        _ storage: FileStorage, _ digest: String, as path: String
    ) throws -> Outcome {
        let opened = try checking("structure") {
            try MemvidOpener.open(storage, path: source, secrets: secrets)
        }
        let tree = try checking("structure") { try MemvidOpener.tree(opened, path: source) }
        try checking("files") { try walk(tree) }
        var record = ImportRecord(
            name: "", file: AtomicFile.split(path).base, source: AbsolutePath.of(source),
            sourceDigest: digest, contentDigest: try TreeFingerprint.of(tree), format: "memvid",
            trust: .unverified, signer: nil, seconds: Environment.wallClock().seconds, checks: [])
        try checking("run") { try describe(&record, tree) }
        record.checks = checks
        if let known = try same(record) { return try noteAgain(record, known) }
        let key = SharedSecret(SecretBytes.random(32))
        let request = SealRequest(
            source: source, destination: path,
            slots: [SealRequest.Slot(.keyFile(key), label: "workspace")], lineage: nil,
            creator: "", toolVersion: ToolVersion.text, createdAt: try Provenance.createdAt())
        _ = try TreeSealer(request).seal(tree, sign: { _ in [] })
        let keys: FileKeys
        do {
            let stored = try RunExporter.digest(try FileStorage(path: path))
            (record.fileDigest, record.fileLength) = (stored.hex, stored.length)
            keys = try Self.keys(of: path, key)
        } catch {
            unlink(path)
            throw error
        }
        return try register(record, keys, at: path)
    }

    private static func keys(of path: String, _ key: CapsuleCrypto.SharedSecret) throws -> FileKeys
    {
        let capsule = try CapsuleOpener.open(path: path)
        for slot in capsule.slots {
            let fileKey = try slot.open(keyFile: key.bytes, capsuleID: capsule.header.id)
            if let fileKey { return FileKeys(fileKey: fileKey, salt: capsule.header.salt) }
        }
        throw AccessError(.system, code: "system", "\(path): its own key does not open it")
    }

    private func walk(_ tree: any ReadableTree) throws {
        var walk = TreeWalk(tree, progress)
        walk.run()
        guard walk.faults.isEmpty else {
            throw AccessError(
                .system, code: "damaged",
                "\(source): it is not imported: \(walk.faults[0]); get the file again")
        }
        add(.ok, "files", "\(walk.entryCount) entries can be read to the last byte")
    }
}
