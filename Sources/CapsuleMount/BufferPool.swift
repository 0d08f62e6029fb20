import Synchronization

/// Buffers for replies, used again.
final class BufferPool: Sendable {
    private struct Buffers: @unchecked Sendable {
        // Sendable because a buffer in the pool belongs to nobody.
        var idle: [UnsafeMutableRawBufferPointer] = []
    }

    private let buffers = Mutex(Buffers())

    deinit {
        buffers.withLock { pool in
            for buffer in pool.idle { buffer.deallocate() }
        }
    }

    /// A buffer of at least `count` bytes; its content is undefined.
    func take(_ count: Int) -> UnsafeMutableRawBufferPointer {
        let idle = buffers.withLock { $0.idle.popLast() }
        if let idle, idle.count >= count { return idle }
        idle?.deallocate()
        return .allocate(byteCount: max(count, 128 << 10), alignment: 4096)
    }

    /// Gives a buffer back.
    func give(_ buffer: UnsafeMutableRawBufferPointer) {
        buffers.withLock { $0.idle.append(buffer) }
    }
}
