import CArgon2
import CapsuleBytes
import Glibc

/// Argon2id (RFC 9106), version 0x13, without secret or associated data.
public enum Argon2id {
    /// What one derivation costs.
    public struct Cost: Equatable, Sendable {
        /// The number of passes over the memory.
        public var passes: UInt32
        /// Memory in KiB.
        public var memoryKiB: UInt32
        /// The number of lanes, computed in parallel.
        public var lanes: UInt32

        /// A cost; `validate` says whether it is within the limits.
        public init(passes: UInt32, memoryKiB: UInt32, lanes: UInt32) {
            self.passes = passes
            self.memoryKiB = memoryKiB
            self.lanes = lanes
        }

        /// RFC 9106's second recommended choice.
        public static let standard = Cost(passes: 3, memoryKiB: 64 * 1024, lanes: 4)

        /// Passes times memory in KiB: what `Limit.totalWork` bounds over all slots of a capsule.
        public var work: UInt64 { UInt64(passes) * UInt64(memoryKiB) }
    }

    /// Bounds checked before any work is done on behalf of a file.
    public enum Limit {
        /// Passes over the memory.
        public static let passes: ClosedRange<UInt32> = 1...64
        /// Memory in KiB: 8 KiB for each lane is Argon2's own minimum.
        public static let memoryKiB: ClosedRange<UInt32> = 8...(4 * 1024 * 1024)
        /// Lanes.
        public static let lanes: ClosedRange<UInt32> = 1...16
        /// Passes times KiB, over all slots of one capsule: four times RFC 9106's first choice.
        public static let totalWork: UInt64 = 8 * 1024 * 1024
    }

    /// Throws `CryptoError.keyDerivation` for a cost outside the limits.
    public static func validate(_ cost: Cost) throws(CryptoError) {
        guard Limit.passes.contains(cost.passes), Limit.memoryKiB.contains(cost.memoryKiB),
            Limit.lanes.contains(cost.lanes), cost.memoryKiB >= 8 * cost.lanes,
            cost.work <= Limit.totalWork
        else {
            throw .keyDerivation(
                "the Argon2id cost (t=\(cost.passes), m=\(cost.memoryKiB) KiB, p=\(cost.lanes)) "
                    + "is outside the limits")
        }
    }

    /// Derives `outputCount` bytes from a secret.
    public static func derive(
        _ secret: borrowing SecretBytes, salt: [UInt8], cost: Cost, outputCount: Int = 32
    ) throws(CryptoError) -> SecretBytes {
        try validate(cost)
        var status: Int32 = 0
        var salt = salt
        let result = SecretBytes(count: outputCount) { output in
            status = secret.withUnsafeBytes { password in
                salt.withUnsafeMutableBufferPointer { salt in
                    run(password, salt, cost, into: output)
                }
            }
        }
        guard status == ARGON2_OK.rawValue else {
            throw .keyDerivation(
                "Argon2id failed: \(String(cString: argon2_error_message(status)))")
        }
        return result
    }

    /// Argon2 writes to none of its inputs unless told to wipe them.
    private static func run(
        _ password: UnsafeRawBufferPointer, _ salt: UnsafeMutableBufferPointer<UInt8>, _ cost: Cost,
        into output: UnsafeMutableRawBufferPointer
    ) -> Int32 {
        var context = argon2_context()
        context.out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        context.outlen = UInt32(output.count)
        context.pwd = UnsafeMutablePointer(
            mutating: password.baseAddress?.assumingMemoryBound(to: UInt8.self))
        context.pwdlen = UInt32(password.count)
        context.salt = salt.baseAddress
        context.saltlen = UInt32(salt.count)
        context.t_cost = cost.passes
        context.m_cost = cost.memoryKiB
        context.lanes = cost.lanes
        context.threads = cost.lanes
        context.version = ARGON2_VERSION_13.rawValue
        context.allocate_cbk = { memory, count in
            guard let memory, let block = HugePages.allocate(count) else {
                return ARGON2_MEMORY_ALLOCATION_ERROR.rawValue
            }
            memory.pointee = block.assumingMemoryBound(to: UInt8.self)
            return ARGON2_OK.rawValue
        }
        context.free_cbk = { memory, count in
            if let memory { HugePages.free(memory, count) }
        }
        return argon2id_ctx(&context)
    }
}

/// Working memory in huge pages where the system has them: filling 64 MiB of small ones costs a
/// fifth of a derivation in page faults.
private enum HugePages {
    static func allocate(_ count: Int) -> UnsafeMutableRawPointer? {
        let block = mmap(
            nil, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let block, block != MAP_FAILED else { return nil }
        madvise(block, count, MADV_HUGEPAGE)
        // It holds what the secret was stretched to.
        madvise(block, count, MADV_DONTDUMP)
        return block
    }

    /// Argon2 has wiped it.
    static func free(_ block: UnsafeMutableRawPointer, _ count: Int) { munmap(block, count) }
}
