import CapsuleAccess
import CapsuleFormat
import CapsuleMemvid
import CapsuleSystem
import MemvidFormat

/// What doctor finds in a file of Memvid's.
extension Examination {
    /// What `doctor` was asked to do with the file.
    struct MemvidWork {
        /// Whether every payload is read.
        var isDeep = false
        /// Which of the payloads are read otherwise, by frame.
        var sample: ((UInt64) -> Bool)?
        /// Whether what is left of a damaged file is wanted.
        var isSalvaging = false
    }

    /// Checks the file; the folder of what can be read, for `--salvage`.
    mutating func examineMemvid(
        _ storage: FileStorage, secrets: OpeningSecrets, _ work: MemvidWork
    ) throws -> MemvidTree? {
        let isEncrypted = try examineEnvelope(storage)
        if isEncrypted, secrets.isImplicit, !work.isDeep, !work.isSalvaging, work.sample == nil {
            add(
                .warning, "contents", "no secret was given: only lengths were checked",
                remedy: "name a passphrase to check what is inside")
            return nil
        }
        // Read once: a damaged file is opened a second time to save what is left.
        let secrets = isEncrypted ? try passphrases(secrets) : secrets
        var options = MemvidFile.Options()
        let file: MemvidFile
        do throws(AccessError) {
            file = try MemvidOpener.open(storage, path: path, secrets: secrets, options: options)
        } catch {
            guard error.kind == .system else { throw error }
            add(.error, "structure", error.message, remedy: "'--salvage DIR' saves what is intact")
            guard work.isSalvaging else { return nil }
            options.isSalvaging = true
            return try salvaged(storage, secrets, options)
        }
        add(.ok, "structure", "header, footer and table of contents are whole", remedy: nil)
        examineLog(file)
        let tree = try MemvidOpener.tree(file, path: path)
        if work.isDeep {
            examineFolder(tree)
            examineRegions(file)
        } else if let sample = work.sample {
            examinePayloads(file, sample)
        }
        return tree
    }

    private func passphrases(_ secrets: OpeningSecrets) throws -> OpeningSecrets {
        var read = OpeningSecrets()
        read.passphrases = try secrets.passphrases(for: path)
        return read
    }

    private mutating func salvaged(
        _ storage: FileStorage, _ secrets: OpeningSecrets, _ options: MemvidFile.Options
    ) throws -> MemvidTree? {
        do throws(AccessError) {
            let file = try MemvidOpener.open(
                storage, path: path, secrets: secrets, options: options)
            for remark in file.remarks {
                add(.warning, "salvage", remark, remedy: nil)
            }
            return try MemvidOpener.tree(file, path: path)
        } catch {
            add(
                .error, "salvage", "nothing can be saved: \(error.message)",
                remedy: "get the file again")
            return nil
        }
    }

    /// What the outside of the file says, and what it cannot protect. Whether it is encrypted.
    private mutating func examineEnvelope(_ storage: FileStorage) throws -> Bool {
        let remedy = "'capsule convert' makes a version 2 capsule, which protects all of it"
        let head = try storage.bytes(Int(min(try storage.length(), 64)), at: 0) ?? []
        guard EncryptedHeader.recognises(head) else {
            add(
                .warning, "protection",
                "it is not encrypted; what it has of signatures 'capsule verify' checks",
                remedy: remedy)
            return false
        }
        do throws(MemvidError) {
            let header = try EncryptedHeader(decoding: head)
            add(
                .ok, "header",
                "version 1, \(header.isChunked ? "chunks of 1 MiB" : "one tag"), "
                    + "\(header.plainLength) bytes of plaintext by its own account", remedy: nil)
        } catch {
            add(.error, "header", error.description, remedy: "get the file again")
        }
        add(
            .warning, "protection",
            "its header is not authenticated and nothing outside it is signed: whoever has the "
                + "passphrase can have written it, and 8 bytes of its nonce can be changed unseen",
            remedy: remedy)
        return true
    }

    private mutating func examineLog(_ file: MemvidFile) {
        let log = file.examineLog()
        for fault in log.faults {
            add(
                .warning, "log", fault.description,
                remedy: "Memvid refuses to open the file; 'memvid doctor' empties the log")
        }
        if log.pendingCount > 0 {
            add(
                .warning, "log",
                "\(log.pendingCount) records were accepted and not committed: they are not shown",
                remedy: "'-o recover' or '--recover' shows them")
        } else if log.faults.isEmpty {
            add(.ok, "log", "everything in the log is committed", remedy: nil)
        }
        if file.header.hasOldLock {
            add(
                .warning, "lock", "an old version of Memvid has left its lock in the header",
                remedy: "it keeps nobody out; Memvid takes it away when it writes the file")
        }
    }

    private mutating func examineFolder(_ tree: MemvidTree) {
        var walk = TreeWalk(tree, progress)
        walk.run()
        for fault in walk.faults {
            add(
                .error, "documents", fault.text, of: fault.object,
                remedy: "'--salvage DIR' saves the others")
        }
        if walk.faults.isEmpty {
            add(
                .ok, "documents", "\(tree.file.frames.count) frames can be read to the last byte",
                remedy: nil)
        }
    }

    private mutating func examinePayloads(_ file: MemvidFile, _ sample: (UInt64) -> Bool) {
        var count = 0
        var faults = 0
        for frame in file.frames where frame.payloadLength > 0 && sample(frame.id) {
            count += 1
            do throws(MemvidError) {
                _ = try file.payload(frame.id)
            } catch {
                faults += 1
                add(
                    .error, "documents", error.description, of: "frame \(frame.id)",
                    remedy: "'--salvage DIR' saves others")
            }
        }
        if faults == 0 { add(.ok, "documents", "\(count) payloads are intact", remedy: nil) }
    }

    private mutating func examineRegions(_ file: MemvidFile) {
        let stale = file.staleRegions()
        guard !stale.isEmpty else { return }
        add(
            .ok, "indexes",
            "\(stale.count) index regions were overwritten since, as Memvid leaves them",
            remedy: nil)
    }
}
