import CapsuleCrypto
import Glibc

/// A piece of a stream's plaintext on its way through the sealing pipeline.
///
/// One thread fills it, one seals it, one writes it; the queues between them hand it over.
final class SealingUnit: @unchecked Sendable {
    // Sendable because exactly one thread uses it at a time.
    struct SealedBlock {
        /// The leaf of the hash tree.
        let hash: Digest32
        /// The hash of what the cipher got, for reproducible sealing; else zeros.
        let inputHash: Digest32
        let storedLength: Int
        let logicalLength: Int
    }

    /// The plaintext; `count` bytes of it are filled.
    let plaintext: UnsafeMutableRawBufferPointer
    var count = 0
    var logicalOffset: UInt64 = 0
    /// The sealed blocks, one after the other.
    let sealed: UnsafeMutableRawBufferPointer
    var sealedCount = 0
    var blocks: [SealedBlock] = []
    private let done: UnsafeMutablePointer<sem_t>

    init(capacity: Int, rawBlockLength: Int) {
        let blockCount = (capacity + rawBlockLength - 1) / rawBlockLength
        plaintext = .allocate(byteCount: capacity, alignment: 64)
        sealed = .allocate(
            byteCount: capacity + blockCount * BlockCipher.tagByteCount, alignment: 64)
        done = .allocate(capacity: 1)
        sem_init(done, 0, 0)
    }

    deinit {
        plaintext.initializeMemory(as: UInt8.self, repeating: 0)
        plaintext.deallocate()
        sealed.deallocate()
        sem_destroy(done)
        done.deallocate()
    }

    /// Makes the unit empty again.
    func reset() {
        count = 0
        sealedCount = 0
        blocks.removeAll(keepingCapacity: true)
    }

    /// Says that it is sealed.
    func complete() { sem_post(done) }

    /// Waits until it is sealed.
    func waitUntilComplete() {
        while sem_wait(done) != 0 {}
    }
}
