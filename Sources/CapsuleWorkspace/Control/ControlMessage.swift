import CapsuleBytes
import CapsuleSystem
import Glibc

/// A request to the driver of a mounted workspace, or its answer: fields one after another.
///
///     Offset  Size  Field, of a message on the socket
///          0     4  length of what follows, at most 16 MiB
///          4     -  fields: 4 bytes of length and as many bytes each
///
/// Of a request the first field is the number of the operation; of an answer, 0 or an errno with
/// the reason behind it. A number is a field of 8 bytes.
struct ControlMessage {
    private static let lengthMax = 16 << 20

    private var writer = ByteWriter()
    private var rest: ArraySlice<UInt8> = []

    init() {}

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    // MARK: Writing

    mutating func add(_ bytes: [UInt8]) {
        writer.integer(UInt32(bytes.count))
        writer.append(bytes)
    }

    mutating func add(_ text: String) { add(Array(text.utf8)) }

    mutating func add(_ number: Int64) {
        add(withUnsafeBytes(of: number.littleEndian) { [UInt8]($0) })
    }

    mutating func add(_ number: UInt64) { add(Int64(bitPattern: number)) }

    mutating func add(_ flag: Bool) { add(Int64(flag ? 1 : 0)) }

    mutating func add(_ list: [[UInt8]]) {
        add(Int64(list.count))
        for item in list { add(item) }
    }

    mutating func add(_ list: [String]) { add(list.map { Array($0.utf8) }) }

    // MARK: Reading

    static var malformed: WorkspaceError {
        WorkspaceError.refusal(
            EPROTO,
            "the driver and this program do not understand each other: are both of one "
                + "version?")
    }

    private mutating func take(_ count: Int) throws(WorkspaceError) -> [UInt8] {
        guard rest.count >= count else { throw Self.malformed }
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }

    private static func integer(_ bytes: [UInt8]) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    mutating func bytes() throws(WorkspaceError) -> [UInt8] {
        let count = Int(Self.integer(try take(4)))
        return try take(count)
    }

    mutating func text() throws(WorkspaceError) -> String {
        String(decoding: try bytes(), as: UTF8.self)
    }

    mutating func number() throws(WorkspaceError) -> Int64 {
        let field = try bytes()
        guard field.count == 8 else { throw Self.malformed }
        return Int64(bitPattern: Self.integer(field))
    }

    mutating func unsigned() throws(WorkspaceError) -> UInt64 {
        UInt64(bitPattern: try number())
    }

    mutating func flag() throws(WorkspaceError) -> Bool { try number() != 0 }

    mutating func list<Item>(
        _ item: (inout ControlMessage) throws(WorkspaceError) -> Item
    ) throws(WorkspaceError) -> [Item] {
        let count = try number()
        // Every item has at least a length.
        guard (0...Int64(rest.count / 4 + 1)).contains(count) else { throw Self.malformed }
        var items: [Item] = []
        for _ in 0..<count { items.append(try item(&self)) }
        return items
    }

    mutating func lists() throws(WorkspaceError) -> [[UInt8]] {
        try list { message throws(WorkspaceError) in try message.bytes() }
    }

    mutating func texts() throws(WorkspaceError) -> [String] {
        try list { message throws(WorkspaceError) in try message.text() }
    }

    // MARK: On the socket

    func send(over socket: borrowing LocalSocket) throws(SystemError) {
        var frame = ByteWriter(capacity: writer.count + 4)
        frame.integer(UInt32(writer.count))
        frame.append(writer.bytes)
        try socket.send(frame.bytes)
    }

    /// The next message, or nil when the other side has ended. Throws EFBIG, EPROTO.
    static func receive(
        from socket: borrowing LocalSocket
    ) throws(SystemError) -> ControlMessage? {
        guard let head = try socket.receive(4) else { return nil }
        let length = integer(head)
        guard length <= UInt64(lengthMax) else {
            throw SystemError(errno: EFBIG, operation: "receive", object: "a message")
        }
        guard let bytes = try socket.receive(Int(length)) else { return nil }
        return ControlMessage(bytes)
    }
}

/// What can be asked of a driver.
enum ControlOperation: Int64 {
    case states = 1
    case keepState, dropState, branches, makeBranch, dropBranch, switchBranch
    case restore, versions, forget, reclaim, retention, setRetention
    case auditEnd, auditLines, checkpoint, auditKey, auditProof, auditFaults, disclosed, note
    case faults
    case workspaceID = 50
    case runs, startRun, addEvents, eventLines, policies, markRun, finishRun
    case makeFile, appendFile, finishFile
    case ledger, changeLedger, ledgerRecipient
    case openTree = 100
    case treeCounts, treeEntry, treeNamedEntry, treeLookup, treeList, treeTarget
    case treeAttributes, treeExtents, treeRead
}
