import CapsuleAccess
import CapsuleBytes
import CapsuleCrypto
import CapsuleFormat
import CapsuleSystem

/// What doctor looks at, and what it finds.
struct Examination {
    enum Severity: String, Encodable {
        case ok
        case warning
        case error
    }

    struct Finding: Encodable {
        let severity: Severity
        let check: String
        let object: String
        let message: String
        let remedy: String?
        /// The same as `check`, under the name that errors have it.
        var code: String { check }

        private enum CodingKeys: String, CodingKey {
            case severity, check, code, object, message, remedy
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(severity, forKey: .severity)
            try container.encode(check, forKey: .check)
            try container.encode(code, forKey: .code)
            try container.encode(object, forKey: .object)
            try container.encode(message, forKey: .message)
            try container.encodeIfPresent(remedy, forKey: .remedy)
        }
    }

    let path: String
    private(set) var findings: [Finding] = []
    private(set) var file: CapsuleFile?
    private(set) var capsule: Capsule?
    let progress: ByteProgress
    /// What is read, where that has another name than what is examined.
    private let place: String
    /// Who is known, instead of the pinned signers.
    private let signers: AllowedSigners?

    init(
        path: String, at place: String? = nil, signers: AllowedSigners? = nil,
        progress: ByteProgress
    ) {
        self.path = path
        self.signers = signers
        self.place = place ?? path
        self.progress = progress
    }

    var hasErrors: Bool { findings.contains { $0.severity == .error } }

    /// Adds a finding; without `object`, about what is examined.
    mutating func add(
        _ severity: Severity, _ check: String, _ message: String, of object: String? = nil,
        remedy: String?
    ) {
        findings.append(
            Finding(
                severity: severity, check: check, object: object ?? path, message: message,
                remedy: remedy))
    }

    private mutating func add(_ check: String, _ error: FormatError) {
        add(
            .error, check, String(describing: error),
            remedy: file == nil
                ? "get the file again: without these parts nothing in it can be found"
                : "get the file again; '--salvage DIR' saves what is intact")
    }

    /// Constant time: header, areas, trailer, origin; with a key also what it authenticates.
    mutating func examineClearParts(
        unlock: (CapsuleFile) throws -> FileKeys?
    ) throws -> FileKeys? {
        let storage = try FileStorage(path: place)
        let file: CapsuleFile
        do throws(FormatError) {
            file = try CapsuleFile(storage)
        } catch {
            if error.code == .notACapsule { throw AccessError(error, path: path) }
            add("structure", error)
            return nil
        }
        self.file = file
        add(.ok, "structure", "header, slots, signatures and trailer are whole", remedy: nil)
        examineCopies([("slot", file.slotAreas), ("signature", file.signatureAreas)])
        examineSlots(file)
        examineOrigin(file)
        let keys = try unlock(file)
        guard let keys else {
            add(
                .warning, "authenticity", "no secret was given: only hashes were checked",
                remedy: "name a secret to check what the key authenticates")
            return nil
        }
        do throws(FormatError) {
            capsule = try Capsule(file, keys: keys)
            add(.ok, "authenticity", "header, trailer and slots are authentic", remedy: nil)
        } catch {
            add("authenticity", error)
        }
        return keys
    }

    /// Whether both copies of the areas are there, and alike.
    mutating func examineCopies(_ areas: [(name: String, pair: AreaPair)]) {
        for (name, pair) in areas {
            if let fault = pair.otherFault {
                add(
                    .error, "copies", "the spare copy of the \(name) area: \(fault)",
                    remedy: "any change of its slots or signatures writes both copies again")
            } else if pair.differs {
                add(
                    .warning, "copies",
                    "the two copies of the \(name) area differ: a change was "
                        + "cut off", remedy: "make the change again")
            }
        }
    }

    private mutating func examineSlots(_ file: CapsuleFile) {
        if file.slots.contains(where: { $0.kind == .x25519 }) {
            add(
                .warning, "slots", "a classical recipient can open it: it is not post-quantum",
                remedy: "use an age1pq1 recipient")
        }
        for slot in file.slots {
            guard let cost = slot.cost else { continue }
            if cost.work < Argon2id.Cost.standard.work {
                add(
                    .warning, "slots", "a passphrase costs less than the recommended Argon2id work",
                    remedy: "add a slot with the default cost and remove this one")
            }
        }
    }

    private mutating func examineOrigin(_ file: CapsuleFile) {
        let report = SignatureReport(file, signers: signers ?? (try? TrustStore().signers()))
        let whose = signers == nil ? "pinned" : "in the list of signers"
        switch report.verdict {
        case .known:
            add(.ok, "origin", "a signer who is \(whose) has signed it", remedy: nil)
        case .unknown:
            add(
                .warning, "origin", "it is signed, but by nobody \(whose)",
                remedy: "'capsule trust add' pins a signer")
        case .unsigned:
            add(
                .warning, "origin", "it is not signed: nothing proves its origin",
                remedy: "'capsule sign' adds a signature")
        case .wrong:
            add(
                .error, "origin", "a signature does not fit the capsule",
                remedy: "get the file again from whoever signed it")
        case .missing:
            add(
                .error, "origin",
                "the signature of \(report.missing.joined(separator: ", ")) is missing",
                remedy: "get the file again, or 'capsule trust' forgets what was seen")
        }
    }

    /// Hashes all blocks, or those that `sample` chooses.
    mutating func examineBlocks(
        _ file: CapsuleFile, sample: (@Sendable (UInt64) -> Bool)?
    ) {
        let report = CapsuleVerifier(file, progress: progress.add).verify(sample: sample)
        let faults = report.faults.filter { fault in
            // The copies of the areas have been reported.
            (fault.offset ?? file.header.dataOffset) >= file.header.dataOffset
        }
        for fault in faults { add("blocks", fault) }
        if faults.isEmpty {
            add(
                .ok, "blocks", "\(report.blockCount) blocks, \(report.byteCount) bytes are intact",
                remedy: nil)
        }
    }

    /// Walks every entry; with `readsFiles` opens every block of every file.
    mutating func examineTree(_ file: CapsuleFile, _ keys: FileKeys, readsFiles: Bool) {
        guard let capsule else { return }
        guard readsFiles else {
            do throws(FormatError) {
                _ = try capsule.manifest()
                _ = try capsule.index.entry(0)
                add(.ok, "tree", "the root directory and the manifest can be read", remedy: nil)
            } catch {
                add("tree", error)
            }
            return
        }
        var walk = TreeWalk(capsule, progress)
        walk.run()
        do throws(FormatError) {
            _ = try capsule.manifest()
        } catch {
            walk.note("the manifest", error)
        }
        for fault in walk.faults {
            add(
                .error, "files", fault.text, of: fault.object,
                remedy: "'--salvage DIR' saves the others")
        }
        if walk.faults.isEmpty {
            add(
                .ok, "files", "\(walk.entryCount) entries can be read to the last byte",
                remedy: nil)
        }
    }
}

/// Doctor's findings as output.
struct Diagnosis: Encodable {
    private let path: String
    private let status: Examination.Severity
    private let findings: [Examination.Finding]
    private let errors: Int
    private let warnings: Int
    private let saved: Int?

    init(_ examination: Examination, saved: Int?) {
        path = examination.path
        findings = examination.findings
        status =
            findings.contains { $0.severity == .error }
            ? .error : findings.contains { $0.severity == .warning } ? .warning : .ok
        errors = findings.count { $0.severity == .error }
        warnings = findings.count { $0.severity == .warning }
        self.saved = saved
    }

    func print() {
        for finding in findings {
            Output.line("\(finding.severity.rawValue)  \(finding.check): \(finding.message)")
            if let remedy = finding.remedy { Output.line("       \(remedy)") }
        }
        if let saved { Output.line("saved \(saved) entries") }
        Output.line("\(path): \(errors) errors, \(warnings) warnings")
    }
}
