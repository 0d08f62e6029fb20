/// What tells a token of whatever service from names, numbers and digests: its prefix, and how
/// letters and digits mix in it.
enum TokenShape {
    /// The kinds of characters in a part of a value.
    private struct Mix {
        var (upper, lower, digits, turns) = (0, 0, 0, 0)
        var isHex = true

        init(_ part: Slice<UnsafeBufferPointer<UInt8>>) {
            var last: Bool?
            for byte in part {
                let isDigit = ASCII.isDigit(byte)
                if isDigit {
                    digits += 1
                } else if ASCII.isUpper(byte) {
                    upper += 1
                } else if ASCII.isLetter(byte) {
                    lower += 1
                }
                if let last, last != isDigit { turns += 1 }
                last = isDigit
                isHex = isHex && ASCII.isHex(byte)
            }
        }

        var isOfThreeKinds: Bool { upper > 1 && lower > 1 && digits > 1 && turns >= 4 }
        var isOfOneCase: Bool { (upper == 0 || lower == 0) && digits > 3 && turns >= 6 }
    }

    /// Parts of prefixes that say that what follows opens something.
    private static let tellingParts: Set<[UInt8]> = Set(
        [
            "key", "keys", "tok", "tkn", "token", "pat", "sk", "pk", "rk", "ak", "sec", "secret",
            "live", "test", "prod", "api", "apikey", "auth", "access", "bot", "oauth", "pass",
            "password", "whsec", "private", "pvt", "priv", "sandbox", "svc", "jwt", "cred",
            "refresh", "webhook", "pst", "ck", "cs", "at", "rt", "st", "pt", "ct",
        ].map { Array($0.utf8) })

    /// Parts of prefixes of what names something.
    private static let namingParts: Set<[UInt8]> = Set(
        [
            "id", "ids", "uuid", "guid", "sha", "sha1", "sha256", "sha512", "md5", "hash", "digest",
            "commit", "rev", "ref", "tag", "etag", "image", "img", "file", "asset", "chunk",
            "build",
            "job", "run", "task", "pod", "node", "vol", "snap", "container", "layer", "blob", "obj",
            "object", "req", "request", "res", "resp", "response", "msg", "message", "toolu",
            "tool",
            "call", "chatcmpl", "thread", "asst", "event", "evt", "trace", "span", "user", "usr",
            "org", "proj", "project", "cus", "sub", "price", "acct", "txn", "order", "item", "page",
            "session", "cursor", "batch", "version", "v1", "v2", "v3", "cache", "tmp", "temp",
            "test",
            "backup", "main", "index", "vendor", "style", "font", "icon", "logo", "bundle", "css",
            "js", "pub", "public", "checksum", "utf8", "base64", "data", "boundary", "lib", "linux",
            "part", "foo", "bar", "baz", "dummy", "fake", "srvtoolu", "wrun", "dep", "deploy",
            "dpl", "artifact",
        ].map { Array($0.utf8) })

    /// Whether a part is a word of one case, perhaps with a number: what no random value has.
    private static func isPrefixPart(_ part: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        let letters = part.filter(ASCII.isLetter)
        let capitals = letters.count(where: ASCII.isUpper)
        return part.count <= 12 && (capitals == 0 || capitals == letters.count)
            && part.count - letters.count <= 4
    }

    /// Whether a token begins with a prefix of its service, and goes on at random.
    @Sendable
    static func isPrefixed(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
        let parts = value.split { $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") }
        guard let main = parts.indices.max(by: { parts[$0].count < parts[$1].count }), main > 0
        else { return false }
        let prefix = parts[..<main].map { $0.map(ASCII.lowercased) }
        guard parts[..<main].allSatisfy(isPrefixPart),
            prefix.joined().count(where: ASCII.isLetter) > 1
        else { return false }
        let mix = Mix(parts[main])
        let length = parts[main].count
        if prefix.contains(where: tellingParts.contains) {
            return length >= 18 && (mix.isOfThreeKinds || mix.isOfOneCase)
        }
        if prefix.contains(where: namingParts.contains) { return false }
        if mix.isOfThreeKinds { return length >= 28 }
        // Names of files have small letters and hyphens.
        let isJoined =
            value[parts[main].startIndex - 1] == UInt8(ascii: "_")
            || parts[..<main].joined().allSatisfy(ASCII.isUpper)
        return mix.isOfOneCase && (isJoined ? length >= 32 : length >= 36 && !mix.isHex)
    }

    /// Whether a value mixes capitals, small letters and digits as only tokens do, or letters of
    /// one case and digits for longer than a digest does.
    @Sendable
    static func isMixed(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
        let mix = Mix(value[...])
        if mix.isOfOneCase, !mix.isHex, value.count >= 30, mix.turns >= 10 {
            return value.allSatisfy(ASCII.isAlphanumeric)
        }
        guard mix.upper > 2, mix.lower > 2, mix.digits > 2, mix.turns >= 5 else { return false }
        let slashes = value.count { $0 == UInt8(ascii: "/") }
        let isBase64 = value.contains(UInt8(ascii: "+")) || value.last == UInt8(ascii: "=")
        return (slashes == 0 || isBase64) && Randomness.bitsPerPair(value) >= 4.3
    }

    /// Whether groups of as many capitals and digits make a key, as they do for products.
    static func isOfGroups(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
        let groups = value.split(
            separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        return groups.count >= 3 && groups[0].count >= 4
            && groups.allSatisfy { group in
                let mix = Mix(group)
                return group.count == groups[0].count && mix.lower == 0
                    && mix.upper > 0 && mix.digits > 0
            }
    }

    /// Whether a value mixes kinds of characters as passwords do and words do not.
    @Sendable
    static func isStrong(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
        let mix = Mix(value[...])
        let signs = "!@#%^&*+?~".utf8
        // Words, versions, options and names of members end so, too.
        guard let last = value.last, last != UInt8(ascii: ":"), let first = value.first,
            ASCII.isAlphanumeric(first), !value.contains(UInt8(ascii: ".")),
            !value.contains(UInt8(ascii: "=")), !value.contains(UInt8(ascii: ":"))
        else { return false }
        let inner = value.dropLast().contains { signs.contains($0) }
        guard mix.digits > 0, mix.lower > 0 else { return false }
        return inner || mix.upper > 0 && mix.turns >= 2
    }

    /// Whether a value after the word for a token is one, even if it only goes through the letters.
    @Sendable
    static func isSpoken(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
        if value.count < 16 {
            let mix = Mix(value[...])
            return value.allSatisfy(ASCII.isAlphanumeric) && mix.turns >= 4 && mix.digits >= 3
                && mix.upper + mix.lower >= 3
        }
        if value.contains(where: ASCII.isDigit) { return isDense(value) }
        return value.count >= 20 && value.allSatisfy(ASCII.isLetter)
            && (Randomness.counts(value) || value.allSatisfy(ASCII.isHex)
                || Randomness.looksRandom(value, isQuoted: false))
    }

    /// Whether a value has as many digits and letters as no name has.
    @Sendable
    static func isDense(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
        if Randomness.looksRandom(value) || isOfGroups(value) { return true }
        guard value.count >= 16, value.allSatisfy(ASCII.isAlphanumeric) else { return false }
        let mix = Mix(value[...])
        return mix.digits >= 4 && mix.upper + mix.lower >= 4 && mix.turns >= 3
    }

    /// Whether signs stand in a value as in no code; a bracket closes that never opened, or there
    /// are many kinds of signs and no brackets.
    @Sendable
    static func isGarbled(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let first = value.first, ASCII.isAlphanumeric(first),
            !value.contains(UInt8(ascii: "\\"))
        else { return false }
        let ends = "\"'`,;:)]}>.".utf8
        let core = value[..<((value.lastIndex { !ends.contains($0) } ?? -1) + 1)]
        let kinds = Set(core.filter { $0 < 0x80 && $0 > 32 && !ASCII.isWord($0) })
        if kinds.isDisjoint(with: "()[]{}<>=".utf8) { return kinds.count >= 7 }
        return kinds.count >= 5 && kinds.isDisjoint(with: ",;".utf8) && isCrossed(core)
    }

    /// Whether a bracket closes that did not open last, other than in calls and links.
    private static func isCrossed(_ value: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        var open: [UInt8] = []
        var isCrossed = false
        var last: UInt8 = 0
        for byte in value {
            switch byte {
            case UInt8(ascii: "("):
                if ")]}".utf8.contains(last) { return false }
                open.append(UInt8(ascii: ")"))
            case UInt8(ascii: "["): open.append(UInt8(ascii: "]"))
            case UInt8(ascii: "{"): open.append(UInt8(ascii: "}"))
            case UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"):
                if open.popLast() != byte { isCrossed = true }
            case UInt8(ascii: "."):
                if last == UInt8(ascii: ")") || last == UInt8(ascii: "]") { return false }
            default: break
            }
            last = byte
        }
        return isCrossed
    }
}
