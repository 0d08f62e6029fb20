import CapsuleCrypto
import CapsuleSystem
import Glibc

/// An SSH key as the user names it, and the way in which it can sign.
public struct SigningKey: Sendable {
    /// The file that was named.
    public let path: String
    /// The public half.
    public let publicKey: SSHPublicKey
    private let privateKey: SSHPrivateKey?

    /// Reads a private key file, or a `.pub` file whose private half is elsewhere.
    public init(path: String) throws(AccessError) {
        self.path = path
        let content = try SecretReader.file(path)
        let bytes = content.bytes.withUnsafeBytes { [UInt8]($0) }
        do throws(CryptoError) {
            if bytes.starts(with: Array("-----BEGIN".utf8)) {
                let key = try SSHPrivateKey(file: bytes)
                privateKey = key
                publicKey = key.publicKey
            } else {
                privateKey = nil
                publicKey = try SSHPublicKey(line: String(decoding: bytes, as: UTF8.self))
            }
        } catch {
            throw AccessError(.usage, code: "malformed_key", "\(path): \(error)")
        }
    }

    /// Whether it takes a person, or an agent that is not there, to sign with it.
    public var needsSomebody: Bool {
        if let privateKey, !privateKey.isEncrypted { return false }
        return publicKey.kind != .ed25519 || Environment.variable("SSH_AUTH_SOCK") == nil
    }

    /// Signs a statement: with the key itself, the agent, or ssh-keygen, which asks for the
    /// passphrase of an encrypted key and for a touch of a security key.
    public func sign(_ statement: [UInt8]) throws(AccessError) -> [UInt8] {
        if let privateKey, !privateKey.isEncrypted {
            do throws(CryptoError) {
                return try privateKey.sign(statement)
            } catch {
                throw AccessError(.usage, code: "malformed_key", "\(path): \(error)")
            }
        }
        if publicKey.kind == .ed25519, let signature = SSHAgent.sign(publicKey, statement) {
            return try checked(signature, statement)
        }
        if privateKey != nil, !Self.canAsk {
            throw AccessError(
                .usage, code: "missing_terminal",
                "\(path): it is encrypted, and there is no terminal to ask for its passphrase; "
                    + "'ssh-add' gives it to the agent")
        }
        return try checked(try signThroughTool(statement), statement)
    }

    /// Whether ssh-keygen can ask a person: in a window or at the terminal.
    private static var canAsk: Bool {
        let hasWindows = ["DISPLAY", "WAYLAND_DISPLAY"].contains {
            Environment.variable($0) != nil
        }
        let terminal = open("/dev/tty", O_RDWR | O_CLOEXEC)
        if terminal >= 0 { close(terminal) }
        return hasWindows || terminal >= 0
    }

    private func checked(
        _ blob: [UInt8], _ statement: [UInt8]
    ) throws(AccessError) -> [UInt8] {
        guard let signature = try? SSHSignature(blob: blob), signature.key == publicKey,
            signature.isValid(over: statement)
        else {
            throw AccessError(
                .system, code: "signing_failed", "\(path): the signature made with it is not valid")
        }
        return blob
    }

    private func signThroughTool(_ statement: [UInt8]) throws(AccessError) -> [UInt8] {
        let words = ["ssh-keygen", "-q", "-Y", "sign", "-n", StatementNamespace.text, "-f", path]
        // Its prompt names no key, and several may be asked for.
        if privateKey != nil { SecretReader.tell("\(path): ") }
        let output: [UInt8]
        do throws(SystemError) {
            output = try ChildProcess.run(words, input: statement)
        } catch {
            throw AccessError(
                .usage, code: "signing_failed",
                "\(path): ssh-keygen cannot sign with it (\(error.reason)); "
                    + "is the key in the agent, or its private half beside it?")
        }
        do throws(CryptoError) {
            return try SSHSignature(armored: output).blob
        } catch {
            throw AccessError(.system, code: "signing_failed", "\(path): ssh-keygen: \(error)")
        }
    }
}

/// The ssh-agent behind SSH_AUTH_SOCK.
enum SSHAgent {
    /// A signature, or nil when there is no agent, or it does not have the key.
    static func sign(_ key: SSHPublicKey, _ message: [UInt8]) -> [UInt8]? {
        guard let path = Environment.variable("SSH_AUTH_SOCK"),
            let answer = try? ask(path, SSHAgentMessage.signRequest(key, message))
        else { return nil }
        return SSHAgentMessage.signature(in: answer, key: key)
    }

    private static func ask(
        _ path: [UInt8], _ request: [UInt8]
    ) throws(SystemError) -> [UInt8]? {
        let socket = try LocalSocket.connect(to: path)
        try socket.send(request)
        guard let head = try socket.receive(4) else { return nil }
        let length = head.reduce(0) { $0 << 8 | Int($1) }
        return (1...65536).contains(length) ? try socket.receive(length) : nil
    }
}
