import CapsuleBytes
import CapsuleCrypto

/// Reads Memvid's bincode (fixed-width integers, little-endian, no varints) from a range of a file,
/// window by window, and hashes what it passes. Lengths and counts are held against the bytes that
/// are left before they size anything.
final class BincodeReader {
    private let source: any MemvidSource
    private let end: UInt64
    private var window: [UInt8] = []
    /// The offset of the window's first byte.
    private var windowStart: UInt64
    private var cursor = 0
    private let hashesAll: Bool
    private var whole = Blake3Stream()
    /// The offset from which `part` still has to be fed, and the hash of a frame.
    private var partCursor: Int?
    private var part = Blake3Stream()

    private static let windowLength = 256 << 10

    /// A reader of `range`; with `hashesAll` it computes the hash of all of it.
    init(_ source: any MemvidSource, range: Range<UInt64>, hashesAll: Bool = false) {
        self.source = source
        self.hashesAll = hashesAll
        windowStart = range.lowerBound
        end = range.upperBound
    }

    /// The offset of the next byte.
    var offset: UInt64 { windowStart + UInt64(cursor) }

    /// Bytes not consumed yet.
    var remaining: UInt64 { end - offset }

    /// Makes `count` bytes available at `cursor`.
    private func need(_ count: Int, _ field: StaticString) throws(MemvidError) {
        if window.count - cursor >= count { return }
        guard UInt64(count) <= remaining else {
            throw .damaged("\(field) reaches beyond the end", at: offset)
        }
        feedPart()
        let kept = window.count - cursor
        let loadedEnd = windowStart + UInt64(window.count)
        let more = Int(min(end - loadedEnd, UInt64(max(count - kept, Self.windowLength))))
        let fresh = try source.bytes(more, at: loadedEnd, "table of contents")
        if hashesAll { whole.update(fresh) }
        windowStart += UInt64(cursor)
        window = Array(window[cursor...]) + fresh
        cursor = 0
        if partCursor != nil { partCursor = 0 }
    }

    private func feedPart() {
        guard let start = partCursor, start < cursor else { return }
        window.withUnsafeBytes { part.update(UnsafeRawBufferPointer(rebasing: $0[start..<cursor])) }
        partCursor = cursor
    }

    /// Begins to hash what is consumed from here on.
    func beginPart() {
        part = Blake3Stream()
        partCursor = cursor
    }

    /// The hash of what was consumed since `beginPart`.
    func endPart() -> Digest32 {
        feedPart()
        partCursor = nil
        return part.digest()
    }

    /// Reads the rest and returns the hash of everything. Only with `hashesAll`.
    func finish() throws(MemvidError) -> Digest32 {
        while remaining > 0 {
            let step = Int(min(remaining, UInt64(Self.windowLength)))
            try need(step, "the rest")
            cursor += step
        }
        return whole.digest()
    }

    // MARK: Values

    func integer<T: FixedWidthInteger & BitwiseCopyable>(
        _ field: StaticString, as type: T.Type = T.self
    ) throws(MemvidError) -> T {
        let width = MemoryLayout<T>.size
        try need(width, field)
        let value = window.withUnsafeBytes { bytes in
            bytes.loadUnaligned(fromByteOffset: cursor, as: T.self)
        }
        cursor += width
        return T(littleEndian: value)
    }

    func bool(_ field: StaticString) throws(MemvidError) -> Bool {
        let byte: UInt8 = try integer(field)
        guard byte <= 1 else {
            throw .damaged("\(field) is neither true nor false", at: offset - 1)
        }
        return byte == 1
    }

    func bytes(_ count: Int, _ field: StaticString) throws(MemvidError) -> [UInt8] {
        try need(count, field)
        defer { cursor += count }
        return Array(window[cursor..<cursor + count])
    }

    func digest(_ field: StaticString) throws(MemvidError) -> Digest32 {
        Digest32(try bytes(32, field))
    }

    /// A count of elements of at least `least` bytes each, and at most `limit`.
    func count(
        _ field: StaticString, least: UInt64, limit: UInt64 = .max
    ) throws(MemvidError) -> Int {
        let count: UInt64 = try integer(field)
        guard count <= limit, count <= remaining / least else {
            throw .damaged("\(field): a count of \(count) is out of range", at: offset - 8)
        }
        return Int(count)
    }

    func string(_ field: StaticString) throws(MemvidError) -> String {
        let count = try count(field, least: 1)
        let at = offset
        guard let text = String(validating: try bytes(count, field), as: UTF8.self) else {
            throw .damaged("\(field) is not UTF-8", at: at)
        }
        return text
    }

    func optional<Value>(
        _ field: StaticString, _ read: (StaticString) throws(MemvidError) -> Value
    ) throws(MemvidError) -> Value? {
        try bool(field) ? try read(field) : nil
    }

    func optionalString(_ field: StaticString) throws(MemvidError) -> String? {
        try optional(field) { name throws(MemvidError) in try string(name) }
    }

    func optionalInteger<T: FixedWidthInteger & BitwiseCopyable>(
        _ field: StaticString
    ) throws(MemvidError) -> T? {
        try optional(field) { name throws(MemvidError) in try integer(name) }
    }

    func float(_ field: StaticString) throws(MemvidError) -> Float {
        Float(bitPattern: try integer(field))
    }

    func double(_ field: StaticString) throws(MemvidError) -> Double {
        Double(bitPattern: try integer(field))
    }

    /// A fieldless enum: its index in 4 bytes.
    func choice<Value: RawRepresentable>(
        _ field: StaticString
    ) throws(MemvidError) -> Value where Value.RawValue == UInt32 {
        let index: UInt32 = try integer(field)
        guard let value = Value(rawValue: index) else {
            throw .damaged("\(field) has the unknown value \(index)", at: offset - 4)
        }
        return value
    }

    func strings(_ field: StaticString, limit: UInt64) throws(MemvidError) -> [String] {
        let count = try count(field, least: 8, limit: limit)
        var list: [String] = []
        for _ in 0..<count { list.append(try string(field)) }
        return list
    }

    /// Keys and values; of a key that comes twice, the last one counts.
    func dictionary(
        _ field: StaticString, limit: UInt64
    ) throws(MemvidError) -> TextMap {
        let count = try count(field, least: 16, limit: limit)
        var map = TextMap()
        for _ in 0..<count {
            let key = try string(field)
            map[key] = try string(field)
        }
        return map
    }

    func skip(_ count: Int, _ field: StaticString) throws(MemvidError) {
        try need(count, field)
        cursor += count
    }
}
