import CapsuleBytes

/// What a large directory's entry points to, so that a name's page is found without reading others.
///
///     Offset  Size  Field
///          0     4  length of all that follows
///          4     4  stride: pages between two separators
///          8     4  number of separators, N
///         12   4N  end of each separator, counted from the first
///      12+4N     -  separators
///
/// Separator i belongs to the page that is 1 + i * stride pages after the directory's first: it is
/// not greater than that page's first name and greater than the name before it.
struct Fence: Equatable, Sendable {
    let stride: UInt32
    let separators: [[UInt8]]

    init(stride: UInt32, separators: [[UInt8]]) {
        self.stride = stride
        self.separators = separators
    }

    var encoded: [UInt8] {
        var body = ByteWriter()
        body.integer(stride)
        body.integer(UInt32(separators.count))
        var end = 0
        for separator in separators {
            end += separator.count
            body.integer(UInt32(end))
        }
        for separator in separators { body.append(separator) }
        var writer = ByteWriter()
        writer.integer(UInt32(body.count))
        return writer.bytes + body.bytes
    }

    /// Parses what follows the length.
    init(decoding bytes: [UInt8]) throws(FormatError) {
        do throws(ByteError) {
            var reader = ByteReader(bytes.span.bytes)
            stride = try reader.integer("fence stride")
            let count = Int(try reader.integer("separator count", as: UInt32.self))
            guard stride > 0, count > 0, count <= reader.remaining / 4 else {
                throw ByteError(.outOfRange, "separator count", at: 4)
            }
            var ends: [Int] = []
            for _ in 0..<count {
                let end = Int(try reader.integer("separator end", as: UInt32.self))
                guard end >= ends.last ?? 0 else {
                    throw ByteError(.outOfRange, "separator end", at: reader.offset)
                }
                ends.append(end)
            }
            var separators: [[UInt8]] = []
            var start = 0
            for end in ends {
                separators.append(try reader.bytes(end - start, "separator"))
                start = end
            }
            try reader.end("fence")
            self.separators = separators
        } catch {
            throw FormatError(error, in: "index fence")
        }
    }

    /// Pages, counted from the directory's first, among which the name's page is.
    func pages(for name: UnsafeRawBufferPointer, pageCount: Int) -> Range<Int> {
        var (low, high) = (0, separators.count)
        while low < high {
            let middle = (low + high) / 2
            if name.lexicographicallyPrecedes(separators[middle]) {
                high = middle
            } else {
                low = middle + 1
            }
        }
        let first = low == 0 ? 0 : 1 + (low - 1) * Int(stride)
        let end = low == separators.count ? pageCount : 1 + low * Int(stride)
        return min(first, pageCount)..<min(end, pageCount)
    }
}
