import CLinux
import CapsuleAccess
import CapsuleMount
import CapsuleSystem
import FuseKit
import Glibc

/// Waits for signals and for idleness, and takes the mount away.
///
/// SIGTERM and SIGINT detach: the name is free at once, files that are open stay readable for a
/// bounded time, then the process ends. After an idle timeout the mount is only taken away when
/// nobody uses it.
final class MountWatcher: Sendable {
    private let mountPoint: String
    private let fileSystem: any MountedFileSystem
    private let report: @Sendable (String) -> Void
    private let idleTimeoutSeconds: Double?
    private static let signals = [SIGTERM, SIGINT, SIGHUP, SIGUSR1]
    /// How long open files are served after a signal, in seconds.
    private static let graceSeconds = 10.0

    /// Blocks the signals in this thread and all that it will start.
    init(
        mountPoint: String, _ fileSystem: any MountedFileSystem, _ options: DriverOptions,
        report: @escaping @Sendable (String) -> Void
    ) {
        self.report = report
        self.mountPoint = mountPoint
        self.fileSystem = fileSystem
        idleTimeoutSeconds = options.idleTimeoutSeconds
        clinux_block_signals(Self.signals, Int32(Self.signals.count))
        signal(SIGPIPE, SIG_IGN)
    }

    /// Starts to watch; the thread ends with the process.
    func start() {
        _ = Worker { [self] in watch() }
    }

    private func watch() {
        while true {
            let wait = idleTimeoutSeconds == nil ? -1 : 1000
            let signal = clinux_wait_signal(
                Self.signals, Int32(Self.signals.count), Int32(wait))
            if signal == SIGUSR1 {
                let idle = Int(fileSystem.idleSeconds)
                report("mounted at \(mountPoint), last request \(idle) s ago")
                continue
            }
            if signal > 0 {
                Unmounter.unmount(mountPoint, lazily: true)
                let end = Environment.monotonicSeconds() + Self.graceSeconds
                while Environment.monotonicSeconds() < end {
                    let again = clinux_wait_signal(Self.signals, Int32(Self.signals.count), 200)
                    if again > 0 && again != SIGUSR1 { break }
                }
                exit(fileSystem.detach() ? 0 : 2)
            }
            if let idleTimeoutSeconds, fileSystem.idleSeconds > idleTimeoutSeconds {
                // Fails while a file is open or a directory is somebody's own: then it is not idle.
                Unmounter.unmount(mountPoint, lazily: false)
                fileSystem.willServe()
            }
        }
    }
}
