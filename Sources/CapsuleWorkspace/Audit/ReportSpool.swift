import CapsuleBytes
import CapsuleCrypto
import CapsuleSystem
import Glibc

/// Events of those who have no key, such as an open that failed: sealed to the workspace's public
/// key, taken into the log by whoever opens it next. Anybody who can write to the directory can
/// write, or remove, such a report; the log says of each that it came this way.
///
///     Offset  Size  Field, of the file
///          0     8  magic "MVREPT\0\1"
///          8    16  workspace id
///         24    32  X25519 public key
///         56     8  reserved, zero
///         64     -  reports of 512 bytes, as `ReportBox` seals them; at most 256
enum ReportSpool {
    static let fileName = "reports"
    private static let magic: [UInt8] = Array("MVREPT".utf8) + [0, 1]
    private static let headLength = 64
    private static let countMax = 256

    /// The file of a new workspace.
    static func head(id: [UInt8], keys: FileKeys) -> [UInt8] {
        magic + id + ReportBox.publicKey(keys.reportKey) + [UInt8](repeating: 0, count: 8)
    }

    /// Leaves a report at a workspace's directory, if that can be done: who cannot open it may not
    /// be able to write to it either.
    static func leave(
        _ kind: EventKind, _ details: [String: EventValue], at path: String
    ) {
        guard let storage = try? FileStorage(path: "\(path)/\(fileName)", writable: true),
            (try? storage.lock(exclusive: true, wait: true)) != nil,
            let head = (try? storage.bytes(headLength, at: 0)) ?? nil,
            Array(head.prefix(8)) == magic, let length = try? storage.length()
        else { return }
        let count = (Int(clamping: length) - headLength) / ReportBox.sealedLength
        guard count < countMax else { return }
        var members = details
        members["uid"] = .number(Int64(geteuid()))
        members["pid"] = .number(Int64(getpid()))
        members["program"] = .text(Environment.programName)
        members["host"] = .text(Environment.hostName)
        let event: [String: EventValue] = [
            "kind": .text(kind.rawValue), "time": .text(Timestamp.now.rfc3339),
            "details": .object(members),
        ]
        let line = EventValue.object(event).line
        let (id, key) = (Array(head[8..<24]), Array(head[24..<56]))
        guard line.count <= ReportBox.messageLengthMax,
            let sealed = try? ReportBox.seal(line, to: key, workspace: id)
        else { return }
        let place = UInt64(headLength + count * ReportBox.sealedLength)
        try? storage.write(sealed, at: place)
    }

    /// Takes what was reported into the log, and empties the file.
    static func absorb(
        in directory: any StorageDirectory, into tree: LiveTree, keys: FileKeys, id: [UInt8]
    ) throws(WorkspaceError) {
        let storage = try? directory.open(fileName, isWritable: true)
        // Nobody leaves a report meanwhile.
        try? (storage as? FileStorage)?.lock(exclusive: true, wait: true)
        let length = (try? storage?.length()) ?? 0
        guard let storage else { return try renew(directory, keys, id) }
        let intact = head(id: id, keys: keys)
        let isIntact = ((try? storage.bytes(headLength, at: 0)) ?? nil) == intact
        if isIntact, length == UInt64(headLength) { return }
        let count = min(
            (Int(clamping: length) - headLength) / ReportBox.sealedLength, countMax)
        for index in 0..<max(0, count) {
            let place = UInt64(headLength + index * ReportBox.sealedLength)
            let sealed = ((try? storage.bytes(ReportBox.sealedLength, at: place)) ?? nil) ?? []
            let line = try? ReportBox.open(sealed, key: keys.reportKey, workspace: id)
            let text = line.map { String(decoding: $0, as: UTF8.self) }
            try tree.noteReported(text)
        }
        if !isIntact { try tree.noteReported(nil) }
        try tree.commit()
        try called { () throws(SystemError) in
            if isIntact {
                try storage.truncate(to: UInt64(headLength))
            } else {
                try directory.replace(fileName, with: intact)
            }
        }
    }

    private static func renew(
        _ directory: any StorageDirectory, _ keys: FileKeys, _ id: [UInt8]
    ) throws(WorkspaceError) {
        try called { () throws(SystemError) in
            try directory.replace(fileName, with: head(id: id, keys: keys))
        }
    }
}

extension LiveTree {
    /// Records a report as it is; nil stands for one that cannot be read.
    fileprivate func noteReported(_ line: String?) throws(WorkspaceError) {
        try changing { () throws(WorkspaceError) in
            var details: [String: EventValue] = ["spooled": .flag(true)]
            if let line {
                details["report"] = .text(line)
            } else {
                details["unreadable"] = .flag(true)
            }
            let kind = EventKind.allCases.first {
                line?.contains("\"kind\":\"\($0.rawValue)\"") ?? false
            }
            try record(kind ?? .openFailed, details)
        }
    }
}
