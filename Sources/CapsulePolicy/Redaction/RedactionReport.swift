/// What an export masked: kinds and counts, never values.
public struct RedactionReport: Equatable, Sendable {
    /// One kind's share.
    public struct Entry: Equatable, Sendable {
        /// How often it was masked.
        public var masked = 0
        /// How many different values that were.
        public var values = 0
    }

    /// The entries by kind.
    public internal(set) var entries: [String: Entry] = [:]

    /// All places together.
    public var masked: Int { entries.values.reduce(0) { $0 + $1.masked } }
}
