import CapsuleFormat
import CapsuleSystem

/// What somebody else does while a tree is sealed. Whatever throws ends it, and no file appears.
public struct SealHooks {
    /// What an audit log says of a capsule before it exists.
    public struct Witness: Sendable {
        /// The log's signed checkpoint.
        public let checkpoint: String
        /// The proof that the capsule is announced in the log.
        public let proof: String

        /// A witness.
        public init(checkpoint: String, proof: String) {
            self.checkpoint = checkpoint
            self.proof = proof
        }
    }

    /// Is told the content digest, in hexadecimal, before the manifest is written.
    public var witness: (_ contentDigest: String) throws -> Witness? = { _ in nil }
    /// May open the finished capsule, before it is signed.
    public var inspect: (_ open: () throws -> Capsule) throws -> Void = { _ in }
    /// Has the finished file, signatures included, before it gets its name.
    public var willPublish: (_ file: any Storage) throws -> Void = { _ in }

    /// Nothing.
    public init() {}
}
