import ArgumentParser
import CapsuleAccess
import CapsuleCrypto
import CapsuleFormat
import CapsuleSystem
import CapsuleTree
import Glibc

/// Who sealed a capsule, and when.
enum Provenance {
    /// user@host.
    static var creator: String {
        var name = [CChar](repeating: 0, count: 256)
        gethostname(&name, name.count - 1)
        let host = String(
            decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let user = getpwuid(geteuid()).map { String(cString: $0.pointee.pw_name) }
        return "\(user ?? "\(geteuid())")@\(host)"
    }

    /// The present time, or what SOURCE_DATE_EPOCH says.
    static func createdAt() throws(AccessError) -> String {
        guard let value = Environment.variable("SOURCE_DATE_EPOCH") else {
            return Timestamp.now.rfc3339
        }
        guard let seconds = Int64(String(decoding: value, as: UTF8.self)) else {
            throw AccessError(.usage, code: "usage", "SOURCE_DATE_EPOCH is not a number")
        }
        return Timestamp(seconds: seconds).rfc3339
    }
}

/// Signs statements with the keys that the user named.
struct Signers {
    let keys: [SigningKey]

    init(paths: [String]) throws(AccessError) {
        var keys: [SigningKey] = []
        for path in paths { keys.append(try SigningKey(path: path)) }
        self.keys = keys
    }

    var fingerprints: [[UInt8]] {
        Set(keys.map(\.publicKey.fingerprint)).sorted { $0.lexicographicallyPrecedes($1) }
    }

    func sign(_ statement: [UInt8]) throws -> [[UInt8]] {
        var blobs: [[UInt8]] = []
        for key in keys { blobs.append(try key.sign(statement)) }
        return blobs
    }
}
