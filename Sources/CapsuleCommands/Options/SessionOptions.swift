import ArgumentParser
import CapsuleAccess
import CapsuleCrypto
import CapsuleFormat

/// What every verb that opens a capsule takes: secrets, and demands on its origin.
struct SessionOptions: ParsableArguments {
    @OptionGroup(title: "Secrets") var opening: OpeningOptions
    @OptionGroup(title: "Demands") var demanding: DemandOptions

    /// Opens the capsule at `path`.
    func open(_ path: String) throws -> CapsuleSession {
        try open(path, secrets: opening.secrets)
    }

    /// Opens the capsule, the Memvid file or the state at `path` as a folder.
    func openTree(
        _ path: String, recoversLog: Bool = false, of place: WorkspaceOptions
    ) throws -> OpenedTree {
        try openTree(path, secrets: opening.secrets, recoversLog: recoversLog, of: place)
    }

    /// The same with secrets that the caller uses again.
    func openTree(
        _ path: String, secrets: OpeningSecrets, recoversLog: Bool = false,
        of place: WorkspaceOptions? = nil
    ) throws -> OpenedTree {
        try OpenedTree.open(
            path: path, secrets: secrets, demands: try demanding.demands,
            recoversLog: recoversLog, workspace: place?.workspace,
            patience: place?.lockTimeout ?? WorkspaceOpener.patience)
    }

    /// Opens the capsule at `path` with secrets that the caller uses again.
    func open(_ path: String, secrets: OpeningSecrets) throws -> CapsuleSession {
        try CapsuleSession.open(path: path, secrets: secrets, demands: try demanding.demands)
    }
}

/// Demands on a capsule's origin.
struct DemandOptions: ParsableArguments {
    @Option(name: .long, help: "Refuse any root but HEX.")
    var root: String?

    @Option(name: .long, help: "Demand a signer listed in FILE (allowed_signers format).")
    var allowedSigners: String?

    @Flag(name: .long, help: "Demand a pinned signer.")
    var requireVerified = false

    /// The demands. Throws `AccessError` for a root that is none.
    var demands: CapsuleSession.Demands {
        get throws {
            var demands = CapsuleSession.Demands()
            if let root {
                guard let digest = Digest32(hex: root) else {
                    throw AccessError(
                        .usage, code: "usage", "--root takes 64 hexadecimal digits")
                }
                demands.root = digest
            }
            demands.allowedSignersFile = allowedSigners
            demands.requiresVerified = requireVerified
            return demands
        }
    }
}

/// Output for people or for programs.
struct OutputOptions: ParsableArguments {
    @Flag(name: .long, help: "Print JSON.")
    var json = false
}

/// Argon2id's cost for new slots.
struct CostOptions: ParsableArguments {
    @Option(name: .long, help: "Argon2id passes for new passphrases.")
    var argonPasses: UInt32 = Argon2id.Cost.standard.passes

    @Option(name: .long, help: "Argon2id memory for new passphrases, in MiB.")
    var argonMemory: UInt32 = Argon2id.Cost.standard.memoryKiB / 1024

    /// The cost. Throws `CryptoError.keyDerivation` outside the limits.
    var cost: Argon2id.Cost {
        get throws {
            guard argonMemory <= Argon2id.Limit.memoryKiB.upperBound / 1024 else {
                throw AccessError(.usage, code: "usage", "--argon-memory is outside the limits")
            }
            let cost = Argon2id.Cost(
                passes: argonPasses, memoryKiB: argonMemory * 1024,
                lanes: Argon2id.Cost.standard.lanes)
            try Argon2id.validate(cost)
            return cost
        }
    }
}

/// Paths inside a capsule, as users write them.
enum CapsulePath {
    /// Components of a path; a leading slash and `.` do not count. Throws for `..`.
    static func components(_ text: String) throws(AccessError) -> [[UInt8]] {
        let parts = RawArgument.bytes(of: text).split(separator: UInt8(ascii: "/")).map(Array.init)
            .filter { $0 != [UInt8(ascii: ".")] }
        guard !parts.contains([46, 46]) else {
            throw AccessError(.usage, code: "usage", "\(text): '..' leads nowhere in a capsule")
        }
        return parts
    }
}
