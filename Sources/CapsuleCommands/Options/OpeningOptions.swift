import ArgumentParser
import CapsuleAccess
import CapsuleCrypto

/// Secrets that open an existing capsule.
struct OpeningOptions: ParsableArguments {
    @Option(name: .long, help: "Read the passphrase from FILE.")
    var passphraseFile: [String] = []

    @Option(name: .long, help: "Read the passphrase from descriptor FD.")
    var passphraseFd: [Int32] = []

    @Option(name: .long, help: "Take what COMMAND prints as the passphrase.")
    var passphraseCommand: [String] = []

    @Option(
        name: .long, help: .init("The passphrase itself; others can see it.", visibility: .hidden))
    var passphrase: [String] = []

    @Option(name: .long, help: "Open with the age identities in FILE.")
    var identity: [String] = []

    @Option(name: .long, help: "Open with the key file FILE.")
    var keyFile: [String] = []

    @Option(name: .long, help: "Open with the recovery phrase in FILE.")
    var recoveryPhraseFile: [String] = []

    @Option(name: .long, help: "Open with the recovery phrase from descriptor FD.")
    var recoveryPhraseFd: [Int32] = []

    /// The secrets, in the order in which they are tried.
    var secrets: OpeningSecrets {
        var secrets = OpeningSecrets()
        secrets.passphraseFiles = passphraseFile
        secrets.passphraseDescriptors = passphraseFd
        secrets.passphraseCommands = passphraseCommand
        secrets.identityFiles = identity
        secrets.keyFiles = keyFile
        secrets.recoveryPhraseFiles = recoveryPhraseFile
        secrets.recoveryPhraseDescriptors = recoveryPhraseFd
        for text in passphrase {
            Output.warn(
                "a passphrase on the command line can be seen by every user of this machine")
            var bytes = Array(text.utf8)
            secrets.passphrases.append(SharedSecret(SecretBytes(wiping: &bytes)))
        }
        return secrets
    }

    /// The secrets of a capsule that is not the workspace's: without any, those of the environment,
    /// SPECKIT_MEMVID_PASSPHRASE first, as CAPSULE_PASSPHRASE may be the workspace's.
    func capsuleSecrets() throws(AccessError) -> OpeningSecrets {
        var secrets = try secrets.withPassphrasesRead()
        guard secrets.isImplicit,
            let passphrase = try SecretReader.environment("SPECKIT_MEMVID_PASSPHRASE")
        else { return secrets }
        secrets.passphrases.append(passphrase)
        if let other = try SecretReader.environment("CAPSULE_PASSPHRASE") {
            secrets.passphrases.append(other)
        }
        return secrets
    }
}
