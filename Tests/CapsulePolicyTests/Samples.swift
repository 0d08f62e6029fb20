// Secrets are put together here from parts, so that the sources hold none.

@testable import CapsulePolicy

/// Text that looks random, the same in every run.
func noise(_ count: Int, _ alphabet: String = alphanumerics, seed: UInt64 = 974) -> String {
    var state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
    let letters = Array(alphabet.utf8)
    let bytes = (0..<count).map { _ -> UInt8 in
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return letters[Int(state >> 33) % letters.count]
    }
    return String(decoding: bytes, as: UTF8.self)
}

let alphanumerics = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
let lowerHex = "0123456789abcdef"
let uppercase = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

/// The text after masking by the standard rules.
func masked(_ text: String, path: String? = nil) -> String {
    String(decoding: Redactor().mask(Array(text.utf8), path: path).bytes, as: UTF8.self)
}

/// The kinds of what is found, in the order of the text.
func kinds(_ text: String, path: String? = nil) -> [String] {
    Redactor().scan(Array(text.utf8), path: path).map(\.kind)
}

/// What is found, for tests alone.
func found(_ text: String) -> [String] {
    let bytes = Array(text.utf8)
    return Redactor().scan(bytes).map { String(decoding: bytes[$0.range], as: UTF8.self) }
}

let accessKey = "AKIA" + noise(16, uppercase)
let githubToken = "ghp" + "_" + noise(36)
let mail = "ada" + "@" + "corp.example.org"
