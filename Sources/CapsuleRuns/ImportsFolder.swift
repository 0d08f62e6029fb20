import CapsuleBytes
import CapsuleSystem
import CapsuleWorkspace
import Glibc

/// The directory of a workspace's imports, locked.
///
/// Whoever takes an import in shares the lock from before its file has a name until the import is
/// registered. Whoever deletes files that no import names has it alone, so such a file is never one
/// that somebody is about to register. The kernel gives the lock of a killed process back.
public final class ImportsFolder {
    /// A file that no import names.
    public struct Orphan {
        /// Its name in the directory.
        public let name: String
        /// Whether an import can have left it; else somebody has put it there.
        public let isOurs: Bool
    }

    /// The directory.
    public let path: String
    private let directory: Descriptor

    private init(_ path: String, isAlone: Bool) throws(SystemError) {
        self.path = path
        directory = try Descriptor.open(path, O_RDONLY | O_DIRECTORY)
        let operation = isAlone ? LOCK_EX | LOCK_NB : LOCK_SH
        // fcntl(2) locks no directory for one alone.
        while flock(directory.raw, operation) != 0 {
            if errno == EINTR { continue }
            // Where there are no such locks, nobody has it alone, and nothing is deleted.
            if !isAlone, Self.unsupported.contains(errno) { break }
            throw SystemError.last("lock", path)
        }
    }

    /// What a file system answers that has no such locks.
    private static let unsupported: Set<Int32> = [EBADF, EINVAL, ENOLCK, ENOSYS, EOPNOTSUPP]

    private static func path(in workspace: String) -> String {
        "\(workspace)/\(Workspace.importsName)"
    }

    /// The directory, made if need be, for somebody who takes an import in.
    public static func share(_ workspace: String) throws(SystemError) -> ImportsFolder {
        let path = path(in: workspace)
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw SystemError.last("create", path)
        }
        return try ImportsFolder(path, isAlone: false)
    }

    /// The directory for somebody who looks for what was left; nil where there is none, or an
    /// import is under way.
    public static func alone(_ workspace: String) throws(SystemError) -> ImportsFolder? {
        do throws(SystemError) {
            return try ImportsFolder(path(in: workspace), isAlone: true)
        } catch {
            if [ENOENT, EWOULDBLOCK].contains(error.errno) { return nil }
            if unsupported.contains(error.errno) { return nil }
            throw error
        }
    }

    /// A name for a new file.
    public static func newName(_ bytes: [UInt8]) -> String { "\(Text.hex(bytes)).\(ending)" }

    private static let ending = "mv2e"
    private static let digitCount = 32

    /// The files that no import names, by name.
    public func orphans(_ service: any RunService) throws -> [Orphan] {
        let known = Set(try ImportRecord.all(in: service).map(\.file))
        return try FileDirectory(path: path).names().filter { !known.contains($0) }.sorted().map {
            Orphan(name: $0, isOurs: Self.isOurs($0))
        }
    }

    /// Whether a name is one that files of imports get, or have before.
    static func isOurs(_ name: String) -> Bool {
        let isTemporary = AtomicFile.isTemporary(name)
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
            .dropFirst(isTemporary ? 1 : 0)
        guard parts.count == (isTemporary ? 4 : 2), let first = parts.first else { return false }
        return first.count == Self.digitCount && first.allSatisfy(\.isHexDigit)
            && parts.dropFirst().first == Self.ending[...]
    }

    /// Deletes what an import left: the intent is committed, then the file goes, then that is
    /// recorded.
    public func delete(_ orphan: Orphan, _ service: any WorkspaceService) throws {
        let file = "\(path)/\(orphan.name)"
        let found = try RunExporter.digest(try FileStorage(path: file))
        let details: [String: EventValue] = [
            "destination": .text(file), "sha256": .text(found.hex),
            "bytes": .number(Int64(clamping: found.length)), "rule": .text(Self.rule),
        ]
        try service.note(.deletionIntended, details)
        if unlink(file) != 0, errno != ENOENT { throw SystemError.last("delete", file) }
        try service.note(.exportDeleted, details)
    }

    /// Why such a file goes.
    public static let rule = "no import names it: one that was cut off left it"
}
