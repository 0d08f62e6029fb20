import Glibc

/// Runs other programs.
public enum ChildProcess {
    /// Runs a program found in PATH with `input` on its standard input; returns what it prints.
    ///
    /// The input must fit into a pipe (64 KiB). Throws EPROTO when the program fails.
    public static func run(_ words: [String], input: [UInt8]) throws(SystemError) -> [UInt8] {
        precondition(input.count < 65536, "the input fits into a pipe")
        let toChild = try Pipe()
        let fromChild = try Pipe()
        let child = try start(words, input: toChild.reader.raw, output: fromChild.writer.raw)
        close(consuming: toChild.reader)
        close(consuming: fromChild.writer)
        var failure: SystemError?
        do throws(SystemError) { try toChild.writer.write(input) } catch { failure = error }
        close(consuming: toChild.writer)
        let output = try fromChild.reader.readAll(limit: 1 << 20)
        let status = wait(for: child)
        // A child that ends before it has read everything says why with its status.
        if let failure, failure.errno != EPIPE { throw failure }
        guard status == 0 else {
            throw SystemError(errno: EPROTO, operation: "run", object: words[0])
        }
        return output
    }

    /// Runs a program found in PATH with our own standard streams; returns its wait status.
    public static func run(_ words: [String]) throws(SystemError) -> Int32 {
        wait(for: try start(words, input: 0, output: 1))
    }

    private static func close(consuming descriptor: consuming Descriptor) {}

    private struct Pipe: ~Copyable {
        let reader: Descriptor
        let writer: Descriptor

        init() throws(SystemError) {
            var ends: [Int32] = [0, 0]
            _ = try retrying("make", "a pipe") { Glibc.pipe(&ends) }
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            reader = Descriptor(owning: ends[0], name: "a pipe")
            writer = Descriptor(owning: ends[1], name: "a pipe")
        }
    }

    private static func start(
        _ words: [String], input: Int32, output: Int32
    ) throws(SystemError) -> pid_t {
        var argv: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { for word in argv { free(word) } }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if input != 0 { posix_spawn_file_actions_adddup2(&actions, input, 0) }
        if output != 1 { posix_spawn_file_actions_adddup2(&actions, output, 1) }
        var child = pid_t()
        let status = posix_spawnp(&child, words[0], &actions, nil, &argv, environ)
        guard status == 0 else {
            throw SystemError(errno: status, operation: "run", object: words[0])
        }
        return child
    }

    private static func wait(for child: pid_t) -> Int32 {
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 && errno == EINTR {}
        return status
    }
}
