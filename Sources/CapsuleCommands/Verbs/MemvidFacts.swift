import CapsuleAccess
import CapsuleBytes
import CapsuleMemvid
import CapsuleSystem
import MemvidFormat

/// What `inspect` says of a file of Memvid's without a passphrase.
struct MemvidFacts {
    private struct Envelope: Encodable {
        let path: String
        let format = "memvid"
        let form: String
        let fileLength: UInt64
        let claimedLength: UInt64

        private enum CodingKeys: String, CodingKey {
            case path, format, form
            case fileLength = "file_length"
            case claimedLength = "claimed_length"
        }
    }

    private struct Contents: Encodable {
        let path: String
        let format = "memvid"
        let info: FileInfo
    }

    private let path: String
    private let storage: FileStorage
    private let envelope: EncryptedHeader?

    init(_ storage: FileStorage, path: String) throws {
        self.path = path
        self.storage = storage
        let head = try storage.bytes(Int(min(try storage.length(), 64)), at: 0) ?? []
        do throws(MemvidError) {
            envelope = EncryptedHeader.recognises(head) ? try EncryptedHeader(decoding: head) : nil
        } catch {
            throw AccessError(error, path: path)
        }
    }

    func show(asJSON: Bool) throws {
        if let envelope { return try show(envelope, asJSON: asJSON) }
        let file = try MemvidOpener.open(storage, path: path, secrets: OpeningSecrets())
        let info = FileInfo(file)
        if asJSON { return Output.json(Contents(path: path, info: info)) }
        var table = Table()
        table.add("memvid", Text.escaped(Array(path.utf8)))
        for row in info.rows { table.add(row.name, Text.escaped(Array(row.value.utf8))) }
        table.print()
        Output.line(
            "Nothing of this is checked: 'capsule verify' looks for a signature, and "
                + "'capsule doctor --deep' at every payload.")
    }

    private func show(_ header: EncryptedHeader, asJSON: Bool) throws {
        let form = header.isChunked ? "encrypted in chunks of 1 MiB" : "encrypted with one tag"
        if asJSON {
            return Output.json(
                Envelope(
                    path: path, form: form, fileLength: try storage.length(),
                    claimedLength: header.plainLength))
        }
        var table = Table()
        table.add("memvid", Text.escaped(Array(path.utf8)))
        table.add("form", "version 1, \(form)")
        table.add("secret", "passphrase, Argon2id t=3, m=65536 KiB, p=4")
        table.add("size", "\(try storage.length()) bytes")
        table.add("claimed", "\(header.plainLength) bytes of plaintext")
        table.print()
        Output.line("Nothing here is verified; 'capsule doctor' checks what can be.")
    }
}
