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
final class ImportJob {
    /// What came of it.
    struct Outcome {
        let record: ImportRecord
        /// Whether it was there already, the same.
        let wasThere: Bool
    }

    let access: WorkspaceAccess
    let source: String
    let mountName: String?
    let secrets: OpeningSecrets
    let progress: ByteProgress
    private let demands: CapsuleSession.Demands
    private var examination: Examination
    /// What was checked besides.
    private var otherChecks: [ImportRecord.Check] = []
    /// The SHA-256 of what came, once it is copied, and its length.
    private(set) var digest: String?
    private(set) var length: UInt64 = 0

    private static let pieceLength = 1 << 20

    init(
        access: WorkspaceAccess, source: String, secrets: OpeningSecrets,
        demands: CapsuleSession.Demands, mountName: String?, progress: ByteProgress
    ) {
        self.access = access
        self.source = source
        self.secrets = secrets
        self.demands = demands
        self.mountName = mountName
        self.progress = progress
        examination = Examination(path: source, progress: progress)
    }

    /// The checks that were made so far, and what they said.
    var checks: [ImportRecord.Check] {
        examination.findings.map {
            ImportRecord.Check(check: $0.check, result: $0.severity.rawValue, message: $0.message)
        } + otherChecks
    }

    /// Notes what a check said.
    func add(_ result: Examination.Severity, _ check: String, _ message: String) {
        otherChecks.append(
            ImportRecord.Check(check: check, result: result.rawValue, message: message))
    }

    /// Makes a check that throws where it fails.
    func checking<Result>(_ check: String, _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch {
            add(.error, check, Failure.message(of: error))
            throw error
        }
    }

    /// Imports. A refusal leaves nothing but an event, with what was known by then.
    func run() throws -> Outcome {
        do {
            let folder = try ImportsFolder.share(access.path)
            // Until it is registered, nobody takes its file for one that was left.
            return try withExtendedLifetime(folder) { try importFile(folder.path) }
        } catch {
            var details: [String: EventValue] = [
                "source": .text(AbsolutePath.of(source)),
                "reason": .text(Failure.message(of: error)),
                "checks": ImportRecord.details(of: checks),
            ]
            if let digest { details["source_sha256"] = .text(digest) }
            try? access.service.note(.importRefused, details)
            throw error
        }
    }

    private func importFile(_ directory: String) throws -> Outcome {
        let path = "\(directory)/\(ImportsFolder.newName(Environment.random(16)))"
        let copy = try AtomicFile(path: path)
        let digest = try fill(copy)
        self.digest = digest
        // Reads the copy itself, whatever becomes of the file that came.
        let place = "/proc/self/fd/\(copy.descriptor)"
        if let storage = try MemvidOpener.storage(path: place) {
            try checking("trust") { try refuseMemvidOnDemand() }
            return try importMemvid(storage, digest, as: path)
        }
        let (capsule, signer) = try examine(place)
        var record = ImportRecord(
            name: "", file: AtomicFile.split(path).base, source: AbsolutePath.of(source),
            sourceDigest: digest, contentDigest: try TreeFingerprint.of(capsule),
            format: "capsule", trust: signer == nil ? .unverified : .verified,
            signer: signer.map { [$0.fingerprint, $0.principal].compactMap(\.self) }
                .map { $0.joined(separator: " ") },
            seconds: Environment.wallClock().seconds, checks: [])
        (record.fileDigest, record.fileLength) = (digest, length)
        try checking("run") { try describe(&record, capsule) }
        record.checks = checks
        let known = try same(record)
        if let known, known.trust == .verified || record.trust == .unverified {
            return try noteAgain(record, known)
        }
        try copy.publish(replacing: false)
        return try register(record, capsule.keys, at: path, insteadOf: known)
    }

    private func fill(_ copy: AtomicFile) throws -> String {
        var facts = stat()
        guard stat(source, &facts) == 0 else { throw SystemError.last("open", source) }
        guard facts.st_mode & S_IFMT == S_IFREG else {
            throw AccessError(.usage, code: "unusable_path", "\(source): it is no regular file")
        }
        let input = try FileStorage(path: source)
        var hasher = SHA256()
        let end = try input.length()
        var done: UInt64 = 0
        while done < end {
            let count = Int(min(UInt64(Self.pieceLength), end - done))
            guard let bytes = try input.bytes(count, at: done) else { break }
            hasher.update(data: bytes)
            try copy.write(bytes, at: done)
            done += UInt64(count)
        }
        length = done
        return Text.hex(hasher.finalize())
    }

    // MARK: Capsules

    /// Checks the copy to the last byte; returns who is known to have signed it.
    private func examine(
        _ place: String
    ) throws -> (capsule: Capsule, signer: SignatureReport.Item?) {
        try checking("structure") {
            let copy = try FileStorage(path: place)
            do throws(FormatError) {
                _ = try CapsuleFile(copy)
            } catch {
                throw AccessError(error, path: source)
            }
        }
        // The check of the origin says what the signers say who decide.
        examination = Examination(
            path: source, at: place,
            signers: try demands.allowedSignersFile.map { try TrustStore.signers(file: $0) },
            progress: progress)
        var report: SignatureReport?
        let keys = try examination.examineClearParts { capsule in
            report = try checking("trust") { try checkedSignatures(capsule) }
            return try checking("secret") { try secrets.unlock(capsule, path: source) }
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
        return (capsule, report?.items.first { $0.verdict == .known })
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

    private func refuseMemvidOnDemand() throws {
        guard !demands.requiresVerified else {
            throw AccessError(
                .validation, code: "unsigned",
                "\(source): a Memvid file is not signed as a capsule is, so nothing proves its "
                    + "origin")
        }
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
