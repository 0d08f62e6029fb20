import CapsuleSystem
import Glibc

/// The right to use a workspace: an advisory lock that the kernel gives back when its holder dies,
/// and a note about the holder for people.
final class WorkspaceLock {
    static let fileName = "lock"
    private let file: FileStorage

    /// Takes the lock, exclusively for writing. Throws EWOULDBLOCK, with the holder's note, when
    /// somebody else has it and `patience` seconds have passed.
    init(path: String, isExclusive: Bool, patience: Double) throws(WorkspaceError) {
        let name = "\(path)/\(Self.fileName)"
        let flags = isExclusive ? O_RDWR : O_RDONLY
        file = try called { () throws(SystemError) in
            FileStorage(try Descriptor.open(name, flags))
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
                        EWOULDBLOCK, "\(path): it is in use by \(Self.note(in: file))")
                }
            }
            usleep(50_000)
        }
        // For people only: on a full disk there is none, or that of somebody before.
        if isExclusive { try? writeNote() }
    }

    /// Whether somebody has the lock, and the note about who has it or had it last.
    static func state(of path: String) throws(SystemError) -> (isHeld: Bool, holder: String) {
        let file = FileStorage(try Descriptor.open("\(path)/\(fileName)", O_RDONLY))
        let holder = note(in: file)
        do throws(SystemError) {
            // Let go of at once, with the descriptor.
            try file.lock(exclusive: false, wait: false)
            return (false, holder)
        } catch {
            guard error.errno == EAGAIN || error.errno == EWOULDBLOCK else { throw error }
            return (true, holder)
        }
    }

    private static func note(in file: FileStorage) -> String {
        let bytes = (try? file.bytes(Int(min((try? file.length()) ?? 0, 1024)), at: 0)) ?? []
        let text = String(decoding: bytes.prefix { $0 != 0x0a }, as: UTF8.self)
        return text.isEmpty ? "another process" : text
    }

    private func writeNote() throws(SystemError) {
        let text = "process \(getpid()) on \(Environment.hostName) since \(Timestamp.now.rfc3339)\n"
        try file.truncate(to: 0)
        try file.write(Array(text.utf8), at: 0)
    }
}
