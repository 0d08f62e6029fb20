import Glibc

/// A call to the operating system that failed.
public struct SystemError: Error, Equatable, Sendable {
    /// The value of errno.
    public let errno: Int32
    /// The call, such as `open`.
    public let operation: String
    /// What it was applied to: a path, or a description of a descriptor.
    public let object: String

    /// An error with a given errno.
    public init(errno: Int32, operation: String, object: String) {
        self.errno = errno
        self.operation = operation
        self.object = object
    }

    /// The error that the calling thread's last failed call left in errno.
    ///
    /// This is the only place that reads errno. EBADF and EFAULT are faults of the program and
    /// trap.
    public static func last(_ operation: String, _ object: String) -> SystemError {
        let code = Glibc.errno
        precondition(code != EBADF && code != EFAULT, "\(operation): bad descriptor or address")
        return SystemError(errno: code, operation: operation, object: object)
    }

    /// The system's own sentence for the error, in lower case.
    public var reason: String {
        guard let text = strerror(errno) else { return "error \(errno)" }
        let sentence = String(cString: text)
        return sentence.prefix(1).lowercased() + sentence.dropFirst()
    }
}

extension SystemError: CustomStringConvertible {
    /// The message.
    public var description: String { "\(object): cannot \(operation): \(reason)" }
}

/// Calls `body` again as long as a signal interrupts it; -1 becomes a thrown error.
@inline(__always)
public func retrying<T: SignedInteger>(
    _ operation: @autoclosure () -> String, _ object: @autoclosure () -> String, _ body: () -> T
) throws(SystemError) -> T {
    while true {
        let result = body()
        if result != -1 { return result }
        if Glibc.errno == EINTR { continue }
        throw SystemError.last(operation(), object())
    }
}
