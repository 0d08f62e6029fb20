import CapsuleFormat
import CapsuleStore
import CapsuleSystem
import Glibc

/// Why an operation on a workspace failed.
public struct WorkspaceError: Error, Equatable, Sendable {
    /// What the caller of the file system gets.
    public let errno: Int32
    /// What was wrong with what; empty where errno says it all.
    public let message: String

    /// Whether this is an answer, given before anything was changed, and no failure of storage.
    public let isAnswer: Bool

    private init(_ errno: Int32, _ message: String, isAnswer: Bool) {
        self.errno = errno
        self.message = message
        self.isAnswer = isAnswer
    }

    /// An answer that is part of the file system's contract, such as ENOENT.
    public init(_ errno: Int32) { self.init(errno, "", isAnswer: true) }

    /// A failure that somebody should hear of.
    public init(_ errno: Int32, _ message: String) {
        self.init(errno, message, isAnswer: false)
    }

    /// The answer to a request that cannot be granted, with the reason.
    public static func refusal(_ errno: Int32, _ message: String) -> WorkspaceError {
        WorkspaceError(errno, message, isAnswer: true)
    }

    init(_ error: StoreError) { self.init(error.errno, error.message) }
    init(_ error: SystemError) { self.init(error.errno, "\(error)") }
    init(_ error: FormatError) {
        self.init(error.errno == 0 ? EIO : error.errno, error.description)
    }
}

extension WorkspaceError: CustomStringConvertible {
    /// The message, or what the errno says.
    public var description: String {
        message.isEmpty
            ? SystemError(errno: errno, operation: "use", object: "the workspace").reason : message
    }
}

/// Runs `body`, its error as a `WorkspaceError`.
func stored<Result>(
    _ body: () throws(StoreError) -> Result
) throws(WorkspaceError) -> Result {
    do throws(StoreError) { return try body() } catch { throw WorkspaceError(error) }
}

/// Runs `body`, its error as a `WorkspaceError`.
func called<Result>(
    _ body: () throws(SystemError) -> Result
) throws(WorkspaceError) -> Result {
    do throws(SystemError) { return try body() } catch { throw WorkspaceError(error) }
}
