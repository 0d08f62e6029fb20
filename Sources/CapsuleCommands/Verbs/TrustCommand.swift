import ArgumentParser
import CapsuleAccess
import CapsuleBytes
import CapsuleCrypto
import CapsuleFormat

/// `capsule trust`.
struct TrustCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trust", abstract: "Pin signers, and see or accept the versions seen.",
        discussion: "See capsule-trust(1).",
        subcommands: [
            TrustListCommand.self, TrustAddCommand.self, TrustRemoveCommand.self,
            TrustAcceptCommand.self,
        ])
}

struct TrustListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List pinned signers and the newest versions seen.")

    @OptionGroup var outputOptions: OutputOptions

    private struct Signer: Encodable {
        let name: String
        let key: String
        let validAfter: String?
        let validBefore: String?

        private enum CodingKeys: String, CodingKey {
            case name, key
            case validAfter = "valid_after"
            case validBefore = "valid_before"
        }
    }

    private struct Seen: Encodable {
        let signer: String
        let lineage: String
        let newest: TrustStore.Newest
    }

    private struct Result: Encodable {
        let signers: [Signer]
        let seen: [Seen]
    }

    func run() throws {
        let store = TrustStore()
        let signers = try store.signers()
        let seen = try store.newest().sorted { $0.key < $1.key }.map { key, newest in
            let words = key.split(separator: " ").map(String.init)
            return Seen(signer: words.first ?? "", lineage: words.last ?? "", newest: newest)
        }
        let rows = signers.signers.map {
            Signer(
                name: $0.principals, key: $0.key.fingerprintText, validAfter: $0.validAfter,
                validBefore: $0.validBefore)
        }
        for line in signers.skippedLines {
            Output.warn("\(store.signersPath): line \(line) is not understood")
        }
        if outputOptions.json { return Output.json(Result(signers: rows, seen: seen)) }
        var table = Table()
        for row in rows { table.add("signer", Text.escaped(Array(row.name.utf8)), row.key) }
        for item in seen {
            table.add(
                "seen", "version \(item.newest.version) of \(item.lineage)",
                "\(item.signer), \(item.newest.seenAt)")
        }
        table.print()
    }
}

struct TrustAddCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Pin a signer's public key under a name.")

    @Argument(help: "The name, such as a mail address.") var name: String
    @Argument(help: "A .pub file, or a capsule with --from-capsule.") var file: String
    @Flag(name: .long, help: "Take the key of the only valid signature of capsule FILE.")
    var fromCapsule = false

    func run() throws {
        let key = fromCapsule ? try keyOfCapsule() : try SigningKey(path: file).publicKey
        try TrustStore().add(key, principal: name)
        Output.line("pinned \(key.fingerprintText) as \(name)")
    }

    private func keyOfCapsule() throws -> SSHPublicKey {
        let report = SignatureReport(try CapsuleOpener.open(path: file), signers: nil)
        guard report.validKeys.count == 1, let key = report.validKeys.first else {
            throw AccessError(
                .usage, code: "not_found",
                "\(file): it has \(report.validKeys.count) valid signatures, not one")
        }
        return key
    }
}

struct TrustRemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Unpin the keys of a name or fingerprint.")

    @Argument(help: "The name, or SHA256:…") var name: String

    func run() throws {
        let count = try TrustStore().remove(name)
        guard count > 0 else {
            throw AccessError(.usage, code: "not_found", "no signer '\(name)' is pinned")
        }
        Output.line("unpinned \(count)")
    }
}

struct TrustAcceptCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accept",
        abstract: "Take this version of a lineage as the newest, although another was seen.")

    @Argument(help: "The capsule.") var file: String
    @OptionGroup var session: SessionOptions

    func run() throws {
        var demands = try session.demanding.demands
        demands.ignoresHistory = true
        let opened = try CapsuleSession.open(
            path: file, secrets: session.opening.secrets, demands: demands)
        guard !opened.signatures.validKeys.isEmpty else {
            throw AccessError(
                .usage, code: "unsigned", "\(file): versions are only kept of signed capsules")
        }
        do {
            let lineage = try opened.capsule.manifest().lineage
            try TrustStore().remember(
                lineage, root: opened.capsule.file.trailer.root,
                signers: opened.signatures.validKeys, accepting: true)
            Output.line("accepted version \(lineage.version) of lineage \(lineage.id)")
        } catch let error as FormatError {
            throw AccessError(error, path: file)
        }
    }
}
