import ArgumentParser
import CapsuleAccess
import CapsuleBytes
import CapsuleCrypto
import CapsuleFormat

/// `capsule inspect`.
struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Print facts about a capsule that need no key.",
        discussion: "See capsule-inspect(1).")

    @Argument(help: "The capsule.") var file: String
    @OptionGroup var outputOptions: OutputOptions

    func run() throws {
        if let storage = try MemvidOpener.storage(path: file) {
            return try MemvidFacts(storage, path: file).show(asJSON: outputOptions.json)
        }
        let facts = CapsuleFacts(try CapsuleOpener.open(path: file), path: file)
        if outputOptions.json { Output.json(facts) } else { facts.print() }
    }
}

/// What the clear parts of a capsule say. Nothing here is proven by itself.
struct CapsuleFacts: Encodable {
    struct Slot: Encodable {
        let number: Int
        let kind: String
        let argon2id: String?
    }

    struct Stream: Encodable {
        let name: String
        let blocks: UInt64
        let stored: UInt64
        let plaintext: UInt64
    }

    struct Claim: Encodable {
        let label: String?
        let hint: String?
        let lineage: String?
        let version: UInt64?
        let signers: [String]
    }

    let path: String
    let formatVersion: UInt16
    let capsuleID: String
    let fileLength: UInt64
    let root: String
    let slots: [Slot]
    let isPostQuantum: Bool
    let streams: [Stream]
    let expectedSigners: [String]
    let claimed: Claim

    private enum CodingKeys: String, CodingKey {
        case path, root, slots, streams, claimed
        case formatVersion = "format_version"
        case capsuleID = "capsule_id"
        case fileLength = "file_length"
        case isPostQuantum = "post_quantum"
        case expectedSigners = "expected_signers"
    }

    init(_ file: CapsuleFile, path: String) {
        self.path = path
        formatVersion = Header.version
        capsuleID = Text.hex(file.header.id)
        fileLength = file.trailer.fileLength
        root = file.trailer.root.hex
        slots = file.slots.enumerated().map { index, slot in
            Slot(
                number: index + 1, kind: slot.kind.name,
                argon2id: slot.cost.map { "t=\($0.passes), m=\($0.memoryKiB) KiB, p=\($0.lanes)" })
        }
        isPostQuantum = !file.slots.contains { $0.kind == .x25519 }
        streams = file.trailer.streams.map {
            Stream(
                name: $0.id.name, blocks: $0.blockCount, stored: $0.end - $0.start,
                plaintext: $0.logicalLength)
        }
        expectedSigners = file.header.expectedSigners.map(SSHPublicKey.text(ofFingerprint:))
        let lineage = file.header.lineage
        claimed = Claim(
            label: file.header.label.isEmpty ? nil : file.header.label,
            hint: file.header.hint.isEmpty ? nil : file.header.hint,
            lineage: lineage.map { Text.hex($0.id) }, version: lineage?.version,
            signers: file.signatures.map {
                (try? SSHSignatureKey.fingerprint(of: $0)) ?? "unreadable"
            })
    }

    func print() {
        var table = Table()
        table.add("capsule", Text.escaped(Array(path.utf8)))
        table.add("format", "version \(formatVersion)")
        table.add("id", capsuleID)
        table.add("size", "\(fileLength) bytes (\(Human.bytes(fileLength)))")
        table.add("root", root)
        for slot in slots {
            table.add(
                "slot \(slot.number)", slot.kind + (slot.argon2id.map { ", Argon2id \($0)" } ?? ""))
        }
        table.add("post-quantum", isPostQuantum ? "yes" : "no: it has a classical recipient")
        for stream in streams {
            table.add(
                "stream",
                "\(stream.name): \(stream.blocks) blocks, "
                    + "\(Human.bytes(stream.stored)) stored, "
                    + "\(Human.bytes(stream.plaintext)) of plaintext")
        }
        for signer in expectedSigners { table.add("expects", "a signature of \(signer)") }
        for signer in claimed.signers { table.add("claimed", "signed by \(signer)") }
        if let label = claimed.label { table.add("claimed", "label \(escaped(label))") }
        if let hint = claimed.hint { table.add("claimed", "hint \(escaped(hint))") }
        if let lineage = claimed.lineage, let version = claimed.version {
            table.add("claimed", "version \(version) of lineage \(lineage)")
        }
        table.print()
        Output.line("Nothing here is verified; see 'capsule verify'.")
    }

    private func escaped(_ text: String) -> String { "'\(Text.escaped(Array(text.utf8)))'" }
}
