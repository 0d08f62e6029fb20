/// A text after masking.
public struct MaskedText: Equatable, Sendable {
    /// The text with placeholders.
    public let bytes: [UInt8]
    /// What was masked, by its place in the input.
    public let findings: [Finding]
}
