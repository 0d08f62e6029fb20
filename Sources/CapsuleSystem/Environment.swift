import CLinux
import Glibc

/// Clock, randomness and process facts, in one place so that nothing else reads them.
public enum Environment {
    /// Nanoseconds since 1970, UTC.
    public static func wallClock() -> (seconds: Int64, nanoseconds: UInt32) {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return (Int64(now.tv_sec), UInt32(now.tv_nsec))
    }

    /// The same as of the kernel's last tick: what it stamps files with. Times of both kinds in one
    /// tree would go back between one file and the next.
    public static func tickClock() -> (seconds: Int64, nanoseconds: UInt32) {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME_COARSE, &now)
        return (Int64(now.tv_sec), UInt32(now.tv_nsec))
    }

    /// Seconds since an arbitrary start, never going back.
    public static func monotonicSeconds() -> Double {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
    }

    /// `count` random bytes from the kernel.
    public static func random(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in generator.next() }
    }

    /// The value of an environment variable, as bytes.
    public static func variable(_ name: String) -> [UInt8]? {
        guard let value = getenv(name) else { return nil }
        return Array(UnsafeRawBufferPointer(start: value, count: strlen(value)))
    }

    /// The number of processors this process may use.
    public static var processorCount: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

    /// Allows as many open files as the system grants: a deep folder needs one for each level.
    public static func raiseOpenFileLimit() { clinux_raise_open_files() }

    /// What this program is called.
    public static var programName: String {
        String(CommandLine.arguments.first?.split(separator: "/").last ?? "capsule")
    }

    /// What this machine is called.
    public static var hostName: String {
        var name = [CChar](repeating: 0, count: 256)
        gethostname(&name, name.count - 1)
        return String(
            decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Whether this process runs as root.
    public static var isRoot: Bool { geteuid() == 0 }
}
