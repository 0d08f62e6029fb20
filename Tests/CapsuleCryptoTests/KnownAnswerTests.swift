// Primitives against the answers that others have published.

import CapsuleBytes
import CapsuleCrypto
import Crypto
import Testing

/// Crypto exports an error of the same name.
typealias Refusal = CapsuleCrypto.CryptoError

func secret(_ bytes: [UInt8]) -> SecretBytes {
    var copy = bytes
    return SecretBytes(wiping: &copy)
}

func shared(_ bytes: [UInt8]) -> CapsuleCrypto.SharedSecret {
    CapsuleCrypto.SharedSecret(secret(bytes))
}

func contents(_ secret: borrowing SecretBytes) -> [UInt8] {
    secret.withUnsafeBytes { [UInt8]($0) }
}

func count(from first: UInt8, _ number: Int) -> [UInt8] {
    (0..<number).map { first &+ UInt8(truncatingIfNeeded: $0) }
}

@Suite("Known answers")
struct KnownAnswerTests {
    struct Argon: Sendable {
        let cost: Argon2id.Cost
        let password: String
        let salt: String
        let hash: String
    }

    /// From the test suite of the reference implementation, version 0x13.
    static let argonVectors: [Argon] = [
        Argon(
            cost: .init(passes: 2, memoryKiB: 65536, lanes: 1), password: "password",
            salt: "somesalt",
            hash: "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"),
        Argon(
            cost: .init(passes: 2, memoryKiB: 256, lanes: 1), password: "password",
            salt: "somesalt",
            hash: "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe"),
        Argon(
            cost: .init(passes: 2, memoryKiB: 256, lanes: 2), password: "password",
            salt: "somesalt",
            hash: "6d093c501fd5999645e0ea3bf620d7b8be7fd2db59c20d9fff9539da2bf57037"),
        Argon(
            cost: .init(passes: 1, memoryKiB: 65536, lanes: 1), password: "password",
            salt: "somesalt",
            hash: "f6a5adc1ba723dddef9b5ac1d464e180fcd9dffc9d1cbf76cca2fed795d9ca98"),
        Argon(
            cost: .init(passes: 2, memoryKiB: 65536, lanes: 1), password: "differentpassword",
            salt: "somesalt",
            hash: "0b84d652cf6b0c4beaef0dfe278ba6a80df6696281d7e0d2891b817d8c458fde"),
        Argon(
            cost: .init(passes: 2, memoryKiB: 65536, lanes: 1), password: "password",
            salt: "diffsalt",
            hash: "bdf32b05ccc42eb15d58fd19b1f856b113da1e9a5874fdcc544308565aa8141c"),
    ]

    @Test("Argon2id agrees with the reference implementation", arguments: argonVectors)
    func argon2id(vector: Argon) throws {
        let derived = try Argon2id.derive(
            secret(Array(vector.password.utf8)), salt: Array(vector.salt.utf8), cost: vector.cost)
        #expect(Text.hex(contents(derived)) == vector.hash)
    }

    @Test("Argon2id's limits are checked before any work")
    func argonLimits() {
        let refused: [Argon2id.Cost] = [
            .init(passes: 0, memoryKiB: 64, lanes: 1), .init(passes: 65, memoryKiB: 64, lanes: 1),
            .init(passes: 1, memoryKiB: 7, lanes: 1), .init(passes: 1, memoryKiB: 64, lanes: 0),
            .init(passes: 1, memoryKiB: 4096, lanes: 17),
            .init(passes: 1, memoryKiB: 63, lanes: 8),
            .init(passes: 1, memoryKiB: 4_194_305, lanes: 1),
            .init(passes: 3, memoryKiB: 4_194_304, lanes: 1),
            .init(passes: .max, memoryKiB: .max, lanes: .max),
        ]
        for cost in refused {
            #expect(throws: Refusal.self) { try Argon2id.validate(cost) }
            #expect(throws: Refusal.self) {
                _ = try Argon2id.derive(secret([1]), salt: count(from: 0, 32), cost: cost)
            }
        }
        #expect(throws: Never.self) {
            try Argon2id.validate(.standard)
            try Argon2id.validate(.init(passes: 2, memoryKiB: 4_194_304, lanes: 16))
        }
    }

    @Test("HKDF agrees with RFC 5869, test case 1")
    func hkdf() {
        let okm = KeyDerivation.expand(
            SymmetricKey(data: [UInt8](repeating: 0x0b, count: 22)), salt: count(from: 0, 13),
            info: count(from: 0xf0, 10), count: 42)
        #expect(
            Text.hex(okm.bytes)
                == "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
                + "34007208d5b887185865")
    }

    /// AES-256-GCM of the NIST CAVP kind with an all-zero key and nonce (test case 14 of the GCM
    /// specification): counter 0 is the nonce of zeros.
    @Test("AES-256-GCM agrees with the GCM specification, test case 14")
    func gcm() throws {
        let cipher = BlockCipher(key: SymmetricKey(data: [UInt8](repeating: 0, count: 32)))
        let zeros = [UInt8](repeating: 0, count: 16)
        let sealed = cipher.seal(zeros, counter: 0, associated: [])
        #expect(
            Text.hex(sealed)
                == "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919")
        #expect(try cipher.open(sealed, counter: 0, associated: []) == zeros)
    }

    @Test("what was sealed opens under the same key, counter and associated data only")
    func cipherBindings() throws {
        let cipher = BlockCipher(key: SymmetricKey(data: count(from: 1, 32)))
        let other = BlockCipher(key: SymmetricKey(data: count(from: 2, 32)))
        let message = Array("attack at dawn".utf8)
        let sealed = cipher.seal(message, counter: 1 << 40, associated: [1, 2])
        #expect(try cipher.open(sealed, counter: 1 << 40, associated: [1, 2]) == message)
        #expect(throws: Refusal.notAuthentic) {
            try other.open(sealed, counter: 1 << 40, associated: [1, 2])
        }
        for counter in [0, 1, (1 << 40) + 1, .max] as [UInt64] {
            #expect(throws: Refusal.notAuthentic) {
                try cipher.open(sealed, counter: counter, associated: [1, 2])
            }
        }
        for associated in [[], [1], [2, 1], [1, 2, 0]] as [[UInt8]] {
            #expect(throws: Refusal.notAuthentic) {
                try cipher.open(sealed, counter: 1 << 40, associated: associated)
            }
        }
        for length in 0..<sealed.count {
            #expect(throws: Refusal.notAuthentic) {
                try cipher.open(Array(sealed[..<length]), counter: 1 << 40, associated: [1, 2])
            }
        }
    }

    @Test("keys for different purposes, salts and file keys differ")
    func fileKeys() {
        let salt = count(from: 9, 32)
        let keys = FileKeys(fileKey: SymmetricKey(data: count(from: 1, 32)), salt: salt)
        let others = [
            FileKeys(fileKey: SymmetricKey(data: count(from: 2, 32)), salt: salt),
            FileKeys(fileKey: keys.fileKey, salt: count(from: 8, 32)),
        ]
        #expect(others.allSatisfy { $0.commitment != keys.commitment })
        #expect(others.allSatisfy { $0.trailerMAC([1]) != keys.trailerMAC([1]) })
        #expect(keys.trailerMAC([1]) != keys.slotAreaMAC([1]))
        // The commitment is the value that the man page defines.
        let info = Array("capsulefs 2 key commitment".utf8)
        let expected = KeyDerivation.expand(keys.fileKey, salt: salt, info: info, count: 32)
        #expect(keys.commitment == expected.bytes)
    }

    @Test("secrets are compared whole")
    func constantTime() {
        #expect(equalInConstantTime([], []) && equalInConstantTime([1, 2], [1, 2]))
        #expect(!equalInConstantTime([1, 2], [1, 3]) && !equalInConstantTime([1], [1, 2]))
        var bytes: [UInt8] = [1, 2, 3]
        let copy = SecretBytes(wiping: &bytes)
        #expect(bytes.isEmpty && contents(copy) == [1, 2, 3])
        #expect(contents(SecretBytes.random(32)) != contents(SecretBytes.random(32)))
    }
}
