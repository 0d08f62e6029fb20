import CapsuleBytes

/// 32 bytes of hash, without a heap allocation.
public struct Digest32: Hashable, Sendable {
    private var words: InlineWords

    private struct InlineWords: Hashable, Sendable {
        var first: UInt64 = 0
        var second: UInt64 = 0
        var third: UInt64 = 0
        var fourth: UInt64 = 0
    }

    /// 32 zero bytes: the root of nothing.
    public static let zero = Digest32()

    private init() { words = InlineWords() }

    /// Copies 32 bytes. Traps for another length.
    public init(_ bytes: UnsafeRawBufferPointer) {
        precondition(bytes.count == 32, "a digest has 32 bytes")
        words = bytes.loadUnaligned(as: InlineWords.self)
    }

    /// Copies 32 bytes. Traps for another length.
    public init(_ bytes: [UInt8]) {
        self = bytes.withUnsafeBytes { Digest32($0) }
    }

    /// Lends the bytes.
    public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        Swift.withUnsafeBytes(of: words, body)
    }

    mutating func withUnsafeMutableBytes(_ body: (UnsafeMutableRawBufferPointer) -> Void) {
        Swift.withUnsafeMutableBytes(of: &words, body)
    }

    /// The bytes as an array.
    public var bytes: [UInt8] { withUnsafeBytes { [UInt8]($0) } }

    /// Lower-case hexadecimal.
    public var hex: String { Text.hex(bytes) }

    /// The digest that a text of 64 hexadecimal digits spells, or nil.
    public init?(hex: String) {
        guard let bytes = Text.unhex(hex), bytes.count == 32 else { return nil }
        self.init(bytes)
    }
}
