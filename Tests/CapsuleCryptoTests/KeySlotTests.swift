// Every kind of slot opens with its own secret, with no other, and not when a byte of it changed.

import CapsuleBytes
import CapsuleCrypto
import Crypto
import Testing

@Suite("Key slots")
struct KeySlotTests {
    static let fileKey = SymmetricKey(data: count(from: 100, 32))
    static let capsuleID = count(from: 50, 16)
    static let cost = Argon2id.Cost(passes: 1, memoryKiB: 8, lanes: 1)

    /// A slot of one of the five kinds, and ways to open it.
    struct Opener: Sendable, CustomTestStringConvertible {
        let kind: KeySlot.Kind
        let secret: KeySlot.NewSecret
        let open: @Sendable (KeySlot, [UInt8]) throws -> SymmetricKey?
        var testDescription: String { kind.name }
    }

    static func openers(_ number: UInt8) -> [Opener] {
        let text = count(from: number, 32)
        let identities = [
            Identity.x25519(Curve25519.KeyAgreement.PrivateKey()), try? hybrid(),
        ].compactMap { $0 }
        return [
            Opener(kind: .passphrase, secret: .passphrase(shared(text), cost)) {
                try $0.open(stretching: CapsuleCryptoTests.secret(text), capsuleID: $1)
            },
            Opener(kind: .recoveryPhrase, secret: .recoveryPhrase(entropy: shared(text), cost)) {
                try $0.open(stretching: CapsuleCryptoTests.secret(text), capsuleID: $1)
            },
            Opener(kind: .keyFile, secret: .keyFile(shared(text + text))) {
                try $0.open(keyFile: CapsuleCryptoTests.secret(text + text), capsuleID: $1)
            },
        ]
            + identities.map { identity in
                Opener(
                    kind: identity.recipient.isPostQuantum ? .xWing : .x25519,
                    secret: .recipient(identity.recipient)
                ) { try $0.open(identity: identity, capsuleID: $1) }
            }
    }

    private static func hybrid() throws -> Identity {
        .xWing(try XWingMLKEM768X25519.PrivateKey.generate())
    }

    private static func make(_ opener: Opener, label: String = "") throws -> KeySlot {
        try KeySlot(
            wrapping: fileKey, under: opener.secret, capsuleID: capsuleID,
            label: Array(label.utf8), salt: contents(SecretBytes.random(32)))
    }

    static let kinds = openers(1)
    static let others = openers(2)

    @Test("a slot opens with its own secret and says what it is", arguments: kinds)
    func ownSecret(opener: Opener) throws {
        let slot = try Self.make(opener, label: "of ada")
        #expect(slot.kind == opener.kind)
        #expect(try opener.open(slot, Self.capsuleID)?.bytes == Self.fileKey.bytes)
        #expect(try slot.label(fileKey: Self.fileKey) == Array("of ada".utf8))
        #expect((slot.cost != nil) == opener.kind.usesArgon2id)
        let again = try KeySlot(decoding: slot.record + [1, 2, 3], at: 0)
        #expect(again.record == slot.record)
        #expect(try opener.open(again, Self.capsuleID)?.bytes == Self.fileKey.bytes)
    }

    @Test("a wrong secret, another kind's and another capsule's id yield nothing", arguments: kinds)
    func otherSecrets(opener: Opener) throws {
        let slot = try Self.make(opener)
        for other in Self.others { #expect(try other.open(slot, Self.capsuleID) == nil) }
        for other in Self.kinds where other.kind != opener.kind {
            let isSamePassphrase = other.kind.usesArgon2id && opener.kind.usesArgon2id
            // A slot of the other Argon2id kind stretches the secret in the same way; the caller
            // chooses which secrets go to which kinds.
            if !isSamePassphrase { #expect(try other.open(slot, Self.capsuleID) == nil) }
        }
        #expect(try opener.open(slot, count(from: 51, 16)) == nil)
    }

    @Test("the sealed label needs the file key and the slot's own salt")
    func labels() throws {
        let slot = try Self.make(Self.kinds[2], label: "label")
        #expect(throws: Refusal.notAuthentic) {
            _ = try slot.label(fileKey: SymmetricKey(data: count(from: 3, 32)))
        }
        #expect(try Self.make(Self.kinds[2]).label(fileKey: Self.fileKey) == [])
        #expect(slot.record.firstRange(of: Array("label".utf8)) == nil)
    }

    @Test("a flipped bit anywhere in a record is refused", arguments: kinds)
    func flips(opener: Opener) throws {
        let slot = try Self.make(opener, label: "label")
        for position in slot.record.indices {
            var record = slot.record
            record[position] ^= 1 << UInt8(position % 8)
            #expect(throws: ByteError.self) { _ = try KeySlot(decoding: record, at: 0) }
        }
        for length in 0..<slot.record.count {
            #expect(throws: ByteError.self) {
                _ = try KeySlot(decoding: Array(slot.record[..<length]), at: 0)
            }
        }
    }

    private static let checksum = Blake3Context("capsulefs 2 slot checksum")

    @Test("a flipped bit under a new checksum is refused or does not open", arguments: kinds)
    func forgedFlips(opener: Opener) throws {
        let slot = try Self.make(opener, label: "label")
        let labelStart = slot.record.count - 32 - 5 - 16
        for position in 0..<slot.record.count - 32 {
            var body = Array(slot.record.dropLast(32))
            body[position] ^= 1 << UInt8(position % 8)
            let record = body + Self.checksum.hash(body).bytes
            guard let forged = try? KeySlot(decoding: record, at: 0) else { continue }
            // Costs that an edit made large are within the limits, and too large for a test.
            if let cost = forged.cost, cost.work > 1 << 12 { continue }
            if position < labelStart {
                #expect(try opener.open(forged, Self.capsuleID) == nil, "byte \(position)")
            } else {
                #expect(throws: Refusal.notAuthentic) {
                    _ = try forged.label(fileKey: Self.fileKey)
                }
            }
        }
    }

    @Test("a slot of an unknown kind is kept and opened by nobody")
    func unknownKind() throws {
        var body = Array(try Self.make(Self.kinds[2]).record.dropLast(32))
        body[0] = 99
        let slot = try KeySlot(decoding: body + Self.checksum.hash(body).bytes, at: 0)
        #expect(slot.kind.name == "unknown-99" && slot.cost == nil)
        for opener in Self.kinds { #expect(try opener.open(slot, Self.capsuleID) == nil) }
    }

    @Test("one secret wrapped twice gives two records that have nothing in common")
    func fresh() throws {
        for opener in Self.kinds {
            let (one, two) = (try Self.make(opener).record, try Self.make(opener).record)
            #expect(one[8..<120] != two[8..<120] && one[40..<72] != two[40..<72])
        }
    }
}
