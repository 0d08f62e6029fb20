// OpenSSH's list of trusted signers: what each line means to us, and which lines mean nothing.

import CapsuleBytes
import Testing

@testable import CapsuleCrypto

@Suite("Allowed signers")
struct AllowedSignersTests {
    static let key = SSHPublicKey(ed25519: count(from: 1, 32))
    static let now = "20260615120000"

    private func list(_ text: String) -> AllowedSigners { AllowedSigners(file: Array(text.utf8)) }

    /// Whether a line with these options lets the key sign at `now`.
    private func allows(_ options: String, now: String = now) -> Bool {
        list("ada \(options) \(Self.key.line)\n").signer(of: Self.key, now: now) != nil
    }

    @Test("a plain line allows its key, another key is unknown")
    func plain() {
        let signers = list("ada@example.org \(Self.key.line) a comment\n")
        #expect(signers.signer(of: Self.key, now: Self.now)?.principals == "ada@example.org")
        #expect(signers.skippedLines.isEmpty)
        let other = SSHPublicKey(ed25519: count(from: 2, 32))
        #expect(signers.signer(of: other, now: Self.now) == nil && !signers.mentions(other))
    }

    @Test("comments, empty lines, CR LF and blanks around fields do not matter")
    func layout() {
        let text = "# list\r\n\r\n   \n\t ada \t \(Self.key.line)\r\n  # \(Self.key.line)\n"
        let signers = list(text)
        #expect(signers.signers.count == 1 && signers.skippedLines.isEmpty)
        #expect(list("").signers.isEmpty)
    }

    @Test("quoted principals keep their blanks")
    func quotedPrincipals() {
        let signers = list("\"Ada Lovelace,bob\" \(Self.key.line)\n")
        #expect(signers.signers.map(\.principals) == ["Ada Lovelace,bob"])
    }

    @Test("namespaces are patterns, and one with ! denies")
    func namespaces() {
        for pattern in [
            "capsule.capsulefs", "*", "capsule.*", "git,capsule.capsulefs", "capsule.capsule??",
            "?apsule.capsulefs", "*capsule*", "!git,*",
        ] {
            #expect(allows("namespaces=\"\(pattern)\""), "\(pattern)")
        }
        for pattern in [
            "git", "capsule", "capsule.capsulefs?", "!capsule.capsulefs,*", "*,!capsule.*",
            "!git", "CAPSULE.CAPSULEFS",
        ] {
            #expect(!allows("namespaces=\"\(pattern)\""), "\(pattern)")
        }
    }

    @Test("a key counts from valid-after to valid-before")
    func dates() {
        #expect(allows("valid-after=\"20260101\",valid-before=\"20270101\""))
        #expect(allows("valid-after=20260615"))
        #expect(allows("VALID-AFTER=\"202606151200Z\""))
        #expect(!allows("valid-after=\"202606151201\""))
        #expect(!allows("valid-before=\"20260615115959Z\""))
        #expect(allows("valid-before=\"20260615120001Z\""))
        #expect(!allows("namespaces=\"git\",valid-after=\"20260101\""))
        #expect(allows("namespaces=\"*\",valid-after=\"20260101\""))
    }

    @Test("lines that mean something else, or nothing, are skipped and counted")
    func skipped() {
        let line = Self.key.line
        let text = """
            ada cert-authority \(line)
            ada valid-after="soon" \(line)
            ada valid-before="2026" \(line)
            ada new-option \(line)
            ada ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQ==
            ada ssh-ed25519 AAAA
            ada
            ada ssh-ed25519
            \(line)
            ada namespaces="git" cert-authority \(line)
            ada namespaces="" \(line)
            ada namespaces="," \(line)
            ada namespaces \(line)
            ada namespaces="git",namespaces="*" \(line)
            ada valid-before="20270101",valid-before="20280101" \(line)
            good \(line)
            """
        let signers = list(text)
        #expect(signers.signers.map(\.principals) == ["good"])
        #expect(signers.skippedLines == Array(1...15))
    }

    @Test("a key in the list that is not valid now is mentioned, and no signer")
    func mentioned() {
        let signers = list("ada valid-before=\"20200101\" \(Self.key.line)\n")
        #expect(signers.mentions(Self.key) && signers.signer(of: Self.key, now: Self.now) == nil)
    }

    @Test("the first line that allows the key counts")
    func order() {
        let signers = list(
            "old valid-before=\"20200101\" \(Self.key.line)\nnew \(Self.key.line)\n")
        #expect(signers.signer(of: Self.key, now: Self.now)?.principals == "new")
    }

    @Test("an option that is only an equals sign is skipped and no trap")
    func emptyOption() async {
        do {
            await #expect(processExitsWith: .success) {
                let line = "ada = \(AllowedSignersTests.key.line)\n"
                #expect(AllowedSigners(file: Array(line.utf8)).signers.isEmpty)
            }
        }
    }
}
