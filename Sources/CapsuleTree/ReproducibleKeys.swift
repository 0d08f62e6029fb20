import CapsuleBytes
import CapsuleCrypto
import CapsuleFormat
import Crypto

/// Keys that depend on what is sealed: so one key and one nonce never meet two plaintexts, although
/// nothing is random.
///
/// The first pass hashes every input of the AEAD in every stream, and the parameters of the header.
/// Key, id and salts come from that hash under the secret, a passphrase stretched first.
struct ReproducibleKeys {
    let request: SealRequest
    let sealer: TreeSealer

    func material() throws -> TreeSealer.KeyMaterial {
        guard request.slots.count == 1, let slot = request.slots.first else {
            throw CapsuleCrypto.CryptoError.keyDerivation(
                "reproducible sealing takes exactly one slot")
        }
        let fingerprint = try sealer.fingerprint()
        var parameters = ByteWriter()
        parameters.append(fingerprint.bytes)
        for part in [request.label, request.hint, slot.label]
            + request.expectedSigners.map({ Text.hex($0) })
        {
            parameters.integer(UInt32(part.utf8.count))
            parameters.append(part.utf8)
        }
        parameters.integer(UInt8(request.publishesLineage ? 1 : 0))
        switch slot.secret {
        case .passphrase(_, let cost):
            parameters.integer(KeySlot.Kind.passphrase.rawValue)
            parameters.append("\(cost.passes) \(cost.memoryKiB) \(cost.lanes)".utf8)
        case .recoveryPhrase(_, let cost):
            parameters.integer(KeySlot.Kind.recoveryPhrase.rawValue)
            parameters.append("\(cost.passes) \(cost.memoryKiB) \(cost.lanes)".utf8)
        case .keyFile: parameters.integer(KeySlot.Kind.keyFile.rawValue)
        case .recipient: break
        }
        let salt = Array(SHA256.hash(data: parameters.bytes))
        let seed = try seed(slot.secret, salt: salt)
        var counter: UInt32 = 0
        return try sealer.makeMaterial(
            random: { count in
                counter += 1
                let info = Array("capsulefs 2 reproducible \(counter)".utf8)
                return KeyDerivation.expand(seed, salt: salt, info: info, count: count).bytes
            }, fingerprint: fingerprint)
    }

    private func seed(_ secret: KeySlot.NewSecret, salt: [UInt8]) throws -> SymmetricKey {
        switch secret {
        case .passphrase(let phrase, let cost):
            return try Argon2id.derive(phrase.bytes, salt: salt, cost: cost).symmetricKey
        case .recoveryPhrase(let entropy, let cost):
            return try Argon2id.derive(entropy.bytes, salt: salt, cost: cost).symmetricKey
        case .keyFile(let content):
            return content.bytes.symmetricKey
        case .recipient:
            throw CapsuleCrypto.CryptoError.keyDerivation(
                "a recipient's slot is never the same twice; seal reproducibly to a passphrase, "
                    + "a key file or a recovery phrase")
        }
    }
}
