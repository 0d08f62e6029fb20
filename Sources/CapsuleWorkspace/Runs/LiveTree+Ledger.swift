import CapsuleBytes
import CapsuleCrypto
import CapsuleStore
import Glibc

/// What is known of exports, imports and golden queries.
extension LiveTree {
    /// As `RunService` says.
    public func ledger(
        _ kind: LedgerEntry.Kind, named name: String?
    ) throws(WorkspaceError) -> [LedgerEntry] {
        try locked { () throws(WorkspaceError) in
            try stored { () throws(StoreError) in try entries(kind, named: name) }
        }
    }

    private func entries(
        _ kind: LedgerEntry.Kind, named name: String?
    ) throws(StoreError) -> [LedgerEntry] {
        guard try hasRecords() else { return [] }
        let one = name == nil ? "" : "AND name = ?2"
        let select = try Statement(
            database,
            "SELECT name, file, secret, body FROM ledger WHERE kind = ?1 \(one) ORDER BY name"
        ).bind(1, Array(kind.rawValue.utf8))
        if let name { _ = select.bind(2, Array(name.utf8)) }
        return try select.all {
            LedgerEntry(
                kind, $0.text(0), body: $0.bytes(3), file: $0.text(1), secret: $0.bytes(2))
        }
    }

    /// As `RunService` says.
    public func changeLedger(
        _ changes: [LedgerChange], _ kind: EventKind, _ details: [String: EventValue]
    ) throws(WorkspaceError) {
        try changing { () throws(WorkspaceError) in
            // An answer such as ENOENT rolls nothing back, so it is given before anything changes.
            for change in changes { try check(change) }
            for change in changes { try apply(change) }
            try record(kind, details)
        }
        try commit()
    }

    private func found(
        _ kind: LedgerEntry.Kind, _ name: String
    ) throws(WorkspaceError) -> LedgerEntry? {
        try stored { () throws(StoreError) in try entries(kind, named: name).first }
    }

    private func check(_ change: LedgerChange) throws(WorkspaceError) {
        switch change {
        case .insert(let entry):
            if try found(entry.kind, entry.name) != nil {
                throw WorkspaceError.refusal(
                    EEXIST, "'\(entry.name)' is taken already (\(entry.kind.rawValue))")
            }
        case .replace(let entry): _ = try required(entry.kind, entry.name)
        case .exchange(let entry, let body):
            guard try required(entry.kind, entry.name).body == body else {
                throw WorkspaceError.refusal(
                    EEXIST, "somebody else has taken the \(entry.kind.rawValue) '\(entry.name)'")
            }
        case .remove(let kind, let name): _ = try required(kind, name)
        case .drop: break
        }
    }

    private func required(
        _ kind: LedgerEntry.Kind, _ name: String
    ) throws(WorkspaceError) -> LedgerEntry {
        guard let entry = try found(kind, name) else {
            throw WorkspaceError.refusal(ENOENT, "there is no \(kind.rawValue) '\(name)'")
        }
        return entry
    }

    private func apply(_ change: LedgerChange) throws(WorkspaceError) {
        switch change {
        case .insert(let entry), .replace(let entry), .exchange(let entry, _): try put(entry)
        case .remove(let kind, let name), .drop(let kind, let name):
            try stored { () throws(StoreError) in
                // A row that is only deleted may lie in its page for long.
                for sql in [
                    "UPDATE ledger SET secret = zeroblob(length(secret))", "DELETE FROM ledger",
                ] {
                    try Statement(database, sql + " WHERE kind = ?1 AND name = ?2")
                        .bind(1, Array(kind.rawValue.utf8)).bind(2, Array(name.utf8)).run()
                }
            }
        }
    }

    func put(_ entry: LedgerEntry) throws(WorkspaceError) {
        try stored { () throws(StoreError) in
            try Statement(
                database,
                """
                INSERT OR REPLACE INTO ledger(kind, name, file, secret, body)
                VALUES (?1, ?2, ?3, ?4, ?5)
                """
            ).bind(1, Array(entry.kind.rawValue.utf8)).bind(2, Array(entry.name.utf8))
                .bind(3, Array(entry.file.utf8)).bind(4, entry.secret).bind(5, entry.body).run()
        }
    }

    // MARK: Secrets of entries

    /// As `RunService` says.
    public func ledgerRecipient() throws(WorkspaceError) -> [UInt8] {
        ReportBox.publicKey(audit.keys.reportKey)
    }

    /// The key in an entry. Throws EIO where it is not one that was sealed for its file.
    func key(in entry: LedgerEntry) throws(WorkspaceError) -> [UInt8] {
        let line = try? ReportBox.open(entry.secret, key: audit.keys.reportKey, workspace: audit.id)
        let text = String(decoding: line ?? [], as: UTF8.self)
        guard text.hasPrefix(LedgerKey.prefix(entry.file)),
            let key = Text.unhex(String(text.dropFirst(LedgerKey.prefix(entry.file).count)))
        else {
            throw WorkspaceError(
                EIO, "the key of the \(entry.kind.rawValue) '\(entry.name)' is not authentic")
        }
        return key
    }
}

/// A key that is kept in the ledger, so that what it opens needs no secret again.
public enum LedgerKey {
    static func prefix(_ file: String) -> String { "key of \(file): " }

    /// Seals the key of a file to a workspace. Throws EINVAL for what is no recipient.
    public static func seal(
        _ key: [UInt8], of file: String, to recipient: [UInt8], workspace: String
    ) throws(WorkspaceError) -> [UInt8] {
        let message = Array((prefix(file) + Text.hex(key)).utf8)
        let sealed = try? ReportBox.seal(
            message, to: recipient, workspace: Text.unhex(workspace) ?? [])
        guard let sealed else { throw WorkspaceError.refusal(EINVAL, "there is no such recipient") }
        return sealed
    }
}
