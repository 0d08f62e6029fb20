import ArgumentParser
import CapsuleAccess
import CapsuleCrypto
import CapsuleFormat

/// `capsule sign`.
struct SignCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign", abstract: "Countersign a capsule; needs none of its secrets.",
        discussion: "See capsule-sign(1).")

    @Argument(help: "The capsule.") var file: String
    @Option(name: .long, help: "The SSH key: private, or .pub with an agent.") var key: String
    @OptionGroup var outputOptions: OutputOptions

    private struct Result: Encodable {
        let path: String
        let signer: String
        let root: String
    }

    func run() throws {
        let signer = try SigningKey(path: key)
        let capsule = try CapsuleOpener.open(path: file, writable: true)
        do throws(FormatError) {
            // A signature stands for every byte, so every byte is checked first.
            if let fault = CapsuleVerifier(capsule).verify().faults.first { throw fault }
        } catch {
            throw AccessError(error, path: file)
        }
        let isSigned = capsule.signatures.contains { blob in
            (try? SSHSignatureKey.fingerprint(of: blob)) == signer.publicKey.fingerprintText
        }
        guard !isSigned else {
            throw AccessError(
                .usage, code: "already_signed",
                "\(file): \(signer.publicKey.fingerprintText) has signed it already")
        }
        let signature = try signer.sign(capsule.statement)
        do throws(FormatError) {
            try capsule.appendSignature(signature)
        } catch {
            throw AccessError(error, path: file)
        }
        let fingerprint = signer.publicKey.fingerprintText
        if outputOptions.json {
            Output.json(
                Result(path: file, signer: fingerprint, root: capsule.trailer.root.hex))
        } else {
            Output.line("signed \(file) with \(fingerprint)")
        }
    }
}
