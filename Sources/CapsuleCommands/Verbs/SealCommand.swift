import ArgumentParser
import CapsuleAccess
import CapsuleBytes
import CapsuleCrypto
import CapsuleFormat
import CapsuleSystem
import CapsuleTree

/// `capsule seal`.
struct SealCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "seal", abstract: "Seal a folder into a new capsule.")

    @Argument(help: "The folder.") var directory: String
    @Argument(help: "The capsule to be written.") var output: String
    @OptionGroup(title: "Secrets to create") var newSlots: NewSlotOptions
    @Option(name: .long, help: "Leave out what matches GLOB.") var exclude: [String] = []
    @Option(name: .long, help: "zstd level, 0 to 19; 0 stores uncompressed.") var level = 3
    @Option(name: .long, help: "Largest block, in bytes.") var blockSize =
        SealRequest.defaultBlockSize
    @Flag(name: .long, help: "Uniform blocks and a rounded length.") var pad = false
    @Option(name: .long, help: "A public name.") var label = ""
    @Option(name: .long, help: "A public hint at the passphrase.") var hint = ""
    @Flag(name: .long, help: "Print nothing but errors.") var quiet = false

    func run() throws {
        let slots = try newSlots.slots(cost: .standard, object: output)
        var request = SealRequest(
            source: directory, destination: output, slots: slots,
            lineage: Manifest.Lineage(
                id: Text.hex(Environment.random(16)), version: 1, parentRoot: nil),
            creator: "", toolVersion: ToolVersion.text, createdAt: "")
        request.level = level
        request.blockSize = blockSize
        request.pads = pad
        request.label = label
        request.hint = hint
        request.excludes = exclude.map { ExcludePattern($0) }
        let result = try TreeSealer(request).seal { _ in [] }
        if !quiet { Output.line("root \(result.trailer.root.hex)") }
    }
}
