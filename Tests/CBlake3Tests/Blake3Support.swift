// What the BLAKE3 tests share: the kernels under test, the modes, and hashing in one call.

import CBlake3
import Testing

/// A kernel that this program and this processor have.
struct Kernel: CustomTestStringConvertible, Sendable {
    let number: CInt

    static let supported: [Kernel] = (0..<CInt(CBLAKE3_KERNEL_COUNT))
        .filter { cblake3_kernel_supported($0) == 1 }
        .map(Kernel.init(number:))

    static let portable = Kernel(number: CInt(CBLAKE3_KERNEL_PORTABLE))

    var name: String { String(cString: cblake3_kernel_name(number)) }

    var testDescription: String { name }

    /// Runs `body` with this kernel in use, then puts back the one that was.
    func use<Result>(_ body: () throws -> Result) rethrows -> Result {
        let before = cblake3_kernel_selected()
        #expect(cblake3_select_kernel(number) == 1)
        defer { _ = cblake3_select_kernel(before) }
        return try body()
    }
}

/// The three modes of the specification, with the key and the context of the official vectors.
enum Mode: CaseIterable, Sendable {
    case hash, keyedHash, deriveKey

    static let key = "whats the Elvish word for friend"
    static let context = "BLAKE3 2019-12-27 16:29:52 test vectors context"

    func makeHasher() -> cblake3_hasher {
        var hasher = cblake3_hasher()
        switch self {
        case .hash:
            cblake3_init(&hasher)
        case .keyedHash:
            cblake3_init_keyed(&hasher, Array(Self.key.utf8))
        case .deriveKey:
            var contextKey = [UInt8](repeating: 0, count: Int(CBLAKE3_KEY_LENGTH))
            let context = Array(Self.context.utf8)
            cblake3_derive_context_key(context, context.count, &contextKey)
            cblake3_init_derive_material(&hasher, contextKey)
        }
        return hasher
    }
}

/// The input of the official vectors: byte i is i % 251.
func patternedInput(_ length: Int) -> [UInt8] {
    (0..<length).map { UInt8($0 % 251) }
}

func output(of hasher: cblake3_hasher, length: Int = 32) -> [UInt8] {
    var hasher = hasher
    var bytes = [UInt8](repeating: 0, count: length)
    cblake3_finalize(&hasher, &bytes, length)
    return bytes
}

/// The output for the first `length` bytes of `input`, given at once.
func hashed(
    _ input: UnsafeRawBufferPointer, prefix length: Int, mode: Mode = .hash, outputLength: Int = 32
) -> [UInt8] {
    var hasher = mode.makeHasher()
    cblake3_update(&hasher, input.baseAddress, length)
    return output(of: hasher, length: outputLength)
}

func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in bytes {
        text.append(digits[Int(byte >> 4)])
        text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
}

/// A seeded generator (SplitMix64), so that a failure can be repeated.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
