import CapsuleBytes
import CapsuleCrypto

/// Writes Memvid's bincode.
struct BincodeWriter {
    private var writer = ByteWriter()

    var bytes: [UInt8] { writer.bytes }

    mutating func integer(_ value: some FixedWidthInteger) { writer.integer(value) }
    mutating func bool(_ value: Bool) { writer.integer(UInt8(value ? 1 : 0)) }
    mutating func raw(_ bytes: [UInt8]) { writer.append(bytes) }
    mutating func digest(_ value: Digest32) { writer.append(value.bytes) }

    mutating func string(_ text: String) {
        writer.integer(UInt64(text.utf8.count))
        writer.append(text.utf8)
    }

    mutating func optional<Value>(
        _ value: Value?, _ write: (inout BincodeWriter, Value) -> Void
    ) {
        bool(value != nil)
        if let value { write(&self, value) }
    }

    mutating func optional(_ text: String?) { optional(text) { $0.string($1) } }

    mutating func optional(_ number: (some FixedWidthInteger)?) {
        optional(number) { $0.integer($1) }
    }

    mutating func strings(_ list: [String]) {
        integer(UInt64(list.count))
        for text in list { string(text) }
    }

    /// Sorted by the keys' bytes, as Memvid writes it.
    mutating func dictionary(_ map: TextMap) {
        integer(UInt64(map.entries.count))
        for entry in map.entries {
            string(entry.key)
            string(entry.value)
        }
    }
}
