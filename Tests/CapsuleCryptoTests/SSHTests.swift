// Signatures in OpenSSH's format: made by ssh-keygen and by us, for files and for security keys.

import CapsuleBytes
import CapsuleSystem
import Crypto
import Glibc
import Testing

@testable import CapsuleCrypto

/// A directory that goes away with the test.
final class TemporaryDirectory {
    let path: String

    init() throws {
        let parent = Environment.variable("TMPDIR").map { String(decoding: $0, as: UTF8.self) }
        var template = Array("\(parent ?? "/tmp")/capsule-crypto.XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError.last("create", "a directory") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { _ = try? ChildProcess.run(["rm", "-rf", path], input: []) }

    func write(_ text: String, _ name: String) throws -> String {
        let file = "\(path)/\(name)"
        try Descriptor.open(file, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600).write(Array(text.utf8))
        return file
    }

    func read(_ name: String) throws -> [UInt8] {
        try Descriptor.open("\(path)/\(name)", O_RDONLY).readAll(limit: 1 << 20)
    }
}

enum KeyGenerator {
    static let isAvailable =
        (try? ChildProcess.run(["sh", "-c", "command -v ssh-keygen"], input: [])) != nil
    static let namespace = "capsule.capsulefs"

    /// Makes a key pair at `key` and `key.pub`.
    static func generate(
        _ directory: TemporaryDirectory, passphrase: String = "", type: String = "ed25519"
    ) throws {
        _ = try ChildProcess.run(
            [
                "ssh-keygen", "-q", "-t", type, "-N", passphrase, "-C", "tester", "-f",
                "\(directory.path)/key",
            ], input: [])
    }
}

@Suite("SSH signatures")
struct SSHTests {
    static let message = Array("capsulefs capsule statement\nversion: 2\n".utf8)

    @Test(
        "ssh-keygen's signature is valid for its message, key and namespace only",
        .enabled(if: KeyGenerator.isAvailable))
    func foreignSignature() throws {
        let directory = try TemporaryDirectory()
        try KeyGenerator.generate(directory)
        let key = try SSHPublicKey(
            line: String(decoding: try directory.read("key.pub"), as: UTF8.self))
        let armored = try ChildProcess.run(
            [
                "ssh-keygen", "-Y", "sign", "-q", "-n", KeyGenerator.namespace, "-f",
                "\(directory.path)/key",
            ], input: Self.message)
        let signature = try SSHSignature(armored: armored)
        #expect(signature.key == key && signature.namespace == KeyGenerator.namespace)
        #expect(signature.isValid(over: Self.message))
        #expect(!signature.isValid(over: Self.message + [0]) && !signature.isValid(over: []))
        #expect(Array(signature.armored.utf8) == armored)
        for position in signature.blob.indices {
            var blob = signature.blob
            blob[position] ^= 1 << UInt8(position % 8)
            let isValid = (try? SSHSignature(blob: blob))?.isValid(over: Self.message) ?? false
            #expect(!isValid, "byte \(position)")
        }
        for length in signature.blob.indices {
            let isValid = (try? SSHSignature(blob: Array(signature.blob[..<length]))) != nil
            #expect(!isValid)
        }
        #expect((try? SSHSignature(blob: signature.blob + [0])) == nil)
        let foreign = try ChildProcess.run(
            ["ssh-keygen", "-Y", "sign", "-q", "-n", "git", "-f", "\(directory.path)/key"],
            input: Self.message)
        #expect(try !SSHSignature(armored: foreign).isValid(over: Self.message))
        let sha256 = try ChildProcess.run(
            [
                "ssh-keygen", "-Y", "sign", "-q", "-O", "hashalg=sha256", "-n",
                KeyGenerator.namespace, "-f", "\(directory.path)/key",
            ], input: Self.message)
        #expect(try !SSHSignature(armored: sha256).isValid(over: Self.message))
    }

    @Test("our signature is one that ssh-keygen verifies", .enabled(if: KeyGenerator.isAvailable))
    func ownSignature() throws {
        let directory = try TemporaryDirectory()
        try KeyGenerator.generate(directory)
        let key = try SSHPrivateKey(file: try directory.read("key"))
        #expect(!key.isEncrypted)
        let signature = try SSHSignature(blob: try key.sign(Self.message))
        #expect(signature.isValid(over: Self.message))
        let file = try directory.write(signature.armored, "signature")
        let signers = try directory.write("tester \(key.publicKey.line)\n", "signers")
        let verify = [
            "ssh-keygen", "-Y", "verify", "-q", "-f", signers, "-I", "tester", "-n",
            KeyGenerator.namespace, "-s", file,
        ]
        #expect(throws: Never.self) { _ = try ChildProcess.run(verify, input: Self.message) }
        #expect(throws: SystemError.self) {
            _ = try ChildProcess.run(
                ["sh", "-c", "\(verify.joined(separator: " ")) 2>/dev/null"],
                input: Self.message + [1])
        }
        let shown = try ChildProcess.run(
            ["ssh-keygen", "-lf", "\(directory.path)/key.pub"], input: [])
        #expect(
            String(decoding: shown, as: UTF8.self).contains(key.publicKey.fingerprintText))
        #expect(AllowedSigners(file: try directory.read("signers")).mentions(key.publicKey))
    }

    @Test(
        "an encrypted key tells its public half and does not sign; an RSA key is refused",
        .enabled(if: KeyGenerator.isAvailable))
    func otherPrivateKeys() throws {
        let directory = try TemporaryDirectory()
        try KeyGenerator.generate(directory, passphrase: "secret")
        let file = try directory.read("key")
        let key = try SSHPrivateKey(file: file)
        #expect(key.isEncrypted)
        #expect(throws: Refusal.self) { _ = try key.sign(Self.message) }
        for length in stride(from: 0, to: file.count - 1, by: 7) {
            #expect(throws: Refusal.self) {
                _ = try SSHPrivateKey(file: Array(file[..<length]))
            }
        }
        let other = try TemporaryDirectory()
        try KeyGenerator.generate(other, type: "rsa")
        #expect(throws: Refusal.self) { _ = try SSHPrivateKey(file: try other.read("key")) }
        #expect(throws: Refusal.self) {
            _ = try SSHPublicKey(line: String(decoding: try other.read("key.pub"), as: UTF8.self))
        }
    }

    /// A signature as a security key makes it (PROTOCOL.u2f).
    private func securityKeySignature(
        flags: UInt8, application: String = "ssh:", extra: [UInt8] = []
    ) throws -> SSHSignature {
        let key = Curve25519.Signing.PrivateKey()
        var blob = ByteWriter()
        blob.sshString(Array("sk-ssh-ed25519@openssh.com".utf8))
        blob.sshString([UInt8](key.publicKey.rawRepresentation))
        blob.sshString(Array(application.utf8))
        let signedData = SSHSignature.signedData(Self.message, namespace: KeyGenerator.namespace)
        let counter: [UInt8] = [0, 0, 1, 7]
        let data =
            Array(SHA256.hash(data: Array("ssh:".utf8))) + [flags] + counter
            + Array(SHA256.hash(data: signedData))
        var signature = ByteWriter()
        signature.sshString(Array("sk-ssh-ed25519@openssh.com".utf8))
        signature.sshString([UInt8](try key.signature(for: data)))
        signature.append([flags] + counter + extra)
        return try SSHSignature(
            blob: SSHSignature.blob(
                key: try SSHPublicKey(blob: blob.bytes), namespace: KeyGenerator.namespace,
                signature: signature.bytes))
    }

    @Test("a security key's signature is valid if somebody touched the key")
    func securityKey() throws {
        #expect(try securityKeySignature(flags: 1).isValid(over: Self.message))
        #expect(try securityKeySignature(flags: 5).isValid(over: Self.message))
        #expect(try !securityKeySignature(flags: 1).isValid(over: Self.message + [0]))
        #expect(try !securityKeySignature(flags: 0).isValid(over: Self.message))
        #expect(try !securityKeySignature(flags: 4).isValid(over: Self.message))
        #expect(
            try !securityKeySignature(flags: 1, application: "ssh:other")
                .isValid(over: Self.message))
        #expect(try !securityKeySignature(flags: 1, extra: [0]).isValid(over: Self.message))
    }

    @Test("public keys with stray or missing bytes are refused")
    func publicKeys() throws {
        let key = SSHPublicKey(ed25519: count(from: 1, 32))
        #expect(try SSHPublicKey(line: key.line + " comment with words") == key)
        #expect(try SSHPublicKey(blob: key.blob) == key)
        #expect((try? SSHPublicKey(blob: key.blob + [0])) == nil)
        for length in key.blob.indices {
            #expect((try? SSHPublicKey(blob: Array(key.blob[..<length]))) == nil)
        }
        for line in ["", "ssh-ed25519", "ssh-ed25519 AAAA", "ssh-rsa \(Text.base64(key.blob))"] {
            #expect(throws: Refusal.self) { _ = try SSHPublicKey(line: line) }
        }
    }
}
