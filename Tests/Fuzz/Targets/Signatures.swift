// Signatures and the keys they are made with, in OpenSSH's forms.

import CapsuleBytes
import Crypto

@testable import CapsuleCrypto

enum Signatures {
    static let targets = [
        FuzzTarget("ssh-signature", signature) {
            let key = try SSHPrivateKey(file: privateKeyFile)
            let blob = try key.sign(statement)
            let security = SSHSignature.blob(
                key: try SSHPublicKey(blob: securityKey), namespace: StatementNamespace.text,
                signature: joined([Array("sk-ssh-ed25519@openssh.com".utf8), publicPoint])
                    + [1, 0, 0, 0, 1])
            return [blob, security]
        },
        FuzzTarget("ssh-public-key", publicKey) {
            let key = SSHPublicKey(ed25519: publicPoint)
            return [key.blob, securityKey, Array("\(key.line) comment\n".utf8)]
        },
        FuzzTarget("ssh-private-key", privateKey) {
            [privateKeyBody, Array(privateKeyBody.prefix(60)), privateKeyFile]
        },
        FuzzTarget("ssh-agent", agent) {
            [[14] + joined([joined([Array("ssh-ed25519".utf8), Fixture.pattern(1, 64)])]), [5]]
        },
    ]

    static let statement = Array("capsulefs capsule statement\nversion: 2\n".utf8)
    static let seed = Fixture.pattern(20, 32)

    /// The public half of `seed`.
    static let publicPoint: [UInt8] = {
        let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed)
        return key.map { [UInt8]($0.publicKey.rawRepresentation) } ?? []
    }()

    /// Strings of SSH, one after the other.
    static func joined(_ strings: [[UInt8]]) -> [UInt8] {
        var writer = ByteWriter()
        for string in strings { writer.sshString(string) }
        return writer.bytes
    }

    static let securityKey = joined([
        Array("sk-ssh-ed25519@openssh.com".utf8), publicPoint, Array("ssh:".utf8),
    ])

    /// A private key as ssh-keygen(1) writes it, without its armour.
    static let privateKeyBody: [UInt8] = {
        let kind = Array("ssh-ed25519".utf8)
        let secret =
            [1, 2, 3, 4, 1, 2, 3, 4] + joined([kind, publicPoint, seed + publicPoint, []]) + [1, 2]
        return Array("openssh-key-v1\0".utf8)
            + joined([Array("none".utf8), Array("none".utf8), []]) + [0, 0, 0, 1]
            + joined([SSHPublicKey(ed25519: publicPoint).blob, secret])
    }()

    static let privateKeyFile = Array(
        SSHArmor.encode(privateKeyBody, label: "OPENSSH PRIVATE KEY").utf8)

    // MARK: Targets

    static func signature(_ input: [UInt8]) throws(Finding) {
        _ = try? SSHSignature(armored: input)
        guard let signature = try? SSHSignature(blob: input) else { return }
        let again = try? SSHSignature(armored: Array(signature.armored.utf8))
        try require(again?.blob == input, "a signature survives its armour")
        try check(signature.key)
        if signature.isValid(over: statement) {
            try require(
                signature.key.point == publicPoint
                    && signature.namespace == StatementNamespace.text, "nobody else can sign")
        }
    }

    /// The input is a key's blob, or a line of a file.
    static func publicKey(_ input: [UInt8]) throws(Finding) {
        if let key = try? SSHPublicKey(line: String(decoding: input, as: UTF8.self)) {
            try check(key)
        }
        guard let key = try? SSHPublicKey(blob: input) else { return }
        try require(key.blob == input, "a key keeps its blob")
        try check(key)
    }

    private static func check(_ key: SSHPublicKey) throws(Finding) {
        let again = try? SSHPublicKey(line: key.line)
        try require(again == key, "a key survives its line")
        let parts = [Array(key.kind.rawValue.utf8), key.point]
        let all = key.kind == .ed25519 ? parts : parts + [key.application]
        try require(key.blob == joined(all), "a key is written as it was read")
        _ = key.fingerprintText
    }

    /// The input is a key file, or what stands in its armour.
    static func privateKey(_ input: [UInt8]) throws(Finding) {
        let armored = Array(SSHArmor.encode(input, label: "OPENSSH PRIVATE KEY").utf8)
        for file in [input, armored] {
            guard let key = try? SSHPrivateKey(file: file) else { continue }
            try check(key.publicKey)
            if key.isEncrypted { continue }
            guard let blob = try? key.sign(statement), let made = try? SSHSignature(blob: blob)
            else { throw Finding(description: "a key in the clear signs") }
            try require(made.key == key.publicKey, "a signature is by its key")
        }
    }

    /// The input is what an agent answers.
    static func agent(_ input: [UInt8]) throws(Finding) {
        let key = SSHPublicKey(ed25519: publicPoint)
        guard let blob = SSHAgentMessage.signature(in: input, key: key) else { return }
        let signature = try? SSHSignature(blob: blob)
        try require(signature?.key == key, "an agent's answer becomes a signature by the key")
        _ = signature?.isValid(over: statement)
    }
}
