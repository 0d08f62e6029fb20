/// Room for work that recurses as deep as a folder is nested: thousands of levels, more than the
/// stack of a common thread holds.
public enum DeepStack {
    private static let stackLength = 512 << 20

    private final class Box<Result>: @unchecked Sendable {
        // Sendable because the caller waits until the other thread is done with it.
        let body: () throws -> Result
        var outcome: Swift.Result<Result, any Error>?

        init(_ body: @escaping () throws -> Result) { self.body = body }
    }

    /// Runs `body` on a thread with a large stack, waits for it, and gives what it gives.
    public static func run<Result>(_ body: () throws -> Result) throws -> Result {
        try withoutActuallyEscaping(body) { body in
            let box = Box(body)
            Worker(stackLength: stackLength) {
                box.outcome = Swift.Result { try box.body() }
            }.join()
            guard let outcome = box.outcome else {
                preconditionFailure("a joined thread has left its outcome")
            }
            return try outcome.get()
        }
    }
}
