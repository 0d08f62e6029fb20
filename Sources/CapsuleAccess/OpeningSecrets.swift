import CapsuleBytes
import CapsuleCrypto
import CapsuleFormat

/// The secrets with which an existing capsule may be opened, in the order in which they are tried.
public struct OpeningSecrets: Sendable {
    /// Files with a passphrase.
    public var passphraseFiles: [String] = []
    /// Inherited descriptors with a passphrase.
    public var passphraseDescriptors: [Int32] = []
    /// Shell commands that print a passphrase.
    public var passphraseCommands: [String] = []
    /// Passphrases from the command line, where the user insisted.
    public var passphrases: [SharedSecret] = []
    /// age identity files.
    public var identityFiles: [String] = []
    /// Key files.
    public var keyFiles: [String] = []
    /// Files with a recovery phrase.
    public var recoveryPhraseFiles: [String] = []
    /// Inherited descriptors with a recovery phrase.
    public var recoveryPhraseDescriptors: [Int32] = []
    /// Whether a person may be asked.
    public var mayPrompt = true

    /// No explicit secret: the environment and the prompt remain.
    public init() {}

    /// Whether no source was named.
    public var isImplicit: Bool { !hasPassphraseSource && !hasOtherSource }

    /// Whether a source of passphrases was named.
    public var hasPassphraseSource: Bool {
        !(passphraseFiles.isEmpty && passphraseDescriptors.isEmpty && passphraseCommands.isEmpty
            && passphrases.isEmpty)
    }

    /// Whether a source of other secrets was named.
    public var hasOtherSource: Bool {
        !(identityFiles.isEmpty && keyFiles.isEmpty && recoveryPhraseFiles.isEmpty
            && recoveryPhraseDescriptors.isEmpty)
    }

    /// Reads the named passphrases.
    public func namedPassphrases() throws(AccessError) -> [SharedSecret] {
        var found = passphrases
        for path in passphraseFiles {
            found.append(
                try SecretReader.passphrase(try SecretReader.file(path), source: path))
        }
        for number in passphraseDescriptors {
            found.append(
                try SecretReader.passphrase(
                    try SecretReader.descriptor(number), source: "descriptor \(number)"))
        }
        for command in passphraseCommands {
            found.append(
                try SecretReader.passphrase(
                    try SecretReader.command(command), source: "the passphrase command"))
        }
        return found
    }

    /// The same secrets with every named passphrase read: for use more than once, as a descriptor
    /// or a command cannot be read twice.
    public func withPassphrasesRead() throws(AccessError) -> OpeningSecrets {
        var secrets = self
        secrets.passphrases = try namedPassphrases()
        secrets.passphraseFiles = []
        secrets.passphraseDescriptors = []
        secrets.passphraseCommands = []
        return secrets
    }

    /// Finds the file key of a capsule. Throws `AccessError` with the code `wrong_secret` when no
    /// secret fits, `missing_secret` when there is none.
    public func unlock(_ file: any SlottedFile, path: String) throws(AccessError) -> FileKeys {
        for passphrase in try namedPassphrases() {
            if let keys = try Self.stretch(passphrase, .passphrase, file, path) { return keys }
        }
        for name in identityFiles {
            if let keys = try Self.identities(name, file, path) { return keys }
        }
        for name in keyFiles {
            let content = try SecretReader.keyFile(name)
            for slot in file.slots {
                let key = try Self.checked(path) { () throws(CryptoError) in
                    try slot.open(keyFile: content.bytes, capsuleID: file.header.id)
                }
                if let key { return FileKeys(fileKey: key, salt: file.header.salt) }
            }
        }
        for phrase in try recoveryPhrases() {
            if let keys = try Self.stretch(phrase, .recoveryPhrase, file, path) { return keys }
        }
        if isImplicit, let passphrase = try implicitPassphrase(file, path) {
            if let keys = try Self.stretch(passphrase, .passphrase, file, path) { return keys }
        }
        throw AccessError(
            .usage, code: "wrong_secret",
            "\(path): none of its \(file.slots.count) slots opens with the secret given; "
                + "'capsule slot list' lists their kinds")
    }

    private func implicitPassphrase(
        _ file: any SlottedFile, _ path: String
    ) throws(AccessError) -> SharedSecret? {
        if let passphrase = try SecretReader.environment() { return passphrase }
        guard mayPrompt else {
            throw AccessError(.usage, code: "missing_secret", "\(path): no secret was given")
        }
        guard file.slots.contains(where: { $0.kind == .passphrase }) else {
            let kinds = Set(file.slots.map(\.kind.name)).sorted().joined(separator: ", ")
            throw AccessError(
                .usage, code: "missing_secret",
                "\(path): it has no passphrase; it opens with: \(kinds)")
        }
        let hint = file.header.hint
        let shown = hint.isEmpty ? "" : " (hint: \(Text.escaped(Array(hint.utf8))))"
        return try SecretReader.prompt("Passphrase for \(path)\(shown)")
    }

    private func recoveryPhrases() throws(AccessError) -> [SharedSecret] {
        var found: [SharedSecret] = []
        var texts: [(SharedSecret, String)] = []
        for path in recoveryPhraseFiles { texts.append((try SecretReader.file(path), path)) }
        for number in recoveryPhraseDescriptors {
            texts.append((try SecretReader.descriptor(number), "descriptor \(number)"))
        }
        for (text, source) in texts {
            do throws(CryptoError) {
                found.append(SharedSecret(try RecoveryPhrase.entropy(of: text.bytes)))
            } catch {
                throw AccessError(.usage, code: "malformed_key", "\(source): \(error)")
            }
        }
        return found
    }

    private static func identities(
        _ name: String, _ file: any SlottedFile, _ path: String
    ) throws(AccessError) -> FileKeys? {
        let content = try SecretReader.file(name)
        let identities: [Identity]
        do throws(CryptoError) {
            identities = try Identity.parse(file: content.bytes.withUnsafeBytes { [UInt8]($0) })
        } catch {
            throw AccessError(.usage, code: "malformed_key", "\(name): \(error)")
        }
        for identity in identities {
            for slot in file.slots {
                let key = try checked(path) { () throws(CryptoError) in
                    try slot.open(identity: identity, capsuleID: file.header.id)
                }
                if let key { return FileKeys(fileKey: key, salt: file.header.salt) }
            }
        }
        return nil
    }

    private static func stretch(
        _ secret: SharedSecret, _ kind: KeySlot.Kind, _ file: any SlottedFile, _ path: String
    ) throws(AccessError) -> FileKeys? {
        for slot in file.slots where slot.kind == kind {
            let key = try checked(path) { () throws(CryptoError) in
                try slot.open(stretching: secret.bytes, capsuleID: file.header.id)
            }
            if let key { return FileKeys(fileKey: key, salt: file.header.salt) }
        }
        return nil
    }

    private static func checked<Result>(
        _ path: String, _ body: () throws(CryptoError) -> Result
    ) throws(AccessError) -> Result {
        do throws(CryptoError) {
            return try body()
        } catch {
            throw AccessError(
                .system, code: "damaged", "\(path): a slot cannot be opened: \(error)")
        }
    }
}
