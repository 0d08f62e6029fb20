import CapsuleBytes

/// A list of trusted signers in OpenSSH's `allowed_signers` format (ssh-keygen(1)).
public struct AllowedSigners: Sendable {
    /// One line: who may sign with which key, for what, and when.
    public struct Signer: Sendable {
        /// The principals, as written.
        public let principals: String
        /// The key.
        public let key: SSHPublicKey
        /// Patterns of namespaces; none allows all.
        public let namespaces: [String]
        /// `YYYYMMDDHHMMSS` in UTC from which on the key counts.
        public let validAfter: String?
        /// `YYYYMMDDHHMMSS` in UTC until which the key counts.
        public let validBefore: String?
    }

    /// The signers, in the order of the file.
    public let signers: [Signer]
    /// Lines that were not understood, counted from 1.
    public let skippedLines: [Int]

    /// Parses a file. Lines of other kinds of keys are skipped and counted.
    public init(file: [UInt8]) {
        var signers: [Signer] = []
        var skipped: [Int] = []
        let text = String(decoding: file, as: UTF8.self)
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (index, line) in lines.enumerated() {
            let fields = Self.fields(of: line)
            if fields.isEmpty || fields[0].hasPrefix("#") { continue }
            if let signer = Self.signer(fields) {
                signers.append(signer)
            } else {
                skipped.append(index + 1)
            }
        }
        self.signers = signers
        skippedLines = skipped
    }

    /// The signer of a key that may sign capsules at `now`, as `YYYYMMDDHHMMSS` in UTC.
    public func signer(of key: SSHPublicKey, now: String) -> Signer? {
        signers.first { signer in
            signer.key == key && Self.allows(signer.namespaces)
                && (signer.validAfter ?? now) <= now && now <= (signer.validBefore ?? now)
        }
    }

    /// Whether the key is in the list, valid now or not.
    public func mentions(_ key: SSHPublicKey) -> Bool { signers.contains { $0.key == key } }

    private static func allows(_ patterns: [String]) -> Bool {
        if patterns.isEmpty { return true }
        let isDenied = patterns.contains { pattern in
            pattern.hasPrefix("!")
                && Wildcard.matches(pattern.dropFirst(), StatementNamespace.text)
        }
        return !isDenied
            && patterns.contains { Wildcard.matches($0[...], StatementNamespace.text) }
    }

    /// Splits at white space outside double quotes.
    private static func fields(of line: Substring) -> [String] {
        var fields: [String] = [""]
        var isQuoted = false
        for character in line {
            if character == "\"" { isQuoted.toggle() }
            if character.isWhitespace && !isQuoted {
                if fields[fields.count - 1] != "" { fields.append("") }
            } else {
                fields[fields.count - 1].append(character)
            }
        }
        if fields.last == "" { fields.removeLast() }
        return fields
    }

    private static func signer(_ fields: [String]) -> Signer? {
        guard fields.count >= 3 else { return nil }
        let hasOptions = SSHPublicKey.Kind(rawValue: fields[1]) == nil
        let keyFields = hasOptions ? fields[2...] : fields[1...]
        guard keyFields.count >= 2,
            let key = try? SSHPublicKey(line: keyFields.joined(separator: " "))
        else { return nil }
        var namespaces: [String] = []
        var after: String?
        var before: String?
        for option in hasOptions ? split(options: fields[1]) : [] {
            let parts = option.split(separator: "=", maxSplits: 1)
            guard !parts.isEmpty else { return nil }
            let value = parts.count == 2 ? parts[1].filter { $0 != "\"" } : ""
            switch parts[0].lowercased() {
            case "namespaces" where namespaces.isEmpty:
                namespaces = value.split(separator: ",").map(String.init)
                // OpenSSH takes an empty list for one that no namespace is in.
                guard !namespaces.isEmpty else { return nil }
            case "valid-after" where after == nil:
                guard let date = SignerDate.normalized(value) else { return nil }
                after = date
            case "valid-before" where before == nil:
                guard let date = SignerDate.normalized(value) else { return nil }
                before = date
            default:
                // cert-authority and options yet to come change what a line means; OpenSSH refuses
                // an option that comes twice.
                return nil
            }
        }
        return Signer(
            principals: fields[0].filter { $0 != "\"" }, key: key, namespaces: namespaces,
            validAfter: after, validBefore: before)
    }

    private static func split(options: String) -> [String] {
        var parts: [String] = [""]
        var isQuoted = false
        for character in options {
            if character == "\"" { isQuoted.toggle() }
            if character == "," && !isQuoted {
                parts.append("")
            } else {
                parts[parts.count - 1].append(character)
            }
        }
        return parts.filter { !$0.isEmpty }
    }
}

/// Dates of `allowed_signers`: YYYYMMDD[HHMM[SS]] with an optional Z.
enum SignerDate {
    /// 14 digits, or nil. Times without Z are taken as UTC: the same file then means the same
    /// everywhere.
    static func normalized(_ text: String) -> String? {
        let digits = text.hasSuffix("Z") ? String(text.dropLast()) : text
        guard digits.allSatisfy({ $0.isASCII && $0.isNumber }), [8, 12, 14].contains(digits.count)
        else { return nil }
        return digits + String(repeating: "0", count: 14 - digits.count)
    }
}

/// Patterns with `*` and `?`, as OpenSSH has them.
enum Wildcard {
    /// Takes a time that grows with the product of both lengths: where nothing fits, only the last
    /// `*` takes another character.
    static func matches(_ pattern: Substring, _ text: String) -> Bool {
        let (pattern, text) = (Array(pattern.utf8), Array(text.utf8))
        var (place, position) = (0, 0)
        var star: (place: Int, position: Int)?
        while position < text.count {
            let next = place < pattern.count ? pattern[place] : nil
            if next == UInt8(ascii: "*") {
                star = (place, position)
                place += 1
            } else if next == UInt8(ascii: "?") || next == text[position] {
                place += 1
                position += 1
            } else if let last = star {
                star = (last.place, last.position + 1)
                (place, position) = (last.place + 1, last.position + 1)
            } else {
                return false
            }
        }
        return pattern[place...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
