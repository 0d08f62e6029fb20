import CapsuleCrypto
import CapsuleFormat
import CapsuleSystem
import FoundationEssentials
import Glibc

/// What this user trusts and has seen: pinned signers, and the newest version of each lineage.
///
/// Signers are an OpenSSH `allowed_signers` file. "Newest seen" is kept for each signing key and
/// lineage, only from verified signatures, and only after every other check has passed.
public struct TrustStore: Sendable {
    /// The newest version that a key has signed of a lineage.
    public struct Newest: Codable, Equatable, Sendable {
        /// The version.
        public var version: UInt64
        /// Its root, in hexadecimal.
        public var root: String
        /// When it was seen, RFC 3339.
        public var seenAt: String

        private enum CodingKeys: String, CodingKey {
            case version, root
            case seenAt = "seen_at"
        }
    }

    private struct State: Codable {
        var schemaVersion = 1
        /// By `fingerprint lineage`.
        var newest: [String: Newest] = [:]

        private enum CodingKeys: String, CodingKey {
            case newest
            case schemaVersion = "schema_version"
        }
    }

    /// The pinned signers.
    public let signersPath: String
    /// What was seen.
    public let statePath: String

    /// The store in the user's XDG directories.
    public init() {
        signersPath = Self.directory("XDG_CONFIG_HOME", ".config") + "/allowed_signers"
        statePath = Self.directory("XDG_STATE_HOME", ".local/state") + "/newest.json"
    }

    private static func directory(_ variable: String, _ fallback: String) -> String {
        if let value = Environment.variable(variable), value.first == UInt8(ascii: "/") {
            return String(decoding: value, as: UTF8.self) + "/capsulefs"
        }
        let home = Environment.variable("HOME").map { String(decoding: $0, as: UTF8.self) }
        return "\(home ?? "/root")/\(fallback)/capsulefs"
    }

    // MARK: Signers

    /// The pinned signers; none where there is no file.
    public func signers() throws(AccessError) -> AllowedSigners {
        AllowedSigners(file: try content(signersPath) ?? [])
    }

    /// The signers of a file that the user names.
    public static func signers(file: String) throws(AccessError) -> AllowedSigners {
        let content = try SecretReader.file(file)
        return AllowedSigners(file: content.bytes.withUnsafeBytes { [UInt8]($0) })
    }

    private func content(_ path: String) throws(AccessError) -> [UInt8]? {
        if access(path, F_OK) != 0, errno == ENOENT || errno == ENOTDIR { return nil }
        do throws(SystemError) {
            return try Descriptor.open(path, O_RDONLY).readAll(limit: SecretReader.lengthMax)
        } catch {
            throw AccessError(error)
        }
    }

    /// Pins a key under a name.
    public func add(_ key: SSHPublicKey, principal: String) throws(AccessError) {
        guard !principal.isEmpty, !principal.contains(where: { $0.isWhitespace || $0 == "\"" })
        else {
            throw AccessError(
                .usage, code: "usage", "'\(principal)' is not a name for a signer: no spaces")
        }
        var file = try content(signersPath) ?? []
        if !file.isEmpty, file.last != 10 { file.append(10) }
        let options = "namespaces=\"\(StatementNamespace.text)\""
        file += Array("\(principal) \(options) \(key.line)\n".utf8)
        try replace(signersPath, with: file)
    }

    /// Unpins all keys of a name or fingerprint; returns how many.
    public func remove(_ name: String) throws(AccessError) -> Int {
        let file = try content(signersPath) ?? []
        let lines = String(decoding: file, as: UTF8.self).split(
            omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        let kept = lines.filter { line in
            let signers = AllowedSigners(file: Array(line.utf8)).signers
            return !signers.contains { $0.principals == name || $0.key.fingerprintText == name }
        }
        let removed = lines.count - kept.count
        if removed > 0 { try replace(signersPath, with: Array(kept.joined(separator: "\n").utf8)) }
        return removed
    }

    private func replace(_ path: String, with content: [UInt8]) throws(AccessError) {
        do throws(SystemError) {
            let (directory, _) = AtomicFile.split(path)
            try Self.makeDirectories(directory)
            let file = try AtomicFile(path: path, mode: 0o600)
            try file.write(content, at: 0)
            try file.publish(replacing: true)
        } catch {
            throw AccessError(error)
        }
    }

    private static func makeDirectories(_ path: String) throws(SystemError) {
        if mkdir(path, 0o700) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, path.contains("/"), path != "/" else {
            throw SystemError.last("create", path)
        }
        try makeDirectories(AtomicFile.split(path).directory)
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw SystemError.last("create", path)
        }
    }

    /// Held while the state is read, changed and written: two programs must not lose a version.
    private func lock() throws(AccessError) -> FileStorage {
        do throws(SystemError) {
            try Self.makeDirectories(AtomicFile.split(statePath).directory)
            let file = FileStorage(
                try Descriptor.open(statePath + ".lock", O_RDWR | O_CREAT, mode: 0o600))
            try file.lock(exclusive: true, wait: true)
            return file
        } catch {
            throw AccessError(error)
        }
    }

    // MARK: Newest versions

    private func state() throws(AccessError) -> State {
        guard let bytes = try content(statePath) else { return State() }
        guard let state = try? JSONDecoder().decode(State.self, from: Data(bytes)) else {
            throw AccessError(
                .system, code: "damaged_state",
                "\(statePath): it cannot be read; move it away to forget all versions seen")
        }
        return state
    }

    /// Everything that was seen, by `fingerprint lineage`.
    public func newest() throws(AccessError) -> [String: Newest] { try state().newest }

    private static func key(_ signer: SSHPublicKey, _ lineage: String) -> String {
        "\(signer.fingerprintText) \(lineage)"
    }

    /// Refuses a version older than one seen, or another root of the same version.
    ///
    /// Throws `AccessError` of the kind `validation`, with the codes `rollback` and `fork`.
    public func check(
        _ lineage: Manifest.Lineage, root: Digest32, signers: [SSHPublicKey], path: String
    ) throws(AccessError) {
        let newest = try newest()
        for signer in signers {
            guard let seen = newest[Self.key(signer, lineage.id)] else { continue }
            let remedy = "; 'capsule trust accept \(path)' takes it on purpose"
            if lineage.version < seen.version {
                throw AccessError(
                    .validation, code: "rollback",
                    "\(path): it is version \(lineage.version) of lineage \(lineage.id), but "
                        + "version \(seen.version) of the same signer was seen on "
                        + "\(seen.seenAt)\(remedy)")
            }
            if lineage.version == seen.version, root.hex != seen.root {
                throw AccessError(
                    .validation, code: "fork",
                    "\(path): version \(lineage.version) of lineage \(lineage.id) has another "
                        + "root than the one seen on \(seen.seenAt): the signer made two\(remedy)")
            }
        }
    }

    /// Remembers a version. With `accepting`, also one that `check` would refuse.
    public func remember(
        _ lineage: Manifest.Lineage, root: Digest32, signers: [SSHPublicKey],
        accepting: Bool = false
    ) throws(AccessError) {
        let lock = try lock()
        defer { withExtendedLifetime(lock) {} }
        var state = try state()
        let entry = Newest(
            version: lineage.version, root: root.hex, seenAt: Timestamp.now.rfc3339)
        var hasChanged = false
        for signer in signers {
            let key = Self.key(signer, lineage.id)
            if let seen = state.newest[key], !accepting, seen.version >= entry.version { continue }
            state.newest[key] = entry
            hasChanged = true
        }
        guard hasChanged else { return }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        guard let data = try? encoder.encode(state) else { return }
        try replace(statePath, with: [UInt8](data))
    }
}
