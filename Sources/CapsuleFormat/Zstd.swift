import CZstd

/// A reusable zstd compression context (RFC 8878). Not to be used by two threads at once.
package final class ZstdCompressor: @unchecked Sendable {
    // Sendable because each worker thread owns one.
    private let context: OpaquePointer

    /// A context for a compression level, as the zstd command counts them.
    package init(level: Int) {
        guard let context = ZSTD_createCCtx() else { preconditionFailure("out of memory") }
        self.context = context
        ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, Int32(level))
        ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0)
        ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 0)
    }

    deinit { ZSTD_freeCCtx(context) }

    /// Compresses into `target`; nil when the result does not fit.
    package func compress(
        _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
    ) -> Int? {
        let size = ZSTD_compress2(
            context, target.baseAddress, target.count, source.baseAddress, source.count)
        return ZSTD_isError(size) == 0 ? size : nil
    }
}

/// A reusable zstd decompression context. Not to be used by two threads at once.
package final class ZstdDecompressor: @unchecked Sendable {
    // Sendable because it is lent to one thread at a time.
    private let context: OpaquePointer

    package init() {
        guard let context = ZSTD_createDCtx() else { preconditionFailure("out of memory") }
        self.context = context
    }

    deinit { ZSTD_freeDCtx(context) }

    /// RFC 8878, section 3.1.1: the magic number of a frame with content.
    private static let magic: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd]

    /// Decompresses one frame into `target`, never beyond it; the number of bytes, or nil for
    /// damage, for a frame that may be skipped, and for anything after the frame.
    package func decompress(
        _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
    ) -> Int? {
        guard ZSTD_findFrameCompressedSize(source.baseAddress, source.count) == source.count,
            source.starts(with: Self.magic)
        else { return nil }
        let size = ZSTD_decompressDCtx(
            context, target.baseAddress, target.count, source.baseAddress, source.count)
        return ZSTD_isError(size) == 0 ? size : nil
    }
}
