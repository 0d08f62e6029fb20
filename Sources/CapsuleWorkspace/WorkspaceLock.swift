import CapsuleSystem
import Glibc

/// The right to use a workspace: an advisory lock that the kernel gives back when its holder dies,
/// and a note for people: a line about the holder, and another one when it has ended.
final class WorkspaceLock {
    static let fileName = "lock"
    private let file: FileStorage
    /// Whether the note says that somebody has it.
    private var isNoted = false

    /// Takes the lock, exclusively for writing. Throws EWOULDBLOCK, with the holder's note, when
    /// somebody else has it and `patience` seconds have passed.
    init(path: String, isExclusive: Bool, patience: Double) throws(WorkspaceError) {
        let name = "\(path)/\(Self.fileName)"
        let flags = isExclusive ? O_RDWR : O_RDONLY
        do throws(SystemError) {
            file = FileStorage(try Descriptor.open(name, flags))
        } catch {
            guard error.errno == EROFS else { throw WorkspaceError(error) }
            throw WorkspaceError(
                EROFS,
                "\(path): it lies on a read-only medium, and this changes it: verbs "
                    + "that only read work here, as does 'capsulefs -o ro'; to change it, copy it "
                    + "first")
        }
        let deadline = Environment.monotonicSeconds() + patience
        while true {
            do throws(SystemError) {
                try file.lock(exclusive: isExclusive, wait: false)
                break
            } catch {
                guard error.errno == EAGAIN || error.errno == EWOULDBLOCK else {
                    throw WorkspaceError(error)
                }
                guard Environment.monotonicSeconds() < deadline else {
                    throw WorkspaceError(
                        EWOULDBLOCK, "\(path): it is in use by \(Self.holder(of: file))")
                }
            }
            usleep(50_000)
        }
        // For people only: on a full disk there is none, or that of somebody before.
        if isExclusive { try? writeNote() }
    }

    deinit { noteClosed() }

    /// Who has the lock, or had it last.
    static func use(of path: String) throws(SystemError) -> Workspace.Use {
        let file = FileStorage(try Descriptor.open("\(path)/\(fileName)", O_RDONLY))
        let lines = lines(in: file)
        do throws(SystemError) {
            // Let go of at once, with the descriptor.
            try file.lock(exclusive: false, wait: false)
        } catch {
            guard error.errno == EAGAIN || error.errno == EWOULDBLOCK else { throw error }
            return .live(lines.first ?? unknown)
        }
        guard let holder = lines.first else { return .free("") }
        return lines.count > 1 ? .free("\(holder) \(lines[1])") : .stale(holder)
    }

    private static let unknown = "another process"

    private static func lines(in file: FileStorage) -> [String] {
        let bytes = (try? file.bytes(Int(min((try? file.length()) ?? 0, 1024)), at: 0)) ?? []
        return bytes.split(separator: 0x0a).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Who has what could not be locked. Readers leave no note: theirs is that of a writer before.
    private static func holder(of file: FileStorage) -> String {
        let isRead = (try? file.lock(exclusive: false, wait: false)) != nil
        return isRead
            ? "a process that reads it, such as a mount with '-o ro'"
            : lines(in: file).first ?? unknown
    }

    private func writeNote() throws(SystemError) {
        let text = "process \(getpid()) on \(Environment.hostName) since \(Timestamp.now.rfc3339)\n"
        try file.truncate(to: 0)
        try file.write(Array(text.utf8), at: 0)
        isNoted = true
    }

    /// Whoever has it ends in order.
    func noteClosed() {
        guard isNoted else { return }
        isNoted = false
        let text = "until \(Timestamp.now.rfc3339)\n"
        guard let length = try? file.length() else { return }
        try? file.write(Array(text.utf8), at: length)
    }
}
