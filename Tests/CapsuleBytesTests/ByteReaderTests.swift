// Reading and writing fields: what is taken, what is refused, and where errors point.

import CapsuleBytes
import Testing

@Suite("Fields of bytes")
struct ByteReaderTests {
    private func error(
        in bytes: [UInt8], at base: UInt64 = 0, _ body: (inout ByteReader) throws(ByteError) -> Void
    ) -> ByteError? {
        var reader = ByteReader(bytes.span.bytes, absoluteOffset: base)
        do throws(ByteError) {
            try body(&reader)
            return nil
        } catch {
            return error
        }
    }

    @Test("integers are little-endian and advance the reader")
    func integers() throws {
        let bytes: [UInt8] = [0x01, 0x34, 0x12, 0x78, 0x56, 0x34, 0x12, 1, 2, 3, 4, 5, 6, 7, 0x80]
        var reader = ByteReader(bytes.span.bytes, absoluteOffset: 100)
        #expect(try reader.integer("a", as: UInt8.self) == 1)
        #expect(try reader.integer("b", as: UInt16.self) == 0x1234)
        #expect(try reader.integer("c", as: UInt32.self) == 0x1234_5678)
        #expect(reader.offset == 107 && reader.position == 7 && reader.remaining == 8)
        #expect(try reader.integer("d", as: Int64.self) == Int64(bitPattern: 0x8007_0605_0403_0201))
        try reader.end("all")
    }

    @Test("a field that ends early is an error at its beginning, for every width")
    func truncated() {
        for count in 0..<8 {
            let found = error(in: [UInt8](repeating: 1, count: count), at: 40) {
                (reader: inout ByteReader) throws(ByteError) in
                _ = try reader.integer("number", as: UInt64.self)
            }
            #expect(found == ByteError(.truncated, "number", at: 40))
        }
    }

    @Test("a length that is negative or beyond the end is refused before anything is allocated")
    func lengths() {
        for count in [-1, 4, Int.max, Int.min] {
            let asBytes = error(in: [1, 2, 3]) { (reader: inout ByteReader) throws(ByteError) in
                _ = try reader.bytes(count, "bytes")
            }
            #expect(asBytes == ByteError(.truncated, "bytes", at: 0))
            let asZeros = error(in: [0, 0, 0]) { (reader: inout ByteReader) throws(ByteError) in
                try reader.zeros(count, "zeros")
            }
            #expect(asZeros == ByteError(.truncated, "zeros", at: 0))
        }
    }

    @Test("reserved bytes must be zero, and the error names the first that is not")
    func reserved() {
        let found = error(in: [9, 0, 0, 7, 0], at: 10) {
            (reader: inout ByteReader) throws(ByteError) in
            _ = try reader.bytes(1, "first")
            try reader.zeros(4, "reserved")
        }
        #expect(found == ByteError(.reservedNotZero, "reserved", at: 13))
    }

    @Test("an unexpected constant and stray bytes are told apart")
    func constants() {
        let wrong = error(in: [1, 2], at: 5) { (reader: inout ByteReader) throws(ByteError) in
            try reader.expect([1, 3], "magic")
        }
        #expect(wrong == ByteError(.unexpectedValue, "magic", at: 5))
        let stray = error(in: [1, 2]) { (reader: inout ByteReader) throws(ByteError) in
            try reader.expect([1], "magic")
            try reader.end("record")
        }
        #expect(stray == ByteError(.trailingBytes, "record", at: 1))
        #expect(stray?.description == "record at offset 1 is followed by stray bytes")
    }

    @Test("what the writer writes is what the reader reads")
    func writer() throws {
        var writer = ByteWriter(capacity: 4)
        writer.integer(UInt16(0xabcd))
        writer.integer(Int64(-2))
        writer.append("xyz".utf8)
        writer.pad(to: 20)
        #expect(writer.count == 20)
        #expect(writer.bytes.prefix(2) == [0xcd, 0xab])
        let bytes = writer.bytes
        var reader = ByteReader(bytes.span.bytes)
        #expect(try reader.integer("a", as: UInt16.self) == 0xabcd)
        #expect(try reader.integer("b", as: Int64.self) == -2)
        #expect(try reader.bytes(3, "c") == Array("xyz".utf8))
        try reader.zeros(7, "padding")
        try reader.end("all")
    }

    @Test("sums and products that do not fit are nil")
    func checked() {
        #expect(UInt64.max.checkedAdding(1) == nil)
        #expect((UInt64.max - 1).checkedAdding(1) == UInt64.max)
        #expect(UInt32(65536).checkedMultiplied(by: 65536) == nil)
        #expect(UInt32(65535).checkedMultiplied(by: 65537) == UInt32.max)
    }
}
