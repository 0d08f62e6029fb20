import CSQLite3

/// Splits texts into words for FTS5: as its own `unicode61` does, but for passages that are each
/// one word, whatever they look like.
final class WordSplitter {
    /// Finds the first such passage from an offset on, and which word it is.
    typealias Finder = (
        _ text: UnsafeBufferPointer<UInt8>, _ offset: Int
    ) -> (range: Range<Int>, word: [UInt8])?

    private typealias Receiver =
        @convention(c) (
            UnsafeMutableRawPointer?, Int32, UnsafePointer<CChar>?, Int32, Int32, Int32
        ) -> Int32

    /// Where the words of a part of a text go.
    private struct Relay {
        let context: UnsafeMutableRawPointer?
        let receive: Receiver
        let offset: Int32
    }

    /// The name under which FTS5 knows it.
    static let name = "words"

    private let find: Finder
    private var inner = fts5_tokenizer()
    private var innerState: OpaquePointer?

    /// Makes it known to a connection, which it has to outlive. Throws `StoreError`.
    init(_ connection: OpaquePointer, find: @escaping Finder) throws(StoreError) {
        self.find = find
        guard let api = Self.api(connection) else {
            throw StoreError(.system, "SQLite has no FTS5", errno: 0)
        }
        var context: UnsafeMutableRawPointer?
        guard api.pointee.xFindTokenizer(api, "unicode61", &context, &inner) == SQLITE_OK,
            inner.xCreate(context, nil, 0, &innerState) == SQLITE_OK
        else { throw StoreError(.system, "FTS5 has no unicode61", errno: 0) }
        var own = fts5_tokenizer()
        own.xCreate = { context, _, _, result in
            result?.pointee = OpaquePointer(context)
            return SQLITE_OK
        }
        own.xDelete = { _ in }
        own.xTokenize = { state, context, flags, text, count, receive in
            guard let state, let receive else { return SQLITE_MISUSE }
            let splitter = Unmanaged<WordSplitter>.fromOpaque(UnsafeRawPointer(state))
            return text.map { text in
                splitter.takeUnretainedValue().split(
                    UnsafeBufferPointer(start: text, count: Int(count)), flags, context, receive)
            } ?? SQLITE_OK
        }
        let state = Unmanaged.passUnretained(self).toOpaque()
        guard api.pointee.xCreateTokenizer(api, Self.name, state, &own, nil) == SQLITE_OK else {
            throw StoreError(.system, "FTS5 takes no way to split texts", errno: 0)
        }
    }

    deinit { if let innerState { inner.xDelete(innerState) } }

    private static func api(_ connection: OpaquePointer) -> UnsafeMutablePointer<fts5_api>? {
        var prepared: OpaquePointer?
        var api: UnsafeMutablePointer<fts5_api>?
        guard sqlite3_prepare_v2(connection, "SELECT fts5(?1)", -1, &prepared, nil) == SQLITE_OK
        else { return nil }
        defer { sqlite3_finalize(prepared) }
        withUnsafeMutablePointer(to: &api) { place in
            _ = sqlite3_bind_pointer(prepared, 1, place, "fts5_api_ptr", nil)
            _ = sqlite3_step(prepared)
        }
        return api
    }

    private func split(
        _ text: UnsafeBufferPointer<CChar>, _ flags: Int32, _ context: UnsafeMutableRawPointer?,
        _ receive: @escaping Receiver
    ) -> Int32 {
        text.withMemoryRebound(to: UInt8.self) { bytes in
            var offset = 0
            while let (range, word) = find(bytes, offset) {
                var status = split(text, offset..<range.lowerBound, flags, context, receive)
                guard status == SQLITE_OK else { return status }
                status = word.withUnsafeBytes { buffer in
                    receive(
                        context, 0, buffer.baseAddress?.assumingMemoryBound(to: CChar.self),
                        Int32(buffer.count), Int32(range.lowerBound), Int32(range.upperBound))
                }
                guard status == SQLITE_OK else { return status }
                offset = range.upperBound
            }
            return split(text, offset..<bytes.count, flags, context, receive)
        }
    }

    /// Splits a part of a text; what ends a word of `unicode61` stands around it.
    private func split(
        _ text: UnsafeBufferPointer<CChar>, _ part: Range<Int>, _ flags: Int32,
        _ context: UnsafeMutableRawPointer?, _ receive: @escaping Receiver
    ) -> Int32 {
        guard !part.isEmpty, let start = text.baseAddress else { return SQLITE_OK }
        var relay = Relay(context: context, receive: receive, offset: Int32(part.lowerBound))
        return withUnsafeMutablePointer(to: &relay) { place in
            inner.xTokenize(
                innerState, place, flags, start + part.lowerBound, Int32(part.count)
            ) { place, flags, word, count, start, end in
                guard let relay = place?.assumingMemoryBound(to: Relay.self).pointee else {
                    return SQLITE_MISUSE
                }
                return relay.receive(
                    relay.context, flags, word, count, start + relay.offset, end + relay.offset)
            }
        }
    }
}
