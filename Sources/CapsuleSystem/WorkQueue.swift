/// A bounded first-in first-out queue between threads.
public final class WorkQueue<Element: Sendable>: @unchecked Sendable {
    // Sendable because everything below is only touched with the monitor held.
    private let monitor = Monitor()
    private var items: [Element] = []
    private var head = 0
    private var isClosed = false
    private let capacity: Int

    /// A queue in which `push` waits while `capacity` elements are in it.
    public init(capacity: Int) {
        precondition(capacity > 0, "a queue needs room")
        self.capacity = capacity
    }

    private var count: Int { items.count - head }

    /// Appends, waiting for room. False when the queue was closed.
    @discardableResult
    public func push(_ element: Element) -> Bool {
        monitor.locked {
            while count >= capacity && !isClosed { monitor.wait() }
            if isClosed { return false }
            items.append(element)
            monitor.broadcast()
            return true
        }
    }

    /// Appends if there is room now.
    public func tryPush(_ element: Element) -> Bool {
        monitor.locked {
            guard count < capacity, !isClosed else { return false }
            items.append(element)
            monitor.broadcast()
            return true
        }
    }

    /// Removes the oldest element, waiting for one; nil when closed and empty.
    public func pop() -> Element? {
        monitor.locked {
            while count == 0 && !isClosed { monitor.wait() }
            guard count > 0 else { return nil }
            let element = items[head]
            head += 1
            if head == items.count {
                items.removeAll(keepingCapacity: true)
                head = 0
            } else if head >= 64 {
                items.removeFirst(head)
                head = 0
            }
            monitor.broadcast()
            return element
        }
    }

    /// Lets waiting threads go: no more pushes, pops until empty.
    public func close() {
        monitor.locked {
            isClosed = true
            monitor.broadcast()
        }
    }
}
