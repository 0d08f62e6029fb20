import CapsuleAccess
import CapsuleSystem
import Glibc

/// What is piped into a verb.
enum StandardInput {
    private static let pieceLength = 1 << 20
    /// Bytes of one value at most.
    private static let lengthMax = 8 << 20

    /// Returns when there is something to read, or the end.
    static func waitForData() throws(AccessError) {
        var one = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
        while poll(&one, 1, -1) < 0 {
            guard errno == EINTR else {
                throw AccessError(SystemError.last("read", "standard input"))
            }
        }
    }

    private static func piece() throws(AccessError) -> [UInt8] {
        while true {
            var count = 0
            let piece = [UInt8](unsafeUninitializedCapacity: pieceLength) { buffer, filled in
                count = Glibc.read(0, buffer.baseAddress, pieceLength)
                filled = max(0, count)
            }
            if count >= 0 { return piece }
            if errno != EINTR { throw AccessError(SystemError.last("read", "standard input")) }
        }
    }

    private static var tooLong: AccessError {
        AccessError(
            .usage, code: "limit_exceeded",
            "standard input: a value has more than \(lengthMax >> 20) MiB; put it with 'capsule "
                + "run put' and refer to its URI")
    }

    /// All of it. Throws `AccessError` for more than 8 MiB.
    static func all() throws(AccessError) -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            let piece = try piece()
            if piece.isEmpty { return bytes }
            bytes += piece
            guard bytes.count <= lengthMax else { throw tooLong }
        }
    }

    /// Hands over each line without its end.
    static func forEachLine(_ body: ([UInt8]) throws -> Void) throws {
        var rest: [UInt8] = []
        while true {
            let piece = try piece()
            if piece.isEmpty { break }
            var start = 0
            while let end = piece[start...].firstIndex(of: 10) {
                try body(rest + piece[start..<end])
                rest = []
                start = end + 1
            }
            rest += piece[start...]
            guard rest.count <= lengthMax else { throw tooLong }
        }
        if !rest.isEmpty { try body(rest) }
    }
}
