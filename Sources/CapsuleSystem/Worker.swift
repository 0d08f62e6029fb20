import Glibc

/// A thread that runs one closure and is joined.
///
/// Plain threads, not tasks: the work blocks in system calls and must not occupy a pool that other
/// work depends on.
public final class Worker {
    private let thread: pthread_t
    private var isJoined = false

    /// Starts a thread. Traps when the system has no more threads to give.
    ///
    /// - Parameter stackLength: in bytes, for work that recurses as deep as a folder is nested.
    public init(stackLength: Int = 1 << 20, _ body: @escaping @Sendable () -> Void) {
        let box = Unmanaged.passRetained(Body(body))
        var thread = pthread_t()
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, stackLength)
        let status = pthread_create(
            &thread, &attributes,
            { argument in
                if let argument {
                    Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
                }
                return nil
            }, box.toOpaque())
        precondition(status == 0, "cannot start a thread")
        self.thread = thread
    }

    /// Waits for the thread to end.
    public func join() {
        if isJoined { return }
        isJoined = true
        pthread_join(thread, nil)
    }

    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
}
