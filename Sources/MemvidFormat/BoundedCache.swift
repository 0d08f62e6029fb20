import Synchronization

/// A cache of immutable objects for many threads, bounded by their cost; what was used longest ago
/// goes first. An object that is larger than the whole cache stays until the next one comes.
final class BoundedCache<Value: AnyObject & Sendable>: Sendable {
    private struct Slot {
        let value: Value
        let cost: Int
        var use: UInt64
    }

    private struct Contents {
        var slots: [UInt64: Slot] = [:]
        var total = 0
        var clock: UInt64 = 0
    }

    private let contents = Mutex(Contents())
    private let capacity: Int

    init(capacity: Int) { self.capacity = capacity }

    /// The object of `key`; `load` makes it, with its cost in bytes, where it is not there. Two
    /// threads may make it at once: the first one's is kept.
    func value(
        for key: UInt64, load: () throws(MemvidError) -> (value: Value, cost: Int)
    ) throws(MemvidError) -> Value {
        if let present = contents.withLock({ Self.use(key, &$0) }) { return present }
        let loaded = try load()
        return contents.withLock { contents in
            if let present = Self.use(key, &contents) { return present }
            while contents.total + loaded.cost > capacity,
                let oldest = contents.slots.min(by: { $0.value.use < $1.value.use })
            {
                contents.total -= oldest.value.cost
                contents.slots[oldest.key] = nil
            }
            contents.clock += 1
            contents.slots[key] = Slot(
                value: loaded.value, cost: loaded.cost, use: contents.clock)
            contents.total += loaded.cost
            return loaded.value
        }
    }

    private static func use(_ key: UInt64, _ contents: inout Contents) -> Value? {
        contents.clock += 1
        contents.slots[key]?.use = contents.clock
        return contents.slots[key]?.value
    }
}

/// Immutable bytes with several owners.
final class SharedBytes: Sendable {
    let bytes: [UInt8]
    init(_ bytes: [UInt8]) { self.bytes = bytes }
}
