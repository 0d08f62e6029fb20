/// Our own rule file, in the schema that users write theirs in.
enum StandardRules {
    /// The file, in parts by subject.
    static let text = [
        cloud, code, services, models, tokens, tokensToZ, money, keys, assignments, phrases,
        commands,
        shapes,
        names,
    ].joined(
        separator: "\n")

    /// The rules of the file, which tests show to be sound.
    static let parsed: RuleFileParser.Result = {
        do {
            var result = try RuleFileParser(base: nil).parse(Array(text.utf8))
            for place in result.rules.indices { localize(&result.rules[place]) }
            return result
        } catch {
            preconditionFailure("the standard rules: \(error)")
        }
    }()

    /// Rules that span lines, with the bytes before and after the keyword that they may take.
    private static let longRules: [String: (before: Int, after: Int)] = [
        "private-key": (64, 24_576),
        "pgp-private-key": (64, 24_576),
        "openvpn-static-key": (64, 4096),
        "putty-private-key": (64, 16_384),
        "netrc-password": (256, 512),
        "named-value": (160, 256),
    ]

    /// Rules of one line whose values may be long.
    private static let longValues: Set<String> = [
        "generic-random", "generic-env-random", "generic-secret", "spoken-token", "bearer-header",
    ]

    /// Rules whose keyword is a part of the name that the secret is assigned to.
    private static let namedRules: Set<String> = [
        "azure-storage-key", "wireguard-key", "number-list-secret", "digits-key",
        "garbled-password",
    ]

    /// Rules whose findings give way to others.
    private static let vagueRules: Set<String> = [
        "spoken-token", "letters-password", "prefixed-token", "mixed-token",
        "garbled-password", "digits-key", "service-key",
        "spoken-password",
    ]

    /// Where the keywords of rules that take any service's tokens must stand.
    private static let keywordPlaces: [String: RedactionRule.KeywordPlace] = [
        "spoken-token": .beforeToken, "mixed-token": .tokenRun,
        "prefixed-token": .tokenRun, "service-key": .serviceName,
    ]

    /// What no pattern can say of the values of rules.
    private static let checks: [String: @Sendable (UnsafeBufferPointer<UInt8>) -> Bool] = [
        "letters-password": { Randomness.bitsPerPair($0) >= 4.9 },
        "generic-random": { Randomness.looksRandom($0) },
        "generic-env-random": { Randomness.looksRandom($0, isQuoted: false) },
        "jwt": { isSigned($0) },
        "spoken-password": { TokenShape.isStrong($0) },
        "spoken-token": { TokenShape.isSpoken($0) },
        "prefixed-token": { TokenShape.isPrefixed($0) },
        "mixed-token": { TokenShape.isMixed($0) },
        "garbled-password": { TokenShape.isGarbled($0) },
        "generic-secret": { Randomness.bitsPerPair($0) >= 2.9 },
        "generic-env-password": { hasDigit($0) },
        "generic-config-secret": { hasTurn($0) },
        "number-list-secret": { !isCount($0) },
        "setter-secret": { Randomness.bitsPerPair($0) >= 2.9 },
        "generic-env-secret": { Randomness.bitsPerPair($0) >= 3.8 },
        "twitter-key": { Randomness.looksRandom($0) },
        "linkedin-key": { Randomness.looksRandom($0) },
        "discord-secret": { Randomness.looksRandom($0) },
        "private-key": { PrivateKeyText.isPlausible($0) },
    ]

    /// Whether a password without quotes differs from a name.
    @Sendable
    private static func hasDigit(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
        value.contains(where: ASCII.isDigit)
            || value.contains { $0 == UInt8(ascii: "!") || $0 == UInt8(ascii: "~") || $0 >= 0x80 }
    }

    /// Whether a digit or a sign stands within a word, as in no name.
    @Sendable
    private static func hasTurn(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
        guard value.count > 2 else { return false }
        return (1..<value.count - 1).contains { place in
            !ASCII.isLetter(value[place]) && value[place] != UInt8(ascii: "_")
                && value[place] != UInt8(ascii: "-") && value[place] != UInt8(ascii: ".")
                && value[place] != UInt8(ascii: "/")
                && ASCII.isLetter(value[place - 1]) && ASCII.isLetter(value[place + 1])
        }
    }

    /// Whether numbers go up or down by one, or stay as they are, as they do in a test.
    @Sendable
    private static func isCount(_ list: UnsafeBufferPointer<UInt8>) -> Bool {
        let numbers = list.split(separator: UInt8(ascii: ",")).compactMap { part in
            let digits = part.filter { ASCII.isHex($0) || $0 == UInt8(ascii: "x") }
            let text = String(decoding: digits, as: UTF8.self)
            return text.hasPrefix("0x") ? UInt64(text.dropFirst(2), radix: 16) : UInt64(text)
        }
        guard numbers.count > 1 else { return true }
        let steps = zip(numbers, numbers.dropFirst()).count { first, second in
            first > second ? first - second <= 1 : second - first <= 1
        }
        return steps * 2 > numbers.count
    }

    /// Whether a JSON Web Token has a signature, or is encrypted.
    @Sendable
    private static func isSigned(_ token: UnsafeBufferPointer<UInt8>) -> Bool {
        let parts = token.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return parts.count > 3 || parts.count == 3 && parts[2].count >= 10
    }

    /// Every rule of ours matches at its keyword, so it need not look further.
    private static func localize(_ rule: inout RedactionRule) {
        if let reach = longRules[rule.id] {
            rule.reach = .lines(before: reach.before, after: reach.after)
        } else {
            rule.reach = .line(before: 128, after: longValues.contains(rule.id) ? 1088 : 320)
        }
        if rule.id.hasPrefix("generic-") { rule.rank = .generic }
        rule.check = checks[rule.id]
        if vagueRules.contains(rule.id) { rule.rank = .vague }
        if rule.rank == .generic || namedRules.contains(rule.id) {
            rule.keywordPlace = .assignedName
        } else if let place = keywordPlaces[rule.id] {
            rule.keywordPlace = place
            if place == .serviceName { rule.keywords = ServiceKey.names }
        } else if let pattern = rule.pattern,
            RedactionRule.beginsWithKeywords(pattern.source, rule.keywords)
        {
            rule.keywordPlace = .wordStart
        }
    }
}
