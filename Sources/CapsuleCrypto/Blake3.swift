import CBlake3

/// BLAKE3 with a domain-separating context: the key-derivation mode of the specification.
///
/// A context is hashed once and then used for any number of inputs.
public struct Blake3Context: Sendable {
    private let initial: cblake3_hasher

    /// The domain named by `context`, a constant string.
    public init(_ context: StaticString) {
        var key = (UInt64(0), UInt64(0), UInt64(0), UInt64(0))
        var hasher = cblake3_hasher()
        withUnsafeMutableBytes(of: &key) { output in
            context.withUTF8Buffer { text in
                guard let base = text.baseAddress, let target = output.baseAddress else { return }
                cblake3_derive_context_key(base, text.count, target)
                cblake3_init_derive_material(&hasher, target)
            }
        }
        initial = hasher
    }

    /// The 32-byte hash of the concatenation of `parts`.
    public func hash(_ parts: UnsafeRawBufferPointer...) -> Digest32 {
        var hasher = initial
        for part in parts { cblake3_update(&hasher, part.baseAddress, part.count) }
        return Self.finish(&hasher)
    }

    /// The 32-byte hash of `bytes`.
    public func hash(_ bytes: [UInt8]) -> Digest32 {
        bytes.withUnsafeBytes { hash($0) }
    }

    /// The 32-byte hash of two parts, for callers that must not allocate.
    @inline(__always)
    public func hash(
        _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer
    ) -> Digest32 {
        var hasher = initial
        cblake3_update(&hasher, first.baseAddress, first.count)
        cblake3_update(&hasher, second.baseAddress, second.count)
        return Self.finish(&hasher)
    }

    /// A hasher in this domain that takes its input in pieces.
    public func stream() -> Blake3Stream { Blake3Stream(hasher: initial) }

    fileprivate static func finish(_ hasher: inout cblake3_hasher) -> Digest32 {
        var digest = Digest32.zero
        digest.withUnsafeMutableBytes { output in
            guard let target = output.baseAddress else { return }
            cblake3_finalize(&hasher, target, 32)
        }
        return digest
    }
}

/// A BLAKE3 computation over input that comes in pieces.
public struct Blake3Stream: Sendable {
    private var hasher: cblake3_hasher

    fileprivate init(hasher: cblake3_hasher) { self.hasher = hasher }

    /// Plain BLAKE3, without key or context: for formats of others.
    public init() {
        hasher = cblake3_hasher()
        cblake3_init(&hasher)
    }

    /// Adds input.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        cblake3_update(&hasher, bytes.baseAddress, bytes.count)
    }

    /// Adds input.
    public mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { update($0) }
    }

    /// The hash of everything added so far.
    public func digest() -> Digest32 {
        var copy = hasher
        return Blake3Context.finish(&copy)
    }
}
