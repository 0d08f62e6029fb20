import CapsuleBytes
import Crypto

/// The keys of one capsule: everything that is derived from its file key.
///
/// The list of purposes is closed: each has one HKDF-SHA-256 info string, under the capsule's salt.
public struct FileKeys: Sendable {
    /// The key that the slots wrap: 32 random bytes.
    public let fileKey: SymmetricKey
    /// The salt under which everything is derived from it: 32 bytes.
    public let salt: [UInt8]

    /// The keys of the capsule with this salt (32 bytes).
    public init(fileKey: SymmetricKey, salt: [UInt8]) {
        precondition(fileKey.bitCount == 256 && salt.count == 32, "a file key has 32 bytes")
        self.fileKey = fileKey
        self.salt = salt
    }

    fileprivate func subkey(_ purpose: String) -> SymmetricKey {
        KeyDerivation.expand(
            fileKey, salt: salt, info: Array("capsulefs 2 \(purpose)".utf8), count: 32)
    }

    /// The value in the header that only this file key has.
    public var commitment: [UInt8] { subkey("key commitment").bytes }

    /// The cipher of the blocks of a stream.
    public func cipher(stream: String) -> BlockCipher {
        BlockCipher(key: subkey("stream \(stream)"))
    }

    /// HMAC-SHA-256 over the trailer.
    public func trailerMAC(_ bytes: [UInt8]) -> [UInt8] { mac("trailer", bytes) }

    /// HMAC-SHA-256 over a slot area.
    public func slotAreaMAC(_ bytes: [UInt8]) -> [UInt8] { mac("slot area", bytes) }

    private func mac(_ purpose: String, _ bytes: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: bytes, using: subkey("\(purpose) mac")))
    }
}

// MARK: Workspaces

extension FileKeys {
    /// The cipher of a workspace's database, its log and its map of pages.
    public var databaseCipher: PageCipher { PageCipher(key: subkey("workspace database")) }

    /// The cipher of keys that lie in the database.
    public var wrappingCipher: PageCipher { PageCipher(key: subkey("workspace wrapped keys")) }

    /// The private key of reports from those who have no key.
    public var reportKey: SymmetricKey { subkey("workspace reports") }

    /// The id of a policy, in hex: equal for equal texts within the workspace, and of no use to
    /// whoever guesses the text.
    public func policyID(_ body: [UInt8]) -> String { Text.hex(mac("workspace policy", body)) }

    /// The cipher of the segment of a name of 8 bytes.
    public func segmentCipher(name: [UInt8]) -> SegmentCipher {
        let purpose = name.map { String($0, radix: 16) }.joined(separator: ".")
        return SegmentCipher(key: subkey("workspace segment \(purpose)"), name: name)
    }
}
