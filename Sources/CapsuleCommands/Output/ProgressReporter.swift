import CLinux
import CapsuleSystem
import Glibc
import Synchronization

/// Shows how far something has come: a line that is rewritten on a terminal, a plain line now and
/// then elsewhere, nothing if quiet; and one status line for SIGUSR1, always.
final class ProgressReporter: Sendable {
    private let describe: @Sendable () -> String
    private let isQuiet: Bool
    private let isTerminal: Bool
    private let isStopped = Atomic(false)
    private let worker = Mutex<Worker?>(nil)
    private static let plainInterval = 10.0

    /// Starts to report what `describe` says, or nothing where that is empty. Must be called before
    /// other threads are started, so that none of them takes the signal.
    init(isQuiet: Bool, describe: @escaping @Sendable () -> String) {
        self.describe = describe
        self.isQuiet = isQuiet
        isTerminal = isatty(2) == 1 && Environment.variable("TERM") != Array("dumb".utf8)
        clinux_block_signals([SIGUSR1], 1)
        worker.withLock { $0 = Worker { [self] in report() } }
    }

    private func report() {
        var lastLine = Environment.monotonicSeconds()
        while !isStopped.load(ordering: .acquiring) {
            let signal = clinux_wait_signal([SIGUSR1], 1, 200)
            if isStopped.load(ordering: .acquiring) { break }
            if signal == SIGUSR1 {
                let text = describe()
                Output.note(text.isEmpty ? "waiting" : text)
            } else if isTerminal && !isQuiet {
                // Nothing yet: a prompt may be on the screen.
                let text = describe()
                if !text.isEmpty { write("\r\u{1b}[K\(text)") }
            } else if !isQuiet, Environment.monotonicSeconds() - lastLine > Self.plainInterval {
                lastLine = Environment.monotonicSeconds()
                Output.note(describe())
            }
        }
        if isTerminal && !isQuiet { write("\r\u{1b}[K") }
    }

    private func write(_ text: String) {
        _ = Glibc.write(2, text, text.utf8.count)
    }

    /// Ends the reports and clears the line.
    func stop() {
        isStopped.store(true, ordering: .releasing)
        worker.withLock { worker in
            worker?.join()
            worker = nil
        }
    }
}
