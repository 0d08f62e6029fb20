import CLinux
import CapsuleBytes
import Glibc

/// Where the driver's messages go: standard error in front, syslog in the background.
struct Log: Sendable {
    private let isForeground: Bool

    init(isForeground: Bool) { self.isForeground = isForeground }

    func error(_ message: String) { write(message, isError: true) }

    /// Something that was asked for, and no fault.
    func note(_ message: String) { write(message, isError: false) }

    private func write(_ message: String, isError: Bool) {
        if isForeground {
            Self.standardError("capsulefs: \(message)")
        } else {
            clinux_log("capsulefs", Text.tame(message), isError ? 1 : 0)
        }
    }

    /// One line, in one write, so that lines of several threads do not mix.
    static func standardError(_ line: String) {
        let text = Text.tame(line) + "\n"
        _ = Glibc.write(2, text, text.utf8.count)
    }
}
