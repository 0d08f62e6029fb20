import CapsuleCrypto
import CapsuleFormat
import CapsuleMemvid
import CapsuleSystem
import CapsuleWorkspace
import MemvidFormat

/// Whatever is shown as a folder: a capsule, or a file of Memvid's. Which of them a file is, its
/// first bytes say and not its name.
public struct OpenedTree: Sendable {
    /// The folder.
    public let tree: any ReadableTree
    /// Whether a known signer vouches for it.
    public let hasKnownSigner: Bool

    /// Opens the file at `path` with the demands that `CapsuleSession` knows.
    ///
    /// A path that begins with `@` names a state of a workspace; a workspace's directory stands for
    /// its present state.
    ///
    /// - Parameters:
    ///   - recoversLog: of a Memvid file, whether to show what is only in its log.
    ///   - workspace: where the states are, as `WorkspaceLocator` takes it.
    public static func open(
        path: String, secrets: OpeningSecrets,
        demands: CapsuleSession.Demands = CapsuleSession.Demands(),
        caches: Capsule.CacheSizes = Capsule.CacheSizes(),
        recoversLog: Bool = false, workspace: String? = nil,
        patience: Double = WorkspaceOpener.patience
    ) throws(AccessError) -> OpenedTree {
        if path.hasPrefix("@") {
            let place = try WorkspaceLocator.find(workspace)
            return try state(
                String(path.dropFirst()), of: place, secrets, demands, patience: patience)
        }
        if Workspace.isWorkspace(path) {
            return try state(nil, of: path, secrets, demands, patience: patience)
        }
        if let storage = try MemvidOpener.storage(path: path) {
            try refuse(demands, path)
            var options = MemvidFile.Options()
            options.recoversLog = recoversLog
            let file = try MemvidOpener.open(
                storage, path: path, secrets: secrets, options: options)
            return OpenedTree(
                tree: try MemvidOpener.tree(file, path: path), hasKnownSigner: false)
        }
        if recoversLog {
            throw AccessError(
                .usage, code: "usage", "\(path): only a Memvid file has a log to recover")
        }
        let session = try CapsuleSession.open(
            path: path, secrets: secrets, demands: demands, caches: caches)
        return OpenedTree(
            tree: session.capsule, hasKnownSigner: session.signatures.verdict == .known)
    }

    private static func state(
        _ name: String?, of path: String, _ secrets: OpeningSecrets,
        _ demands: CapsuleSession.Demands, patience: Double
    ) throws(AccessError) -> OpenedTree {
        guard demands.root == nil, demands.allowedSignersFile == nil, !demands.requiresVerified
        else {
            throw AccessError(
                .validation, code: "unsigned",
                "\(path): a workspace meets no demands on its origin; a capsule sealed from it can")
        }
        return OpenedTree(
            tree: try WorkspaceOpener.tree(
                path: path, state: name, secrets: secrets, patience: patience),
            hasKnownSigner: true)
    }

    private static func refuse(
        _ demands: CapsuleSession.Demands, _ path: String
    ) throws(AccessError) {
        guard demands.root == nil, demands.allowedSignersFile == nil, !demands.requiresVerified
        else {
            throw AccessError(
                .validation, code: "unsigned",
                "\(path): a Memvid file meets no demands while it is read: 'capsule verify' checks "
                    + "a packed one, and 'capsule convert' makes a capsule of any")
        }
    }
}

/// Opens files of Memvid's, with errors that name them.
public enum MemvidOpener {
    /// The file at `path` if it is one of Memvid's, else nil.
    public static func storage(path: String) throws(AccessError) -> FileStorage? {
        try FileOperand.check(path)
        do throws(SystemError) {
            let storage = try FileStorage(path: path)
            let head = try storage.bytes(Int(min(try storage.length(), 6)), at: 0) ?? []
            return MemvidFile.recognises(head) ? storage : nil
        } catch {
            throw AccessError(error)
        }
    }

    /// The folder as which it is shown.
    public static func tree(
        _ file: MemvidFile, path: String
    ) throws(AccessError) -> MemvidTree {
        do throws(FormatError) {
            return try MemvidTree(file)
        } catch {
            throw AccessError(error, path: path)
        }
    }

    /// Opens it; an encrypted one with the first passphrase that fits.
    public static func open(
        _ storage: FileStorage, path: String, secrets: OpeningSecrets,
        options: MemvidFile.Options = MemvidFile.Options()
    ) throws(AccessError) -> MemvidFile {
        var candidates: [SharedSecret]?
        var next = 0
        while true {
            do {
                var options = options
                options.retainedKeys = MemvidTree.retainedKeys
                return try MemvidFile(storage, options: options) {
                    let list = try candidates ?? secrets.passphrases(for: path)
                    candidates = list
                    defer { next += 1 }
                    return list[next]
                }
            } catch let error as MemvidError {
                // Another passphrase may fit.
                if error.code == .wrongSecret, let list = candidates, next < list.count { continue }
                throw AccessError(error, path: path)
            } catch let error as AccessError {
                throw error
            } catch {
                preconditionFailure("no other error is thrown")
            }
        }
    }
}

extension OpeningSecrets {
    /// Passphrases for a file that knows nothing else: at least one.
    public func passphrases(for path: String) throws(AccessError) -> [SharedSecret] {
        let named = try namedPassphrases()
        if !named.isEmpty { return named }
        if hasOtherSource {
            throw AccessError(
                .usage, code: "missing_secret",
                "\(path): a Memvid file opens with a passphrase and nothing else")
        }
        if let passphrase = try SecretReader.environment() { return [passphrase] }
        guard mayPrompt else {
            throw AccessError(.usage, code: "missing_secret", "\(path): no secret was given")
        }
        return [try SecretReader.prompt("Passphrase for \(path)")]
    }
}

extension AccessError {
    /// An error of Memvid's format, about the file at `path`.
    public init(_ error: MemvidError, path: String) {
        let remedy =
            switch error.code {
            case .truncated, .damaged: "; 'capsule doctor --salvage DIR' saves what is intact"
            case .notMemvid, .unsupportedVersion, .wrongSecret, .limitExceeded, .system: ""
            }
        let isUsage = error.code == .wrongSecret || error.code == .notMemvid
        self.init(
            isUsage ? .usage : .system, code: error.code.rawValue, "\(path): \(error)\(remedy)")
    }
}
