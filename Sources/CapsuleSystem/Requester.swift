import Glibc

/// The user on whose behalf this thread works, where that is another than the process's.
public enum Requester {
    // A key of pthread_getspecific(3) is made once and never changes.
    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        pthread_key_create(&key, nil)
        return key
    }()

    /// The user's id, or nil: the process works on its own account.
    public static var userID: UInt32? {
        guard let value = pthread_getspecific(key) else { return nil }
        return UInt32(truncatingIfNeeded: UInt(bitPattern: value) - 1)
    }

    /// Runs `body` on behalf of a user.
    public static func with<Result>(userID: UInt32, _ body: () -> Result) -> Result {
        pthread_setspecific(key, UnsafeRawPointer(bitPattern: UInt(userID) + 1))
        defer { pthread_setspecific(key, nil) }
        return body()
    }
}
