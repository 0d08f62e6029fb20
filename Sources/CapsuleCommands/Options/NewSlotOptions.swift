import ArgumentParser
import CapsuleAccess
import CapsuleCrypto
import CapsuleTree

/// Secrets from which slots are made.
struct NewSlotOptions: ParsableArguments {
    @Option(name: .long, help: "Make a slot for the passphrase in FILE.")
    var newPassphraseFile: [String] = []

    @Option(name: .long, help: "Make a slot for the passphrase from descriptor FD.")
    var newPassphraseFd: [Int32] = []

    @Option(name: .long, help: "Make a slot for the passphrase that COMMAND prints.")
    var newPassphraseCommand: [String] = []

    @Option(name: .long, help: "Make a slot for an age recipient, or for each one in @FILE.")
    var recipient: [String] = []

    @Option(
        name: .long, help: "Make a slot for the key file FILE, which is made if it is not there.")
    var newKeyFile: [String] = []

    @Flag(name: .long, help: "Make a slot for a new 24-word recovery phrase, shown once.")
    var recoveryPhrase = false

    @Option(
        name: .long,
        help: "Write the new recovery phrase to FILE (mode 0600) instead of showing it.")
    var newRecoveryPhraseFile: String?

    /// Whether a recovery phrase was asked for.
    var makesRecoveryPhrase: Bool { recoveryPhrase || newRecoveryPhraseFile != nil }

    /// Whether any slot was asked for.
    var isEmpty: Bool {
        newPassphraseFile.isEmpty && newPassphraseFd.isEmpty && newPassphraseCommand.isEmpty
            && recipient.isEmpty && newKeyFile.isEmpty && !makesRecoveryPhrase
    }

    /// The slots asked for. `object` is what the passphrase will protect, for the prompt.
    func slots(cost: Argon2id.Cost, object: String) throws(AccessError) -> [SealRequest.Slot] {
        var slots: [SealRequest.Slot] = []
        var named = OpeningSecrets()
        named.passphraseFiles = newPassphraseFile
        named.passphraseDescriptors = newPassphraseFd
        named.passphraseCommands = newPassphraseCommand
        for passphrase in try named.namedPassphrases() {
            slots.append(SealRequest.Slot(.passphrase(passphrase, cost), label: "passphrase"))
        }
        slots += try Self.recipients(recipient)
        for path in newKeyFile {
            slots.append(
                SealRequest.Slot(.keyFile(try SecretReader.newKeyFile(path)), label: "key file"))
        }
        if makesRecoveryPhrase {
            let entropy = SharedSecret(SecretBytes.random(32))
            try RecoveryPhraseOutput.give(entropy, to: newRecoveryPhraseFile, object: object)
            slots.append(
                SealRequest.Slot(
                    .recoveryPhrase(entropy: entropy, cost), label: "recovery phrase"))
        }
        return slots
    }

    /// The slots asked for; if none, one for each passphrase that was named for opening, else for
    /// the environment's, else for one typed twice.
    func slots(
        orPassphraseOf opening: OpeningSecrets, cost: Argon2id.Cost, object: String
    ) throws(AccessError) -> [SealRequest.Slot] {
        if !isEmpty { return try slots(cost: cost, object: object) }
        var passphrases = try opening.namedPassphrases()
        if passphrases.isEmpty, let value = try SecretReader.environment() {
            passphrases = [value]
        }
        if passphrases.isEmpty { passphrases = [try SecretReader.newPassphrase(for: object)] }
        return passphrases.map { SealRequest.Slot(.passphrase($0, cost), label: "passphrase") }
    }

    /// The slots of recipients, or of those in each `@FILE`.
    static func recipients(_ words: [String]) throws(AccessError) -> [SealRequest.Slot] {
        var slots: [SealRequest.Slot] = []
        for text in try recipientTexts(words) {
            do throws(CryptoError) {
                slots.append(SealRequest.Slot(.recipient(try Recipient(text)), label: text))
            } catch {
                throw AccessError(.usage, code: "malformed_key", "recipient '\(text)': \(error)")
            }
        }
        return slots
    }

    private static func recipientTexts(_ words: [String]) throws(AccessError) -> [String] {
        var texts: [String] = []
        for word in words {
            guard word.hasPrefix("@") else {
                texts.append(word)
                continue
            }
            let content = try SecretReader.file(String(word.dropFirst()))
            let file = content.bytes.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
            for line in file.split(whereSeparator: \.isNewline) {
                let entry = line.drop(while: \.isWhitespace).prefix { !$0.isWhitespace }
                if !entry.isEmpty, !entry.hasPrefix("#") { texts.append(String(entry)) }
            }
        }
        return texts
    }
}
