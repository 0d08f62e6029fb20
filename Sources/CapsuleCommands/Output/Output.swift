import CapsuleAccess
import CapsuleBytes
import FoundationEssentials
import Glibc
import Synchronization

/// The one place where text leaves the program: results to standard output, everything else to
/// standard error.
enum Output {
    /// The version of every JSON object printed; fields may be added without a new one.
    static let schemaVersion = 1

    /// A line of a result. What came from outside gives a terminal nothing to obey.
    static func line(_ text: String) { write(Text.tame(text) + "\n", to: 1) }

    /// Text of a result, likewise.
    static func text(_ text: String) { write(Text.tame(text), to: 1) }

    /// A result for programs: sorted keys, with `schema_version` and `tool_version`.
    static func json(_ payload: some Encodable) { write(encode(payload) + "\n", to: 1) }

    /// A warning for a person.
    static func warn(_ text: String) { note("warning: \(text)") }

    /// A line for a person, in one write.
    static func note(_ text: String) { write("capsule: \(Text.tame(text))\n", to: 2) }

    /// JSON on standard error.
    static func jsonError(_ payload: some Encodable) { write(encode(payload) + "\n", to: 2) }

    /// Raw bytes of a result; a failure is kept for the exit code.
    static func bytes(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { buffer in
            do throws(AccessError) {
                try self.bytes(buffer)
            } catch {
                failed.store(true, ordering: .relaxed)
            }
        }
    }

    /// Raw bytes of a result. Throws when the reader has gone.
    static func bytes(_ bytes: UnsafeRawBufferPointer) throws(AccessError) {
        var rest = bytes
        while let base = rest.baseAddress, !rest.isEmpty {
            let count = Glibc.write(1, base, rest.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else {
                throw AccessError(.system, code: "system", "cannot write to standard output")
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    private static func write(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            if count <= 0 {
                // A reader that has seen enough, such as head(1), is no failure.
                if descriptor == 1, errno != EPIPE { failed.store(true, ordering: .relaxed) }
                return
            }
            rest = rest.dropFirst(count)
        }
    }

    private static let failed = Atomic(false)

    /// Whether a result could not be written, as onto a full disk.
    static var hasFailed: Bool { failed.load(ordering: .relaxed) }

    private static func encode(_ payload: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(Envelope(payload: payload)) else {
            preconditionFailure("results can be encoded")
        }
        return String(decoding: data, as: UTF8.self)
    }

    private struct Envelope<Payload: Encodable>: Encodable {
        let payload: Payload

        enum Keys: String, CodingKey {
            case schemaVersion = "schema_version"
            case toolVersion = "tool_version"
        }

        func encode(to encoder: any Encoder) throws {
            try payload.encode(to: encoder)
            var container = encoder.container(keyedBy: Keys.self)
            try container.encode(Output.schemaVersion, forKey: .schemaVersion)
            try container.encode(ToolVersion.text, forKey: .toolVersion)
        }
    }
}
