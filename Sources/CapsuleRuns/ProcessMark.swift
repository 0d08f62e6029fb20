import CapsuleSystem
import Glibc

/// Which process does something, so that others can tell whether it still does: a number alone soon
/// belongs to somebody else.
struct ProcessMark: Codable, Equatable, Sendable {
    /// The number that it has for itself.
    let process: Int32
    /// The inode of the namespace in which it has that number; see pid_namespaces(7).
    let namespace: UInt64
    /// When it began, in ticks since the boot; see proc_pid_stat(5).
    let started: UInt64
    /// The boot of the machine, as `/proc/sys/kernel/random/boot_id` has it.
    let boot: String
    /// When the mark was made, in seconds since 1970.
    let seconds: Int64

    private static let secondsPerDay: Int64 = 86400

    /// The mark of this process.
    static var own: ProcessMark {
        ProcessMark(
            process: getpid(), namespace: namespaceOfOurs, started: start(of: getpid()) ?? 0,
            boot: bootOfOurs, seconds: Environment.wallClock().seconds)
    }

    /// Whether it may still be at work. One that cannot be seen from here is, for a day.
    ///
    /// Another boot is over: who asks the same driver is on the same kernel, and who has opened the
    /// workspace is its only user.
    var isAlive: Bool {
        guard boot == Self.bootOfOurs else { return false }
        guard namespace == Self.namespaceOfOurs else {
            return Environment.wallClock().seconds - seconds < Self.secondsPerDay
        }
        return Self.start(of: process) == started
    }

    /// As a word that the name of a state can hold.
    var text: String { "\(process).\(namespace).\(started).\(boot).\(seconds)" }

    /// The mark that a word spells, or nil.
    init?(_ text: Substring) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 5, let process = Int32(parts[0]), let namespace = UInt64(parts[1]),
            let started = UInt64(parts[2]), parts[3].utf8.count == 36,
            let seconds = Int64(parts[4])
        else { return nil }
        self.init(
            process: process, namespace: namespace, started: started, boot: String(parts[3]),
            seconds: seconds)
    }

    private init(
        process: Int32, namespace: UInt64, started: UInt64, boot: String, seconds: Int64
    ) {
        self.process = process
        self.namespace = namespace
        self.started = started
        self.boot = boot
        self.seconds = seconds
    }

    private static var namespaceOfOurs: UInt64 {
        var facts = stat()
        return stat("/proc/self/ns/pid", &facts) == 0 ? UInt64(facts.st_ino) : 0
    }

    private static var bootOfOurs: String {
        let bytes = Self.content(of: "/proc/sys/kernel/random/boot_id")
        return String(decoding: bytes.prefix(36), as: UTF8.self)
    }

    /// The fields after the name, which may hold anything, begin with the third.
    private static func start(of process: Int32) -> UInt64? {
        let bytes = Self.content(of: "/proc/\(process)/stat")
        guard let end = bytes.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = String(decoding: bytes[(end + 1)...], as: UTF8.self).split(separator: " ")
        return fields.count > 19 ? UInt64(fields[19]) : nil
    }

    private static func content(of path: String) -> [UInt8] {
        guard let file = try? FileStorage(path: path) else { return [] }
        return [UInt8](unsafeUninitializedCapacity: 1024) { buffer, count in
            count = (try? file.read(into: UnsafeMutableRawBufferPointer(buffer), at: 0)) ?? 0
        }
    }
}
