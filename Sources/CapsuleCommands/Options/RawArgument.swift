import Glibc

/// Arguments of the command line that are not UTF-8, as names on Linux may be: while they are
/// texts, each byte that cannot be decoded is a character of the private use area U+10FF00 to
/// U+10FFFF, which no name has by chance.
enum RawArgument {
    private static let base: UInt32 = 0x10_ff00

    /// The arguments behind the program's name.
    static var all: [String] {
        (1..<max(1, Int(CommandLine.argc))).compactMap { index in
            CommandLine.unsafeArgv[index].map { pointer in
                text(UnsafeRawBufferPointer(start: pointer, count: strlen(pointer)))
            }
        }
    }

    /// Bytes as a text from which `bytes(of:)` gets them back.
    static func text(_ bytes: UnsafeRawBufferPointer) -> String {
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        var text = String.UnicodeScalarView()
        var decoder = Unicode.UTF8.ForwardParser()
        var rest = bytes[...]
        var input = rest.makeIterator()
        while let first = rest.first {
            switch decoder.parseScalar(from: &input) {
            case .valid(let encoded):
                text.append(Unicode.UTF8.decode(encoded))
                rest = rest.dropFirst(encoded.count)
            case .error, .emptyInput:
                if let scalar = Unicode.Scalar(base + UInt32(first)) { text.append(scalar) }
                rest = rest.dropFirst()
                // The parser may have read on.
                decoder = Unicode.UTF8.ForwardParser()
                input = rest.makeIterator()
            }
        }
        return String(text)
    }

    /// The bytes that a text stands for.
    static func bytes(of text: some StringProtocol) -> [UInt8] {
        text.unicodeScalars.reduce(into: []) { bytes, scalar in
            if let byte = UInt8(exactly: Int64(scalar.value) - Int64(base)) {
                bytes.append(byte)
            } else {
                bytes += Array(String(scalar).utf8)
            }
        }
    }

    /// Hands the bytes of a path to `body`, with a NUL behind them.
    static func withPath<Result>(
        _ text: String, _ body: (UnsafePointer<CChar>) -> Result
    ) -> Result {
        withPath(bytes(of: text), body)
    }

    /// Hands a path to `body`, with a NUL behind it.
    static func withPath<Result>(
        _ bytes: [UInt8], _ body: (UnsafePointer<CChar>) -> Result
    ) -> Result {
        let path = bytes.map { CChar(bitPattern: $0) } + [0]
        return path.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { preconditionFailure("it has a NUL") }
            return body(base)
        }
    }
}
