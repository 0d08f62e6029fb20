import CSodium
import Crypto

/// Secret bytes in guarded memory: locked where the system allows it, never in a core file, wiped
/// when they go out of scope.
public struct SecretBytes: ~Copyable, @unchecked Sendable {
    // Sendable because the memory is written once, before the value is shared.
    private let address: UnsafeMutableRawPointer
    /// The number of bytes.
    public let count: Int

    /// Memory of `count` bytes, filled by `fill`.
    public init<Failure: Error>(
        count: Int, fill: (UnsafeMutableRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        guard sodium_init() >= 0, let address = sodium_malloc(max(count, 1)) else {
            preconditionFailure("no guarded memory")
        }
        do throws(Failure) {
            try fill(UnsafeMutableRawBufferPointer(start: address, count: count))
        } catch {
            sodium_free(address)
            throw error
        }
        self.address = address
        self.count = count
    }

    /// Copies `bytes` and wipes the original.
    public init(wiping bytes: inout [UInt8]) {
        self.init(count: bytes.count) { target in
            bytes.withUnsafeMutableBytes { source in
                target.copyMemory(from: UnsafeRawBufferPointer(source))
            }
        }
        wipe(&bytes)
    }

    /// `count` fresh random bytes.
    public static func random(_ count: Int) -> SecretBytes {
        SecretBytes(count: count) { buffer in
            if let base = buffer.baseAddress { randombytes_buf(base, buffer.count) }
        }
    }

    deinit { sodium_free(address) }

    /// Lends the bytes for the time of `body`.
    public func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeRawBufferPointer(start: address, count: count))
    }

    /// The bytes as a key of swift-crypto, which wipes its own copy.
    public var symmetricKey: SymmetricKey {
        withUnsafeBytes { SymmetricKey(data: $0) }
    }
}

/// Secret bytes with several owners, wiped when the last one lets go.
public final class SharedSecret: Sendable {
    /// The bytes.
    public let bytes: SecretBytes

    /// Takes the bytes over.
    public init(_ bytes: consuming SecretBytes) { self.bytes = bytes }
}

/// Overwrites memory in a way that the optimiser keeps.
public func wipe(_ bytes: inout [UInt8]) {
    sodium_memzero(&bytes, bytes.count)
    bytes = []
}

/// Compares in a time that depends on the lengths alone.
public func equalInConstantTime(_ first: [UInt8], _ second: [UInt8]) -> Bool {
    guard first.count == second.count else { return false }
    return sodium_memcmp(first, second, first.count) == 0
}
