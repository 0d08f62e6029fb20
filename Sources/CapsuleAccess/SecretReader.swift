import CLinux
import CapsuleBytes
import CapsuleCrypto
import CapsuleSystem
import Glibc
import Synchronization

/// Reads secrets from where the user says they are.
public enum SecretReader {
    /// Passphrases and key files longer than this are refused, in bytes.
    public static let lengthMax = 1 << 20
    /// A key file shorter than this cannot hold a key, in bytes.
    public static let keyFileLengthMin = 32

    /// The content of a file, whole.
    public static func file(_ path: String) throws(AccessError) -> SharedSecret {
        do throws(SystemError) {
            let descriptor = try Descriptor.open(path, O_RDONLY)
            return try read(descriptor)
        } catch {
            throw AccessError(error)
        }
    }

    private static let read = Mutex<[Int32: SharedSecret]>([:])

    /// What can be read from an inherited descriptor: read once, given as often as it is needed.
    public static func descriptor(_ number: Int32) throws(AccessError) -> SharedSecret {
        if let known = read.withLock({ $0[number] }) { return known }
        let secret = try readDescriptor(number)
        read.withLock { $0[number] = secret }
        return secret
    }

    private static func readDescriptor(_ number: Int32) throws(AccessError) -> SharedSecret {
        let copy = fcntl(number, F_DUPFD_CLOEXEC, 3)
        guard copy >= 0 else {
            throw AccessError(.usage, code: "unusable_path", "descriptor \(number) is not open")
        }
        do throws(SystemError) {
            return try read(Descriptor(owning: copy, name: "descriptor \(number)"))
        } catch {
            throw AccessError(error)
        }
    }

    /// What a shell command prints. The command gets our standard input and error.
    public static func command(_ command: String) throws(AccessError) -> SharedSecret {
        guard let pipe = popen(command, "re") else {
            throw AccessError(.system, code: "system", "cannot run the passphrase command")
        }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while bytes.count <= lengthMax {
            let count = fread(&chunk, 1, chunk.count, pipe)
            if count == 0 { break }
            bytes += chunk[..<count]
        }
        wipe(&chunk)
        let status = pclose(pipe)
        guard status == 0 else {
            wipe(&bytes)
            throw AccessError(
                .usage, code: "missing_secret", "the passphrase command failed (status \(status))")
        }
        return SharedSecret(SecretBytes(wiping: &bytes))
    }

    private static func read(
        _ descriptor: borrowing Descriptor
    ) throws(SystemError) -> SharedSecret {
        var bytes = try descriptor.readAll(limit: lengthMax)
        return SharedSecret(SecretBytes(wiping: &bytes))
    }

    /// A passphrase out of what a file, descriptor or command held: exactly one line end at the end
    /// is removed; NUL and nothing are refused.
    public static func passphrase(
        _ secret: SharedSecret, source: String
    ) throws(AccessError) -> SharedSecret {
        var bytes = secret.bytes.withUnsafeBytes { [UInt8]($0) }
        if bytes.last == UInt8(ascii: "\n") {
            bytes.removeLast()
            if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        }
        let fault: String? =
            if bytes.isEmpty {
                "is empty"
            } else if bytes.contains(0) {
                "has a NUL byte in it"
            } else {
                nil
            }
        let passphrase = SharedSecret(SecretBytes(wiping: &bytes))
        guard let fault else { return passphrase }
        throw AccessError(.usage, code: "missing_secret", "the passphrase from \(source) \(fault)")
    }

    /// A passphrase from the environment, or nil when neither variable is set.
    public static func environment() throws(AccessError) -> SharedSecret? {
        for name in ["CAPSULE_PASSPHRASE", "SPECKIT_MEMVID_PASSPHRASE"] {
            if let secret = try environment(name) { return secret }
        }
        return nil
    }

    /// The passphrase in one variable, or nil when it is not set.
    public static func environment(_ name: String) throws(AccessError) -> SharedSecret? {
        guard var value = Environment.variable(name) else { return nil }
        return try checked(SharedSecret(SecretBytes(wiping: &value)), source: name)
    }

    private static func checked(
        _ secret: SharedSecret, source: String
    ) throws(AccessError) -> SharedSecret {
        let hasNUL = secret.bytes.withUnsafeBytes { $0.contains(0) }
        guard secret.bytes.count > 0, !hasNUL else {
            let fault = hasNUL ? "has a NUL byte in it" : "is empty"
            throw AccessError(
                .usage, code: "missing_secret", "the passphrase from \(source) \(fault)")
        }
        return secret
    }

    /// A line typed at the terminal, which is not shown. Throws when there is no terminal.
    public static func prompt(_ question: String) throws(AccessError) -> SharedSecret {
        let terminal = try terminal()
        show("\(question): ", at: terminal)
        var line = [CChar](repeating: 0, count: 4096)
        let count = clinux_read_secret_line(terminal.raw, &line, line.count)
        guard count >= 0 else {
            throw AccessError(.usage, code: "missing_secret", "nothing was entered")
        }
        var bytes = line[..<count].map { UInt8(bitPattern: $0) }
        explicit_bzero(&line, line.count)
        return try checked(
            SharedSecret(SecretBytes(wiping: &bytes)), source: "the terminal")
    }

    /// Writes to the terminal, if there is one.
    static func tell(_ text: String) {
        guard let terminal = try? terminal() else { return }
        show(text, at: terminal)
    }

    private static func show(_ text: String, at terminal: borrowing Descriptor) {
        let bytes = Array(text.utf8)
        _ = write(terminal.raw, bytes, bytes.count)
    }

    /// Whether somebody can be asked.
    public static var hasTerminal: Bool { (try? terminal()) != nil }

    private static func terminal() throws(AccessError) -> Descriptor {
        do throws(SystemError) {
            return try Descriptor.open("/dev/tty", O_RDWR)
        } catch {
            throw AccessError(
                .usage, code: "missing_secret",
                "no secret was given and there is no terminal to ask at; "
                    + "use --passphrase-file, --identity, --key-file or CAPSULE_PASSPHRASE")
        }
    }

    /// A new passphrase typed twice.
    public static func newPassphrase(for object: String) throws(AccessError) -> SharedSecret {
        let first = try prompt("New passphrase for \(object)")
        let second = try prompt("The same passphrase again")
        let areEqual = first.bytes.withUnsafeBytes { one in
            second.bytes.withUnsafeBytes { one.elementsEqual($0) }
        }
        guard areEqual else {
            throw AccessError(.usage, code: "wrong_secret", "the two passphrases differ")
        }
        return first
    }

    /// The content of a key file: everything in it counts.
    public static func keyFile(_ path: String) throws(AccessError) -> SharedSecret {
        let secret = try file(path)
        guard secret.bytes.count >= keyFileLengthMin else {
            throw AccessError(
                .usage, code: "malformed_key",
                "\(path): a key file has at least \(keyFileLengthMin) bytes; "
                    + "'--new-key-file' on a name that does not exist makes one")
        }
        return secret
    }

    /// Makes a key file of 32 random bytes, mode 0600, or reads it where it exists already.
    public static func newKeyFile(_ path: String) throws(AccessError) -> SharedSecret {
        if access(path, F_OK) == 0 { return try keyFile(path) }
        do throws(SystemError) {
            let file = try AtomicFile(path: path, mode: 0o600)
            var key = Environment.random(32)
            try file.write(key, at: 0)
            try file.publish(replacing: false)
            return SharedSecret(SecretBytes(wiping: &key))
        } catch {
            throw AccessError(error)
        }
    }
}
