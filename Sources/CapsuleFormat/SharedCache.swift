import CapsuleSystem

/// A cache of immutable objects for many threads, bounded by their cost.
///
/// An object that one thread is loading is waited for by the others, not loaded twice. The clock
/// algorithm evicts: an object used since the hand passed it stays for another round.
package final class SharedCache<Value: AnyObject & Sendable>: Sendable {
    private let shards: [Shard]

    /// A cache of objects whose costs add up to at most `capacity`, or one object a shard.
    package init(capacity: Int, shardCount: Int = 8) {
        shards = (0..<shardCount).map { _ in Shard(capacity: capacity / shardCount) }
    }

    /// The object of `key`; `load` makes it where it is not there. Errors are not remembered.
    package func value(
        for key: UInt64, cost: (Value) -> Int, load: () throws(FormatError) -> Value
    ) throws(FormatError) -> Value {
        let shard = shard(of: key)
        if let present = shard.claim(key) { return present }
        do throws(FormatError) {
            let value = try load()
            shard.fulfil(key, value, cost: cost(value))
            return value
        } catch {
            shard.abandon(key)
            throw error
        }
    }

    /// Drops everything that is there now.
    package func removeAll() { for shard in shards { shard.removeAll() } }

    /// The object of `key`, if it is there now.
    package func present(_ key: UInt64) -> Value? { shard(of: key).present(key) }

    private func shard(of key: UInt64) -> Shard {
        // Fibonacci hashing: neighbours go to different shards.
        shards[Int((key &* 0x9e37_79b9_7f4a_7c15) >> 32) % shards.count]
    }

    private final class Shard: @unchecked Sendable {
        // Sendable because everything below is only touched with the monitor held.
        private struct Slot {
            var key: UInt64
            var value: Value?
            var cost: Int
            var isUsed: Bool
        }

        private let monitor = Monitor()
        private let capacity: Int
        private var slots: [UInt64: Int] = [:]
        private var ring: [Slot] = []
        private var loading: Set<UInt64> = []
        private var hand = 0
        private var total = 0

        init(capacity: Int) { self.capacity = capacity }

        func present(_ key: UInt64) -> Value? {
            monitor.locked { use(key) }
        }

        func removeAll() {
            monitor.locked {
                slots = [:]
                ring = []
                hand = 0
                total = 0
            }
        }

        private func use(_ key: UInt64) -> Value? {
            guard let slot = slots[key] else { return nil }
            ring[slot].isUsed = true
            return ring[slot].value
        }

        /// The object, or nil when the caller now has to load it.
        func claim(_ key: UInt64) -> Value? {
            monitor.locked {
                while true {
                    if let value = use(key) { return value }
                    if loading.insert(key).inserted { return nil }
                    monitor.wait()
                }
            }
        }

        func abandon(_ key: UInt64) {
            monitor.locked {
                loading.remove(key)
                monitor.broadcast()
            }
        }

        func fulfil(_ key: UInt64, _ value: Value, cost: Int) {
            monitor.locked {
                loading.remove(key)
                while total + cost > capacity && total > 0 { evictOne() }
                slots[key] = ring.count
                ring.append(Slot(key: key, value: value, cost: cost, isUsed: false))
                total += cost
                monitor.broadcast()
            }
        }

        private func evictOne() {
            while true {
                if hand >= ring.count { hand = 0 }
                if ring[hand].isUsed {
                    ring[hand].isUsed = false
                    hand += 1
                    continue
                }
                let victim = ring[hand]
                slots[victim.key] = nil
                total -= victim.cost
                let last = ring.removeLast()
                if hand < ring.count {
                    ring[hand] = last
                    slots[last.key] = hand
                }
                return
            }
        }
    }
}
