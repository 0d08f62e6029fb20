import CapsuleAccess
import CapsuleCrypto
import CapsuleSystem
import Glibc

/// Shows a new recovery phrase once: on the terminal, or in a file that only its owner reads. Never
/// on standard output, which may be a log or a pipe.
enum RecoveryPhraseOutput {
    static func give(
        _ entropy: SharedSecret, to path: String?, object: String
    ) throws(AccessError) {
        let words = RecoveryPhrase.words(of: entropy.bytes)
        do throws(SystemError) {
            if let path {
                let file = try AtomicFile(path: path, mode: 0o600)
                try words.withUnsafeBytes { bytes throws(SystemError) in
                    try file.write(bytes, at: 0)
                }
                try file.write([UInt8(ascii: "\n")], at: UInt64(words.count))
                try file.publish(replacing: false)
                return
            }
        } catch {
            throw AccessError(error)
        }
        let terminal = open("/dev/tty", O_WRONLY | O_CLOEXEC)
        guard terminal >= 0 else {
            throw AccessError(
                .usage, code: "missing_terminal",
                "the recovery phrase is shown on a terminal only, and there is none; "
                    + "name a file with --new-recovery-phrase-file")
        }
        defer { close(terminal) }
        let head = "\nRecovery phrase for \(object). Write it down; it is not shown again.\n\n  "
        _ = write(terminal, head, head.utf8.count)
        words.withUnsafeBytes { _ = write(terminal, $0.baseAddress, $0.count) }
        _ = write(terminal, "\n\n", 2)
    }
}
