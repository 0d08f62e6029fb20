import CZstd

/// Decodes the zstd frames in which Memvid stores text (RFC 8878).
enum ZstdDecoder {
    /// The plaintext if it has exactly `length` bytes, which the caller has bounded; else nil.
    static func decode(_ stored: [UInt8], length: Int) -> [UInt8]? {
        var count = 0
        // One byte more than expected, so that a longer text is found out.
        let plain = [UInt8](unsafeUninitializedCapacity: length + 1) { buffer, done in
            count = ZSTD_decompress(buffer.baseAddress, buffer.count, stored, stored.count)
            done = ZSTD_isError(count) == 0 ? count : 0
        }
        guard ZSTD_isError(count) == 0, plain.count == length else { return nil }
        return plain
    }
}
