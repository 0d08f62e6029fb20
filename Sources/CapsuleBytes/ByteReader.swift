/// Reads little-endian fields from the front of untrusted bytes.
///
/// Positions are absolute, so that an error names the place in the file and not in a buffer.
public struct ByteReader: ~Escapable {
    private let span: RawSpan
    private let base: UInt64
    /// Bytes consumed so far.
    public private(set) var position = 0

    /// Starts at the front of `span`, whose first byte lies at `absoluteOffset` of its file.
    @_lifetime(copy span)
    public init(_ span: RawSpan, absoluteOffset: UInt64 = 0) {
        self.span = span
        self.base = absoluteOffset
    }

    /// Bytes not consumed yet.
    public var remaining: Int { span.byteCount - position }

    /// The absolute offset of the next byte.
    public var offset: UInt64 { base + UInt64(position) }

    /// The next fixed-width integer. Throws `ByteError.truncated`.
    @inline(__always)
    public mutating func integer<T: FixedWidthInteger & BitwiseCopyable>(
        _ field: StaticString, as type: T.Type = T.self
    ) throws(ByteError) -> T {
        let width = MemoryLayout<T>.size
        guard remaining >= width else { throw ByteError(.truncated, field, at: offset) }
        let value = span.unsafeLoadUnaligned(fromByteOffset: position, as: T.self)
        position += width
        return T(littleEndian: value)
    }

    /// The next `count` bytes. Throws `ByteError.truncated` before anything is allocated.
    public mutating func bytes(_ count: Int, _ field: StaticString) throws(ByteError) -> [UInt8] {
        guard count >= 0, remaining >= count else { throw ByteError(.truncated, field, at: offset) }
        let part = span.extracting(position..<position + count)
        position += count
        return part.withUnsafeBytes { [UInt8]($0) }
    }

    /// Consumes `expected` or throws `ByteError.unexpectedValue`.
    public mutating func expect(_ expected: [UInt8], _ field: StaticString) throws(ByteError) {
        let start = offset
        guard try bytes(expected.count, field) == expected else {
            throw ByteError(.unexpectedValue, field, at: start)
        }
    }

    /// Consumes `count` bytes that must all be zero, as reserved fields are.
    public mutating func zeros(_ count: Int, _ field: StaticString) throws(ByteError) {
        guard count >= 0, remaining >= count else { throw ByteError(.truncated, field, at: offset) }
        let part = span.extracting(position..<position + count)
        let firstNonZero = part.withUnsafeBytes { $0.firstIndex { $0 != 0 } }
        if let firstNonZero {
            throw ByteError(.reservedNotZero, field, at: offset + UInt64(firstNonZero))
        }
        position += count
    }

    /// Throws `ByteError.trailingBytes` unless everything was consumed.
    public func end(_ field: StaticString) throws(ByteError) {
        guard remaining == 0 else { throw ByteError(.trailingBytes, field, at: offset) }
    }
}
