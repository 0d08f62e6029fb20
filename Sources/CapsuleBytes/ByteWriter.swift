/// Appends little-endian fields to a byte array.
public struct ByteWriter: Sendable {
    /// What was written so far.
    public private(set) var bytes: [UInt8] = []

    /// An empty writer with room for `capacity` bytes.
    public init(capacity: Int = 0) {
        bytes.reserveCapacity(capacity)
    }

    /// The number of bytes written.
    public var count: Int { bytes.count }

    /// Appends an integer, little-endian.
    @inline(__always)
    public mutating func integer<T: FixedWidthInteger>(_ value: T) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// Appends bytes.
    public mutating func append(_ more: some Sequence<UInt8>) {
        bytes.append(contentsOf: more)
    }

    /// Appends zeros until `length` bytes are written. Traps if there are more already.
    public mutating func pad(to length: Int) {
        precondition(bytes.count <= length, "field is longer than its room")
        bytes.append(contentsOf: repeatElement(0, count: length - bytes.count))
    }
}
