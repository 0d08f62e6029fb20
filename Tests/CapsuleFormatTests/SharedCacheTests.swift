// The cache under many threads: its bound, one load for many who ask, and errors that are
// forgotten.

import CapsuleSystem
import Glibc
import Synchronization
import Testing

@testable import CapsuleFormat

@Suite("Shared cache")
struct SharedCacheTests {
    final class Box: Sendable {
        let key: UInt64
        init(_ key: UInt64) { self.key = key }
    }

    @Test("what is kept never costs more than the capacity")
    func bound() throws {
        let cache = SharedCache<Box>(capacity: 800, shardCount: 1)
        for key in 0..<1000 as Range<UInt64> {
            let box = try cache.value(for: key, cost: { _ in 100 }) { Box(key) }
            #expect(box.key == key)
        }
        let kept = (0..<1000 as Range<UInt64>).filter { cache.present($0) != nil }
        #expect(kept.count == 8)
    }

    @Test("objects larger than the capacity are handed out, one stays at most")
    func oversized() throws {
        let cache = SharedCache<Box>(capacity: 10, shardCount: 1)
        for key in 0..<5 as Range<UInt64> {
            #expect(try cache.value(for: key, cost: { _ in 100 }) { Box(key) }.key == key)
        }
        #expect((0..<5 as Range<UInt64>).filter { cache.present($0) != nil } == [4])
        #expect(try cache.value(for: 9, cost: { _ in 1 }) { Box(9) }.key == 9)
    }

    @Test("what is used again and again survives what is used once")
    func clock() throws {
        let cache = SharedCache<Box>(capacity: 8, shardCount: 1)
        var loads = 0
        for key in 0..<500 as Range<UInt64> {
            _ = try cache.value(for: 7777, cost: { _ in 1 }) { () throws(FormatError) -> Box in
                loads += 1
                return Box(7777)
            }
            _ = try cache.value(for: key, cost: { _ in 1 }) { Box(key) }
        }
        #expect(loads == 1)
    }

    @Test("many threads that ask for one object load it once")
    func concurrentLoads() {
        let cache = SharedCache<Box>(capacity: 100, shardCount: 2)
        let loads = Atomic(0)
        let results = Mutex<[ObjectIdentifier]>([])
        let workers = (0..<8).map { _ in
            Worker {
                let box = try? cache.value(for: 5, cost: { _ in 1 }) {
                    () throws(FormatError) -> Box in
                    loads.add(1, ordering: .relaxed)
                    usleep(50_000)
                    return Box(5)
                }
                if let box { results.withLock { $0.append(ObjectIdentifier(box)) } }
            }
        }
        for worker in workers { worker.join() }
        #expect(loads.load(ordering: .relaxed) == 1)
        #expect(results.withLock { $0.count == 8 && Set($0).count == 1 })
    }

    @Test("an error is thrown to who loads, and the next one tries again")
    func errors() throws {
        let cache = SharedCache<Box>(capacity: 100)
        for _ in 0..<3 {
            let fault = failure {
                _ = try cache.value(for: 1, cost: { _ in 1 }) { () throws(FormatError) -> Box in
                    throw .damaged("this time")
                }
            }
            #expect(fault?.message == "this time")
        }
        #expect(cache.present(1) == nil)
        #expect(try cache.value(for: 1, cost: { _ in 1 }) { Box(1) }.key == 1)
    }

    @Test("threads that evict each other's objects always get the one they asked for")
    func contention() {
        let cache = SharedCache<Box>(capacity: 64, shardCount: 4)
        let wrong = Atomic(0)
        let workers = (0..<4).map { number in
            Worker {
                var noise = Noise(UInt64(number + 1))
                for _ in 0..<20_000 {
                    let key = noise.next() % 100
                    let box = try? cache.value(for: key, cost: { Int($0.key % 7) + 1 }) {
                        () throws(FormatError) -> Box in
                        if key % 13 == 0 { throw .damaged("unlucky") }
                        return Box(key)
                    }
                    let isRight = key % 13 == 0 ? box == nil : box?.key == key
                    if !isRight { wrong.add(1, ordering: .relaxed) }
                }
            }
        }
        for worker in workers { worker.join() }
        #expect(wrong.load(ordering: .relaxed) == 0)
    }
}
