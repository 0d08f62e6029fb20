import CapsuleBytes
import CapsuleCrypto
import CapsuleStore
import CapsuleSystem
import Glibc

/// What is recorded of a workspace: lines of JSON, each a leaf of a hash tree that only grows
/// (RFC 6962), whose root the workspace's own key signs.
///
/// Used with the lock of the tree held.
final class AuditLog {
    private let database: Database
    let keys: FileKeys
    let id: [UInt8]
    private let insertLine: Statement
    private let insertHash: Statement
    private let selectHash: Statement
    private let selectEnd: Statement
    private static let keyName = "audit"

    init(_ database: Database, keys: FileKeys, id: [UInt8]) throws(StoreError) {
        self.database = database
        self.keys = keys
        self.id = id
        insertLine = try Statement(
            database, "INSERT INTO event(number, start, line) VALUES (?1, ?2, ?3)")
        insertHash = try Statement(
            database, "INSERT INTO event_hash(level, number, hash) VALUES (?1, ?2, ?3)")
        selectHash = try Statement(
            database, "SELECT hash FROM event_hash WHERE level = ?1 AND number = ?2")
        selectEnd = try Statement(
            database,
            """
            SELECT number + 1, start + length(line) + 1 FROM event ORDER BY number DESC LIMIT 1
            """)
    }

    /// Makes the key that signs.
    func makeKey() throws(StoreError) {
        var seed = Environment.random(32)
        defer { wipe(&seed) }
        let sealed = keys.wrappingCipher.seal(seed, associated: id + Array(Self.keyName.utf8))
        try Statement(
            database, "INSERT INTO wrapped_key(name, sealed) VALUES (CAST(?1 AS TEXT), ?2)"
        ).bind(1, Array(Self.keyName.utf8)).bind(2, sealed).run()
    }

    /// What the log calls itself.
    var origin: String { "capsulefs.workspace/\(Text.hex(id))" }

    /// Signs for the log.
    func signer() throws(StoreError) -> CheckpointSigner {
        let sealed = try Statement(
            database, "SELECT sealed FROM wrapped_key WHERE name = CAST(?1 AS TEXT)"
        ).bind(1, Array(Self.keyName.utf8)).first { $0.bytes(0) }
        do throws(CryptoError) {
            var seed = try keys.wrappingCipher.open(
                sealed ?? [], associated: id + Array(Self.keyName.utf8))
            defer { wipe(&seed) }
            return try CheckpointSigner(seed: seed, origin: origin)
        } catch {
            throw StoreError(
                .damaged, "the signing key of the audit log is not authentic", errno: EIO)
        }
    }

    /// The number of events, and the length of their lines, each with its line end.
    func end() throws(StoreError) -> (count: UInt64, length: UInt64) {
        try selectEnd.first {
            (UInt64(clamping: $0.integer(0)), UInt64(clamping: $0.integer(1)))
        } ?? (0, 0)
    }

    /// Appends an event of a kind with its particulars.
    func append(_ kind: EventKind, _ details: [String: EventValue]) throws(StoreError) {
        let (number, start) = try end()
        var data = details
        if !kind.isPublic { data["actor"] = .object(Self.actor) }
        let event: [String: EventValue] = [
            "specversion": .text("1.0"), "id": .text(String(number)),
            "source": .text("urn:\(origin.replacingSlash)"), "type": .text(kind.rawValue),
            "time": .text(Timestamp.now.rfc3339), "datacontenttype": .text("application/json"),
            "data": .object(data),
        ]
        let line = EventValue.object(event).line
        try insertLine.bind(1, Int64(clamping: number)).bind(2, Int64(clamping: start))
            .bind(3, line).run()
        let made = try MerkleTree.appended(MerkleTree.leaf(line), number: number, lookup: hash)
        for (node, hash) in made {
            try insertHash.bind(1, Int64(node.level)).bind(2, Int64(clamping: node.number))
                .bind(3, hash.bytes).run()
        }
    }

    /// Who does it: the process, or the user on whose behalf the driver works.
    private static var actor: [String: EventValue] {
        [
            "uid": .number(Int64(Requester.userID ?? geteuid())),
            "pid": .number(Int64(getpid())), "program": .text(Environment.programName),
            "host": .text(Environment.hostName),
        ]
    }

    private func hash(_ node: MerkleTree.Node) throws(StoreError) -> Digest32 {
        let bytes = try selectHash.bind(1, Int64(node.level)).bind(2, Int64(clamping: node.number))
            .first { $0.bytes(0) }
        guard let bytes, bytes.count == 32 else {
            throw StoreError(.damaged, "a hash of the audit log is missing", errno: EIO)
        }
        return Digest32(bytes)
    }

    /// The root of the first `size` events.
    func root(size: UInt64) throws(StoreError) -> Digest32 {
        try MerkleTree.root(size: size, lookup: hash)
    }

    /// The path of an event in the tree of all.
    func proof(of number: UInt64, size: UInt64) throws(StoreError) -> [Digest32] {
        try MerkleTree.inclusionProof(of: number, size: size, lookup: hash)
    }

    /// Up to `count` lines from an event on.
    func lines(from number: UInt64, count: Int) throws(StoreError) -> [[UInt8]] {
        try Statement(
            database, "SELECT line FROM event WHERE number >= ?1 ORDER BY number LIMIT ?2"
        ).bind(1, Int64(clamping: number)).bind(2, Int64(count)).all { $0.bytes(0) }
    }

    /// A part of all lines, each with its line end.
    func text(_ range: Range<UInt64>) throws(StoreError) -> [UInt8] {
        let (first, end) = (Int64(clamping: range.lowerBound), Int64(clamping: range.upperBound))
        let parts = try Statement(
            database,
            """
            SELECT start, line FROM event WHERE number >= (
              SELECT coalesce(max(number), 0) FROM event WHERE start <= ?1) AND start < ?2
            ORDER BY number
            """
        ).bind(1, first).bind(2, end).all {
            (start: UInt64(clamping: $0.integer(0)), line: $0.bytes(1))
        }
        guard let start = parts.first?.start else { return [] }
        var bytes: [UInt8] = []
        for part in parts { bytes += part.line + [10] }
        let skip = Int(clamping: range.lowerBound - min(start, range.lowerBound))
        return Array(bytes.dropFirst(skip).prefix(range.count))
    }

    /// Looks at every event and every hash. Hands what is wrong to `report`.
    func check(_ report: (String) -> Void) throws(StoreError) {
        let end = try end()
        var expected: [MerkleTree.Node: Digest32] = [:]
        var number: UInt64 = 0
        var start: UInt64 = 0
        while number < end.count {
            let lines = try lines(from: number, count: 1024)
            if lines.isEmpty { break }
            for line in lines {
                let leaf = MerkleTree.leaf(line)
                let made = MerkleTree.appended(leaf, number: number) { expected[$0] ?? .zero }
                for (node, hash) in made {
                    expected[node] = hash
                    if node.level > 0 {
                        for child in [node.number * 2, node.number * 2 + 1] {
                            expected[MerkleTree.Node(level: node.level - 1, number: child)] = nil
                        }
                    }
                    if (try? self.hash(node)) != hash {
                        report("event \(number) of the audit log is not the one recorded")
                    }
                }
                start += UInt64(line.count) + 1
                number += 1
            }
        }
        if number != end.count || start != end.length {
            report("the audit log has \(number) events of \(end.count)")
        }
    }
}

extension String {
    /// As a part of a URN, which has colons where a path has slashes.
    fileprivate var replacingSlash: String {
        String(map { $0 == "/" ? ":" : $0 })
    }
}
