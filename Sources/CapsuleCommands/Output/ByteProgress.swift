import Synchronization

/// How many bytes of a long piece of work are done; counted by any thread.
final class ByteProgress: Sendable {
    private let done = Atomic<UInt64>(0)

    /// Counts `count` bytes more.
    @Sendable func add(_ count: UInt64) { done.add(count, ordering: .relaxed) }

    /// Whether anything was counted yet.
    var hasBegun: Bool { done.load(ordering: .relaxed) > 0 }

    /// `WORK: 3 MiB`, and of how much where that is known.
    func text(_ work: String, of total: UInt64? = nil) -> String {
        let sum = total.map { " of \(Human.bytes($0))" } ?? ""
        return "\(work): \(Human.bytes(done.load(ordering: .relaxed)))\(sum)"
    }
}
