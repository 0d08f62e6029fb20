import CapsuleAccess
import CapsuleBytes
import CapsuleCrypto
import CapsuleFormat
import CapsuleRuns
import CapsuleSystem
import CapsuleTree
import CapsuleWorkspace
import Crypto
import Glibc
import MemvidFormat

/// Takes one capsule into a workspace: copies it, checks the copy, and only then gives it a name.
struct ImportJob {
    let access: WorkspaceAccess
    let source: String
    let secrets: OpeningSecrets
    let demands: CapsuleSession.Demands
    let mountName: String?
    let progress: ByteProgress

    /// What came of it.
    struct Outcome {
        let record: ImportRecord
        /// Whether it was there already, the same.
        let wasThere: Bool
    }

    private static let pieceLength = 1 << 20

    private var directory: String { "\(access.path)/\(Workspace.importsName)" }

    /// Imports. A refusal leaves nothing but an event.
    func run() throws -> Outcome {
        do {
            return try importFile()
        } catch {
            let reason = Failure.message(of: error)
            try? access.service.note(
                .importRefused, ["source": .text(source), "reason": .text(reason)])
            throw error
        }
    }

    private func importFile() throws -> Outcome {
        guard mkdir(directory, 0o700) == 0 || errno == EEXIST else {
            throw SystemError.last("create", directory)
        }
        let file = "\(Text.hex(Environment.random(16))).mv2e"
        let copy = try AtomicFile(path: "\(directory)/\(file)")
        let digest = try fill(copy)
        // Reads the copy itself, whatever becomes of the file that came.
        let place = "/proc/self/fd/\(copy.descriptor)"
        if let storage = try MemvidOpener.storage(path: place) {
            return try importMemvid(storage, file, digest)
        }
        let (capsule, record) = try examine(place, file, digest)
        if let known = try same(record) { return Outcome(record: known, wasThere: true) }
        try copy.publish(replacing: false)
        return try keep(record, capsule.keys)
    }

    private func fill(_ copy: AtomicFile) throws -> String {
        var facts = stat()
        guard stat(source, &facts) == 0 else { throw SystemError.last("open", source) }
        guard facts.st_mode & S_IFMT == S_IFREG else {
            throw AccessError(.usage, code: "unusable_path", "\(source): it is no regular file")
        }
        let input = try FileStorage(path: source)
        var hasher = SHA256()
        let length = try input.length()
        var done: UInt64 = 0
        while done < length {
            let count = Int(min(UInt64(Self.pieceLength), length - done))
            guard let bytes = try input.bytes(count, at: done) else { break }
            hasher.update(data: bytes)
            try copy.write(bytes, at: done)
            done += UInt64(count)
        }
        return Text.hex(hasher.finalize())
    }

    // MARK: Capsules

    private func examine(
        _ place: String, _ file: String, _ digest: String
    ) throws -> (Capsule, ImportRecord) {
        let copy = try FileStorage(path: place)
        do throws(FormatError) {
            _ = try CapsuleFile(copy)
        } catch {
            throw AccessError(error, path: source)
        }
        var examination = Examination(path: source, at: place, progress: progress)
        var report: SignatureReport?
        let keys = try examination.examineClearParts { capsule in
            report = try checkedSignatures(capsule)
            return try secrets.unlock(capsule, path: source)
        }
        if let clear = examination.file, let keys {
            examination.examineBlocks(clear, sample: nil)
            examination.examineTree(clear, keys, readsFiles: true)
        }
        guard !examination.hasErrors, let capsule = examination.capsule else {
            let faults = examination.findings.filter { $0.severity == .error }
            throw AccessError(
                .system, code: "damaged",
                "\(source): it is not imported: \(faults.first?.message ?? "it cannot be read"); "
                    + "get the file again")
        }
        let signer = report?.items.first { $0.verdict == .known }
        var record = ImportRecord(
            name: "", file: file, source: source, sourceDigest: digest,
            contentDigest: try TreeFingerprint.of(capsule), format: "capsule",
            trust: report?.verdict == .known ? .verified : .unverified,
            signer: signer.map { [$0.fingerprint, $0.principal].compactMap(\.self) }
                .map { $0.joined(separator: " ") },
            seconds: Environment.wallClock().seconds,
            checks: examination.findings.map {
                ImportRecord.Check(
                    check: $0.check, result: $0.severity.rawValue, message: $0.message)
            })
        try describe(&record, capsule)
        if record.run != nil, let check = Self.goldenCheck(capsule) { record.checks.append(check) }
        return (capsule, record)
    }

    /// A list of signers says who is known; that somebody known has signed is another demand.
    private func checkedSignatures(_ capsule: CapsuleFile) throws -> SignatureReport {
        guard let list = demands.allowedSignersFile, !demands.requiresVerified else {
            return try CapsuleSession.checkSignatures(capsule, path: source, demands)
        }
        let report = SignatureReport(capsule, signers: try TrustStore.signers(file: list))
        if report.verdict == .wrong || report.verdict == .missing {
            var strict = demands
            strict.allowedSignersFile = nil
            return try CapsuleSession.checkSignatures(capsule, path: source, strict)
        }
        return report
    }

    /// Whether searches find here what they found where the capsule was made.
    private static func goldenCheck(_ tree: any ReadableTree) -> ImportRecord.Check? {
        do {
            return try agreement(tree)
        } catch {
            return ImportRecord.Check(
                check: "golden", result: "warning",
                message: "its golden queries cannot be tried: \(error)")
        }
    }

    private static func agreement(_ tree: any ReadableTree) throws -> ImportRecord.Check? {
        let queries = try GoldenQuery.file(in: tree)
        if queries.isEmpty { return nil }
        let search = GoldenSearch(tree)
        let different = try queries.filter { query in
            !GoldenQuery.agree(try search.results(of: query), query.results)
        }
        guard !different.isEmpty else {
            return ImportRecord.Check(
                check: "golden", result: "ok",
                message: "\(queries.count) golden queries find what they found")
        }
        let names = different.map(\.name).joined(separator: ", ")
        return ImportRecord.Check(
            check: "golden", result: "warning",
            message: "golden queries find something else here: \(names)")
    }

    /// What a run that was exported says of itself, and the name that follows from it.
    private func describe(_ record: inout ImportRecord, _ tree: any ReadableTree) throws {
        if let found = try tree.resolve([Array("manifest.json".utf8)]), found.entry.isRegular,
            found.entry.size < 64 << 20
        {
            let bytes = try URIResolver.read(found.entry, in: tree)
            if let manifest = try? JSONValue(parsing: bytes, "manifest.json"),
                manifest["spec_id"]?.text != nil
            {
                record.describe(manifest)
                record.policies = try ContentsOf.names(of: "policy", in: tree)
            }
        }
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

    /// The import of the same name, if its content is the same too. What is known of its origin may
    /// be more by now. Throws where the content is another.
    private func same(_ record: ImportRecord) throws -> ImportRecord? {
        let entry = try access.service.ledger(.import).first { $0.name == record.name }
        guard let entry else { return nil }
        var known = try ImportRecord(entry)
        guard known.contentDigest == record.contentDigest else {
            throw AccessError(
                .usage, code: "mount_conflict",
                "there is an import '\(record.name)' with other content: give another name with "
                    + "--mount-as, or remove that one with 'capsule imports remove'")
        }
        (known.trust, known.signer, known.checks) = (record.trust, record.signer, record.checks)
        var details = record.details
        details["already_there"] = .flag(true)
        try access.service.changeLedger(
            .replace(known.entry(secret: entry.secret)), .imported, details)
        return known
    }

    private func keep(_ record: ImportRecord, _ keys: FileKeys) throws -> Outcome {
        do {
            let secret = try LedgerKey.seal(
                keys.fileKey.withUnsafeBytes { Array($0) }, of: record.file,
                to: try access.service.ledgerRecipient(),
                workspace: try access.service.workspaceID())
            try access.service.changeLedger(
                .insert(record.entry(secret: secret)), .imported, record.details)
        } catch {
            unlink("\(directory)/\(record.file)")
            throw error
        }
        return Outcome(record: record, wasThere: false)
    }

    // MARK: Memvid

    /// A file of Memvid's becomes a capsule that nobody but the workspace can open.
    private func importMemvid(
        _ storage: FileStorage, _ file: String, _ digest: String
    ) throws -> Outcome {
        guard !demands.requiresVerified else {
            throw AccessError(
                .validation, code: "unsigned",
                "\(source): a Memvid file is not signed as a capsule is, so nothing proves its "
                    + "origin")
        }
        let opened = try MemvidOpener.open(storage, path: source, secrets: secrets)
        let tree = try MemvidOpener.tree(opened, path: source)
        let walk = try Self.walk(tree, progress, source)
        var record = ImportRecord(
            name: "", file: file, source: source, sourceDigest: digest,
            contentDigest: try TreeFingerprint.of(tree), format: "memvid", trust: .unverified,
            signer: nil, seconds: Environment.wallClock().seconds, checks: [walk])
        try describe(&record, tree)
        if let known = try same(record) { return Outcome(record: known, wasThere: true) }
        let key = SharedSecret(SecretBytes.random(32))
        let path = "\(directory)/\(file)"
        let request = SealRequest(
            source: source, destination: path,
            slots: [SealRequest.Slot(.keyFile(key), label: "workspace")], lineage: nil,
            creator: "", toolVersion: ToolVersion.text, createdAt: try Provenance.createdAt())
        _ = try TreeSealer(request).seal(tree, sign: { _ in [] })
        do {
            let capsule = try CapsuleOpener.open(path: path)
            var fileKey: SymmetricKey?
            for slot in capsule.slots where fileKey == nil {
                fileKey = try slot.open(keyFile: key.bytes, capsuleID: capsule.header.id)
            }
            guard let fileKey else {
                throw AccessError(.system, code: "system", "\(path): its own key does not open it")
            }
            return try keep(record, FileKeys(fileKey: fileKey, salt: capsule.header.salt))
        } catch {
            unlink(path)
            throw error
        }
    }

    private static func walk(
        _ tree: any ReadableTree, _ progress: ByteProgress, _ source: String
    ) throws -> ImportRecord.Check {
        var walk = TreeWalk(tree, progress)
        walk.run()
        guard walk.faults.isEmpty else {
            throw AccessError(
                .system, code: "damaged",
                "\(source): it is not imported: \(walk.faults[0]); get the file again")
        }
        return ImportRecord.Check(
            check: "files", result: "ok",
            message: "\(walk.entryCount) entries can be read to the last byte")
    }
}

/// What is in directories of a tree.
enum ContentsOf {
    /// The names in a directory of the root; none where there is no such directory.
    static func names(of directory: String, in tree: any ReadableTree) throws -> [String] {
        guard let found = try tree.resolve([Array(directory.utf8)]), found.entry.isDirectory else {
            return []
        }
        var names: [String] = []
        try tree.forEach(in: found.ordinal, found.entry, from: 0) { _, _, name in
            names.append(String(decoding: name, as: UTF8.self))
            return true
        }
        return names
    }
}
