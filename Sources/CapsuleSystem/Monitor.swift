import Glibc

/// A mutual exclusion lock with a condition to wait for.
///
/// A pthread mutex and not `Synchronization.Mutex`: the owner of the latter cannot wait.
public final class Monitor: @unchecked Sendable {
    // Sendable because pthread objects are made to be shared.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    /// An unlocked monitor.
    public init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Waits for the lock.
    public func lock() { pthread_mutex_lock(mutex) }

    /// Gives the lock back.
    public func unlock() { pthread_mutex_unlock(mutex) }

    /// Gives the lock back until somebody calls `broadcast`; the caller holds the lock.
    public func wait() { pthread_cond_wait(condition, mutex) }

    /// Wakes everybody who waits.
    public func broadcast() { pthread_cond_broadcast(condition) }

    /// Runs `body` with the lock held.
    public func locked<Result>(_ body: () -> Result) -> Result {
        lock()
        defer { unlock() }
        return body()
    }
}
