// Lists of signers, and the ways in which bytes are written as text.

import CapsuleBytes
import Crypto

@testable import CapsuleCrypto

enum Texts {
    static let targets = [
        FuzzTarget("allowed-signers", signers) {
            let line = SSHPublicKey(ed25519: Signatures.publicPoint).line
            let text = """
                # a list
                ada@example.org namespaces="capsule.*,!git",valid-after="20260101" \(line) home
                "two words" cert-authority \(line)\r
                bob valid-before="202701011200Z" ssh-ed25519 AAAA
                """
            return [Array(text.utf8), Array("a namespaces=\"*a*c?*\" \(line)".utf8)]
        },
        FuzzTarget("namespace-pattern", pattern) {
            ["*", "capsule.*", "!git", "c*s*l?.c*", "*a*b*c*d*e*f*g*h*"].map { Array($0.utf8) }
        },
        FuzzTarget("text", text) {
            [Array("a\\b\u{1b}[0m\u{202e}ü".utf8), [255, 0, 65], Array("QUJD".utf8)]
        },
    ]

    static func signers(_ input: [UInt8]) throws(Finding) {
        let list = AllowedSigners(file: input)
        let lineCount = String(decoding: input, as: UTF8.self)
            .split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).count
        try require(
            list.signers.count + list.skippedLines.count <= lineCount
                && list.skippedLines.allSatisfy { (1...lineCount).contains($0) },
            "a line is a signer, or skipped, or nothing")
        for signer in list.signers {
            try require(list.mentions(signer.key), "a signer is mentioned")
            _ = list.signer(of: signer.key, now: "20260615120000")
            for date in [signer.validAfter, signer.validBefore].compactMap({ $0 }) {
                try require(
                    date.utf8.count == 14 && date.utf8.allSatisfy { (48...57).contains($0) },
                    "a date has 14 digits")
            }
        }
    }

    /// The input is a list of patterns, as `namespaces` has them, around the key's line.
    static func pattern(_ input: [UInt8]) throws(Finding) {
        let key = SSHPublicKey(ed25519: Signatures.publicPoint)
        let patterns = input.filter { $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "\"") }
        let option = "namespaces=\"\(String(decoding: patterns, as: UTF8.self))\""
        let list = AllowedSigners(file: Array("ada \(option) \(key.line)".utf8))
        let signer = list.signer(of: key, now: "20260615120000")
        let names = patterns.split(separator: UInt8(ascii: ","))
        let isAllowed =
            names.contains { matches($0, StatementNamespace.text) }
            && !names.contains {
                $0.first == UInt8(ascii: "!") && matches($0.dropFirst(), StatementNamespace.text)
            }
        try require((signer != nil) == isAllowed, "a key signs for the namespaces it is given")
    }

    /// Patterns of OpenSSH, by the set of places in the text to which a pattern can lead.
    private static func matches(_ pattern: ArraySlice<UInt8>, _ text: String) -> Bool {
        let text = Array(text.utf8)
        var places: Set<Int> = [0]
        for character in pattern {
            switch character {
            case UInt8(ascii: "*"):
                places = Set((places.min() ?? text.count + 1)..<max(text.count + 1, 0))
            default:
                places = Set(
                    places.filter {
                        $0 < text.count
                            && (character == UInt8(ascii: "?") || text[$0] == character)
                    }.map { $0 + 1 })
            }
            if places.isEmpty { return false }
        }
        return places.contains(text.count)
    }

    /// Nothing that a terminal obeys comes through, and what is written can be read again.
    static func text(_ input: [UInt8]) throws(Finding) {
        let string = String(decoding: input, as: UTF8.self)
        for shown in [Text.escaped(input), Text.tame(string)] {
            try require(
                shown.unicodeScalars.allSatisfy { $0 == "\n" || !isObeyed($0.value) },
                "a terminal has nothing to obey")
        }
        try require(!Text.escaped(input).contains("\n"), "an escaped name is one line")
        try require(Text.unhex(Text.hex(input)) == input, "hexadecimal can be read again")
        try require(Text.unbase64(Text.base64(input)) == input, "base64 can be read again")
        if let bytes = Text.unbase64(string) {
            try require(Text.base64(bytes) == string, "base64 has one form")
        }
        if let bytes = Text.unhex(string) {
            try require(Text.hex(bytes) == string.lowercased(), "hexadecimal has one form")
        }
    }

    private static func isObeyed(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0..<0x20, 0x7f..<0xa0, 0x200b...0x200f, 0x2028...0x202e, 0x2060...0x2064,
            0x2066...0x206f, 0xfeff:
            true
        default: false
        }
    }
}
