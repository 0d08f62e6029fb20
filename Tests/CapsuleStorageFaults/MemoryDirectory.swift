// A directory in memory that can be cut off at any operation: what a power cut leaves of it.

import CapsuleSystem
import Glibc
import Synchronization

/// The directory's files, and what of them has reached the medium.
///
/// Every write, flush, truncation, creation, removal and replacement is one operation with a
/// number; from a chosen number on nothing happens any more and everything fails.
public final class MemoryDirectory: StorageDirectory {
    /// What a power cut leaves of the writes that were not flushed.
    public enum Unflushed: CaseIterable, Sendable {
        /// Nothing.
        case dropped
        /// Everything, as when only the process is killed.
        case kept
        /// Every second write: they reach the medium in any order.
        case everySecond
        /// Everything, but of the last write only the first half.
        case torn
        /// Everything, but of the last write only the second half.
        case tornAtTheStart
    }

    fileprivate struct File {
        var bytes: [UInt8] = []
        var durable: [UInt8] = []
        var pending: [(offset: Int, bytes: [UInt8]?)] = []
    }

    fileprivate struct State {
        var files: [String: File] = [:]
        var operations = 0
        var diesAt: Int?
        var roomLeft: Int?
        var begun: [Range<UInt64>] = []
        var forgotten: [Range<UInt64>] = []

        mutating func operate() throws(SystemError) {
            operations += 1
            if let diesAt, operations > diesAt {
                throw SystemError(errno: EIO, operation: "use", object: "dead storage")
            }
        }
    }

    /// As `StorageDirectory` says.
    public let name = "memory"
    fileprivate let state: Mutex<State>

    /// Empty.
    public init() { state = Mutex(State()) }

    private init(files: [String: File]) { state = Mutex(State(files: files)) }

    /// Operations so far.
    public var operations: Int { state.withLock { $0.operations } }

    /// Ranges of any file that the medium was told to write, in this order.
    public var begun: [Range<UInt64>] { state.withLock { $0.begun } }

    /// Ranges of any file that need not stay in memory.
    public var forgotten: [Range<UInt64>] { state.withLock { $0.forgotten } }

    /// Operations after the first `count` fail and do nothing.
    public func die(after count: Int) { state.withLock { $0.diesAt = count } }

    /// Writes that would make files longer by more than this in all fail with ENOSPC.
    public func limit(to room: Int?) { state.withLock { $0.roomLeft = room } }

    /// The bytes of a file.
    public subscript(name: String) -> [UInt8] {
        get { state.withLock { $0.files[name]?.bytes ?? [] } }
        set { state.withLock { $0.files[name] = File(bytes: newValue, durable: newValue) } }
    }

    /// The directory as it is found afterwards.
    public func afterCrash(_ fate: Unflushed) -> MemoryDirectory {
        state.withLock { state in
            MemoryDirectory(
                files: state.files.mapValues { file in
                    let bytes = Self.remains(of: file, fate)
                    return File(bytes: bytes, durable: bytes)
                })
        }
    }

    /// The same files at this moment: a backup, or a clone.
    public func copy() -> MemoryDirectory { afterCrash(.kept) }

    private static func remains(of file: File, _ fate: Unflushed) -> [UInt8] {
        var bytes = file.durable
        for (index, change) in file.pending.enumerated() {
            guard var part = change.bytes.map({ $0[...] }) else {
                if fate != .dropped { bytes = Array(bytes.prefix(change.offset)) }
                continue
            }
            switch fate {
            case .dropped: continue
            case .kept: break
            case .everySecond: if index % 2 == 0 { continue }
            case .torn: if index == file.pending.count - 1 { part = part.prefix(part.count / 2) }
            case .tornAtTheStart:
                guard index == file.pending.count - 1 else { break }
                let start = part.count / 2
                MemoryFile.put(part[start...], into: &bytes, at: change.offset + start)
                continue
            }
            MemoryFile.put(part, into: &bytes, at: change.offset)
        }
        return bytes
    }

    /// As `StorageDirectory` says.
    public func open(_ name: String, isWritable: Bool) throws(SystemError) -> any ResizableStorage {
        guard try contains(name) else {
            throw SystemError(errno: ENOENT, operation: "open", object: name)
        }
        return MemoryFile(self, name)
    }

    /// As `StorageDirectory` says.
    public func create(_ name: String) throws(SystemError) -> any ResizableStorage {
        try state.withLock { state throws(SystemError) in
            try state.operate()
            guard state.files[name] == nil else {
                throw SystemError(errno: EEXIST, operation: "create", object: name)
            }
            state.files[name] = File()
        }
        return MemoryFile(self, name)
    }

    /// As `StorageDirectory` says.
    public func contains(_ name: String) throws(SystemError) -> Bool {
        state.withLock { $0.files[name] != nil }
    }

    /// As `StorageDirectory` says.
    public func remove(_ name: String, isDurable: Bool) throws(SystemError) {
        try state.withLock { state throws(SystemError) in
            try state.operate()
            state.files[name] = nil
        }
    }

    /// As `StorageDirectory` says.
    public func replace(_ name: String, with bytes: [UInt8]) throws(SystemError) {
        try state.withLock { state throws(SystemError) in
            try state.operate()
            if let room = state.roomLeft, bytes.count > room {
                throw SystemError(errno: ENOSPC, operation: "write", object: name)
            }
            state.files[name] = File(bytes: bytes, durable: bytes)
        }
    }

    /// As `StorageDirectory` says.
    public func names() throws(SystemError) -> [String] {
        state.withLock { $0.files.keys.sorted() }
    }

    /// As `StorageDirectory` says.
    public func flush() throws(SystemError) {
        try state.withLock { state throws(SystemError) in try state.operate() }
    }

    /// As `StorageDirectory` says.
    public func space() throws(SystemError) -> (free: UInt64, total: UInt64) { (1 << 30, 1 << 31) }
}

/// A file of a `MemoryDirectory`.
final class MemoryFile: ResizableStorage {
    let name: String
    private let directory: MemoryDirectory

    fileprivate init(_ directory: MemoryDirectory, _ name: String) {
        self.directory = directory
        self.name = name
    }

    fileprivate static func put(
        _ part: ArraySlice<UInt8>, into bytes: inout [UInt8], at offset: Int
    ) {
        if bytes.count < offset + part.count {
            bytes += [UInt8](repeating: 0, count: offset + part.count - bytes.count)
        }
        bytes.replaceSubrange(offset..<offset + part.count, with: part)
    }

    func length() throws(SystemError) -> UInt64 { UInt64(directory[name].count) }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(SystemError) -> Int {
        let part = directory[name].dropFirst(Int(offset)).prefix(buffer.count)
        buffer.copyBytes(from: part)
        return part.count
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(SystemError) {
        let bytes = Array(bytes)
        try directory.state.withLock { [name] state throws(SystemError) in
            try state.operate()
            guard var file = state.files[name] else { return }
            let growth = Int(offset) + bytes.count - file.bytes.count
            if let room = state.roomLeft, growth > 0 {
                guard growth <= room else {
                    throw SystemError(errno: ENOSPC, operation: "write", object: name)
                }
                state.roomLeft = room - growth
            }
            Self.put(bytes[...], into: &file.bytes, at: Int(offset))
            file.pending.append((Int(offset), bytes))
            state.files[name] = file
        }
    }

    func truncate(to length: UInt64) throws(SystemError) {
        try directory.state.withLock { [name] state throws(SystemError) in
            try state.operate()
            guard var file = state.files[name] else { return }
            file.bytes = Array(file.bytes.prefix(Int(length)))
            file.pending.append((Int(length), nil))
            state.files[name] = file
        }
    }

    func punch(_ range: Range<UInt64>) throws(SystemError) {
        try write([UInt8](repeating: 0, count: range.count), at: range.lowerBound)
    }

    func flush() throws(SystemError) {
        try directory.state.withLock { [name] state throws(SystemError) in
            try state.operate()
            guard var file = state.files[name] else { return }
            file.durable = file.bytes
            file.pending = []
            state.files[name] = file
        }
    }
    func beginFlush(_ range: Range<UInt64>) {
        directory.state.withLock { $0.begun.append(range) }
    }

    func forgetFlushed(_ range: Range<UInt64>) {
        directory.state.withLock { $0.forgotten.append(range) }
    }
}
