// PyPI's blake3 package as a second opinion, run in a Python process of its own.

import FoundationEssentials

#if canImport(Musl)
    import Musl
#else
    import Glibc
#endif

enum PythonBlake3 {
    /// The interpreter that may have the package.
    static let interpreter: String =
        ProcessInfo.processInfo.environment["CAPSULE_TEST_PYTHON"] ?? "python3"

    /// Whether the interpreter runs and has the package. Tells on standard output if not.
    static let isAvailable: Bool = {
        if case .success = run("import blake3") { return true }
        print("KNOWN SKIP: \(interpreter) cannot import blake3: no comparison with the package;")
        print("KNOWN SKIP: set CAPSULE_TEST_PYTHON to an interpreter that can")
        return false
    }()

    enum Failure: Error {
        case spawn(CInt)
        case status(CInt)
    }

    /// Runs a program text and returns what it writes to standard output.
    static func run(_ program: String) -> Result<String, Failure> {
        var ends: [CInt] = [-1, -1]
        guard pipe(&ends) == 0 else { return .failure(.spawn(errno)) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_addclose(&actions, ends[0])
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        posix_spawn_file_actions_addclose(&actions, ends[1])
        // A missing package is announced above; Python's own trace would only be noise.
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
        defer { posix_spawn_file_actions_destroy(&actions) }

        let arguments = [interpreter, "-c", program]
        let environment = ProcessInfo.processInfo.environment.map { "\($0.key)=\($0.value)" }
        var child: pid_t = 0
        let spawned = withCStrings(arguments) { argv in
            withCStrings(environment) { envp in
                posix_spawnp(&child, interpreter, &actions, nil, argv, envp)
            }
        }
        close(ends[1])
        defer { close(ends[0]) }
        guard spawned == 0 else { return .failure(.spawn(spawned)) }

        let text = String(decoding: readAll(ends[0]), as: UTF8.self)
        var status: CInt = 0
        while waitpid(child, &status, 0) == -1 && errno == EINTR {}
        return status == 0 ? .success(text) : .failure(.status(status))
    }

    private static func readAll(_ descriptor: CInt) -> [UInt8] {
        var all: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(descriptor, &part, part.count)
            if count > 0 {
                all += part[..<count]
            } else if count == 0 || errno != EINTR {
                return all
            }
        }
    }

    /// Calls `body` with a null-terminated list of C strings.
    private static func withCStrings<Result>(
        _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
    ) -> Result {
        let copies = strings.map { strdup($0) }
        defer { copies.forEach { free($0) } }
        return body(copies + [nil])
    }
}
