import CapsuleBytes
import CapsuleCrypto
import CapsuleStore
import CapsuleSystem
import Crypto
import Glibc

/// What the audit log answers.
extension LiveTree {
    /// Appends an event to the present transaction; the caller is changing the tree.
    func record(_ kind: EventKind, _ details: [String: EventValue]) throws(WorkspaceError) {
        try stored { () throws(StoreError) in try audit.append(kind, details) }
    }

    /// Appends an event and makes it durable.
    public func note(
        _ kind: EventKind, _ details: [String: EventValue]
    ) throws(WorkspaceError) {
        try changing { () throws(WorkspaceError) in try record(kind, details) }
        try commit()
    }

    /// The number of events, and the length of their lines in bytes.
    public func auditEnd() throws(WorkspaceError) -> (count: UInt64, length: UInt64) {
        try locked { () throws(WorkspaceError) in try stored(audit.end) }
    }

    /// Up to `count` events from a number on, one line each.
    public func auditLines(
        from number: UInt64, count: Int
    ) throws(WorkspaceError) -> [[UInt8]] {
        try locked { () throws(WorkspaceError) in
            try stored { () throws(StoreError) in try audit.lines(from: number, count: count) }
        }
    }

    /// A part of all lines, each with its line end.
    public func auditText(_ range: Range<UInt64>) throws(WorkspaceError) -> [UInt8] {
        try locked { () throws(WorkspaceError) in
            try stored { () throws(StoreError) in try audit.text(range) }
        }
    }

    /// The signed checkpoint of the present log (C2SP, tlog-checkpoint).
    public func checkpointText() throws(WorkspaceError) -> String {
        try locked { () throws(WorkspaceError) in
            try stored { () throws(StoreError) in
                try signedCheckpoint(size: try audit.end().count)
            }
        }
    }

    private func signedCheckpoint(size: UInt64) throws(StoreError) -> String {
        let signer = try audit.signer()
        let root = try audit.root(size: size)
        do throws(CapsuleCrypto.CryptoError) {
            return try signer.checkpoint(size: size, root: root)
        } catch {
            throw StoreError(.damaged, "\(error)", errno: EIO)
        }
    }

    /// The public key with which checkpoints are checked, as `NAME+ID+KEY`.
    public func auditKey() throws(WorkspaceError) -> String {
        try locked { () throws(WorkspaceError) in
            try stored { () throws(StoreError) in try audit.signer().verifierKey }
        }
    }

    /// A proof that an event is in the log (C2SP, tlog-proof), with its line as the extra data.
    /// Throws ENOENT where there is no such event.
    public func auditProof(of number: UInt64) throws(WorkspaceError) -> String {
        try locked { () throws(WorkspaceError) in
            let size = try stored(audit.end).count
            guard number < size else {
                throw WorkspaceError.refusal(
                    ENOENT,
                    "there is no event \(number), only \(size): 'capsule audit list' shows them")
            }
            return try stored { () throws(StoreError) in
                let line = try audit.lines(from: number, count: 1).first ?? []
                var text = "c2sp.org/tlog-proof@v1\nextra \(Text.base64(line))\nindex \(number)\n"
                for hash in try audit.proof(of: number, size: size) {
                    text += Text.base64(hash.bytes) + "\n"
                }
                return text + "\n" + (try signedCheckpoint(size: size))
            }
        }
    }

    /// Checks the whole log, and that it continues the one that a checkpoint was made of. Returns
    /// what is wrong.
    public func auditFaults(against checkpoint: String?) throws(WorkspaceError) -> [String] {
        try locked { () throws(WorkspaceError) in
            try stored { () throws(StoreError) in
                var faults: [String] = []
                try audit.check { faults.append($0) }
                guard let checkpoint else { return faults }
                guard let seen = try audit.signer().open(checkpoint: checkpoint) else {
                    return faults + ["the checkpoint is not one that this workspace has signed"]
                }
                let size = try audit.end().count
                if seen.size > size {
                    faults.append(
                        "the checkpoint saw \(seen.size) events, and there are \(size): events "
                            + "have vanished")
                } else if try audit.root(size: seen.size) != seen.root {
                    faults.append(
                        "the first \(seen.size) events are not those that the checkpoint saw")
                }
                return faults
            }
        }
    }

    // MARK: Files

    /// The fact that says whether files are recorded.
    static let recordsFact = "audit_files"

    /// Records what happens to a file, if the workspace was made so; within a change of the tree.
    func recordFile(
        _ kind: EventKind, _ inode: Inode, in parent: UInt64
    ) throws(WorkspaceError) {
        guard recordsFiles, !inode.isDirectory else { return }
        try record(
            kind,
            ["inode": .number(Int64(inode.number)), "directory": .number(Int64(parent))])
    }

    /// Records that somebody opens a file, if the workspace was made so. Durable with the next
    /// commit. Throws EROFS for one of a run that has ended that shall be written: the kernel would
    /// take what is written, and learn later that nobody else does.
    public func noteOpened(_ number: UInt64, isWriting: Bool) throws(WorkspaceError) {
        if isWriting {
            try requireNothingReplaced()
            if !isReadOnly {
                try locked { () throws(WorkspaceError) in try refuseFrozen(number) }
            }
        }
        guard recordsFiles, !isReadOnly else { return }
        try changing { () throws(WorkspaceError) in
            try record(
                .fileOpened, ["inode": .number(Int64(number)), "writing": .flag(isWriting)])
        }
    }

    /// Throws EBUSY while the kernel knows another size of files than they have.
    func requireNothingReplaced() throws(WorkspaceError) {
        try locked { () throws(WorkspaceError) in
            if isReplacing { throw WorkspaceError(EBUSY) }
        }
    }

    // MARK: Names

    /// Stands for a path in an event, as an event cannot be forgotten and a path can: the SHA-256
    /// of a salt and the path, which is kept beside the log until it is forgotten.
    func disclose(_ path: [[UInt8]]) throws(WorkspaceError) -> String {
        let text = Array(path.joined(separator: [0x2f]))
        let salt = Environment.random(16)
        let digest = Array(SHA256.hash(data: salt + text))
        try stored { () throws(StoreError) in
            try Statement(
                database, "INSERT INTO event_name(digest, salt, path) VALUES (?1, ?2, ?3)"
            ).bind(1, digest).bind(2, salt).bind(3, text).run()
        }
        return Text.hex(digest)
    }

    /// Removes the paths at and below one from beside the log.
    func forgetDisclosed(_ path: [[UInt8]]) throws(StoreError) {
        let text = Array(path.joined(separator: [0x2f]))
        let rows = try Statement(database, "SELECT digest, path FROM event_name").all {
            (digest: $0.bytes(0), path: $0.bytes(1))
        }
        let delete = try Statement(database, "DELETE FROM event_name WHERE digest = ?1")
        for row in rows where row.path == text || row.path.starts(with: text + [0x2f]) {
            try delete.bind(1, row.digest).run()
        }
    }

    /// The path behind a digest in an event, with the salt, unless it was forgotten.
    public func disclosed(_ digest: [UInt8]) throws(WorkspaceError) -> (
        salt: [UInt8], path: [UInt8]
    )? {
        try locked { () throws(WorkspaceError) in
            try stored { () throws(StoreError) in
                try Statement(database, "SELECT salt, path FROM event_name WHERE digest = ?1")
                    .bind(1, digest).first { ($0.bytes(0), $0.bytes(1)) }
            }
        }
    }
}
