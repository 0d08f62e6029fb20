/// Finds numbers that carry their own proof: cards, bank accounts, international telephone numbers.
enum NumberDetector {
    private static func isWordBefore(_ text: UnsafeBufferPointer<UInt8>, _ start: Int) -> Bool {
        start > 0 && (ASCII.isWord(text[start - 1]) || text[start - 1] == 46)
    }

    private static func isWordAfter(_ text: UnsafeBufferPointer<UInt8>, _ end: Int) -> Bool {
        guard end < text.count else { return false }
        if ASCII.isWord(text[end]) { return true }
        return (text[end] == 46 || text[end] == 45) && end + 1 < text.count
            && ASCII.isAlphanumeric(text[end + 1])
    }

    // MARK: Cards

    /// The end of a card number that begins with `length` digits at `start`.
    static func card(_ text: UnsafeBufferPointer<UInt8>, at start: Int, _ length: Int) -> Int? {
        guard (51...54).contains(text[start]) || text[start] == 50, !isWordBefore(text, start)
        else { return nil }
        if start > 0, text[start - 1] == 45, start > 1, ASCII.isAlphanumeric(text[start - 2]) {
            return nil
        }
        var digits: [UInt8] = []
        var end = start
        if length == 4 {
            guard let grouped = groups(text, start) else { return nil }
            (digits, end) = grouped
        } else {
            end = start + length
            digits = Array(text[start..<end])
        }
        guard !isWordAfter(text, end), isIssued(digits), CheckDigits.luhn(digits) else {
            return nil
        }
        return end
    }

    /// Four groups of four digits, or of American Express and Diners 4-6-5 and 4-6-4.
    private static func groups(
        _ text: UnsafeBufferPointer<UInt8>, _ start: Int
    ) -> (digits: [UInt8], end: Int)? {
        let separator = start + 4 < text.count ? text[start + 4] : 0
        guard separator == 32 || separator == 45 else { return nil }
        var lengths: [Int] = []
        var digits: [UInt8] = []
        var index = start
        while lengths.count < 5 {
            let first = index
            while index < text.count, ASCII.isDigit(text[index]), index - first < 7 {
                digits.append(text[index])
                index += 1
            }
            lengths.append(index - first)
            guard index + 1 < text.count, text[index] == separator,
                ASCII.isDigit(text[index + 1]), lengths.count < 4
            else { break }
            index += 1
        }
        let isKnown = lengths == [4, 4, 4, 4] || lengths == [4, 6, 5] || lengths == [4, 6, 4]
        return isKnown ? (digits, index) : nil
    }

    /// Whether the prefix and the length are those of an issuer.
    private static func isIssued(_ digits: [UInt8]) -> Bool {
        let prefix = digits.prefix(4).reduce(0) { $0 * 10 + Int($1) - 48 }
        if digits.dropFirst(4).allSatisfy({ $0 == digits[4] }), digits[4] == 48 { return false }
        switch digits.count {
        case 14: return (3000...3059).contains(prefix) || [36, 38, 39].contains(prefix / 100)
        case 15: return prefix / 100 == 34 || prefix / 100 == 37
        case 16:
            return prefix / 1000 == 4 || (5100...5599).contains(prefix)
                || (2221...2720).contains(prefix) || prefix == 6011
                || (6440...6599).contains(prefix) || (3528...3589).contains(prefix)
                || prefix / 100 == 62
        default: return false
        }
    }

    // MARK: Accounts

    /// Lengths of IBANs by country, from the registry of ISO 13616.
    private static let ibanLengths: [String: Int] = [
        "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22,
        "BR": 29, "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28,
        "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23,
        "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26,
        "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20,
        "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30,
        "NL": 18, "NO": 15, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22,
        "SA": 24, "SC": 31, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "ST": 25, "SV": 28, "TL": 23,
        "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
    ]

    /// The end of an IBAN whose country code stands at `start`, in one piece or in groups of four.
    static func iban(_ text: UnsafeBufferPointer<UInt8>, at start: Int) -> Int? {
        guard !isWordBefore(text, start), ASCII.isUpper(text[start] & ~32) else { return nil }
        let country = String(
            decoding: [text[start] & ~32, text[start + 1] & ~32], as: UTF8.self)
        guard let length = ibanLengths[country] else { return nil }
        var bytes: [UInt8] = []
        var index = start
        let isSpaced =
            start + 4 < text.count && (text[start + 4] == 32 || text[start + 4] == 45)
        let separator = isSpaced ? text[start + 4] : 0
        while bytes.count < length, index < text.count {
            if isSpaced, !bytes.isEmpty, bytes.count.isMultiple(of: 4), text[index] == separator,
                text[index - 1] != separator
            {
                index += 1
                continue
            }
            guard ASCII.isAlphanumeric(text[index]) else { return nil }
            bytes.append(ASCII.isLetter(text[index]) ? text[index] & ~32 : text[index])
            index += 1
        }
        guard bytes.count == length, index == text.count || !ASCII.isWord(text[index]),
            CheckDigits.iban(bytes)
        else { return nil }
        return index
    }

    /// The end of an Italian codice fiscale that begins at `start`.
    static func codiceFiscale(_ text: UnsafeBufferPointer<UInt8>, at start: Int) -> Int? {
        guard start >= 0, start + 16 <= text.count, !isWordBefore(text, start),
            !isWordAfter(text, start + 16)
        else { return nil }
        let bytes = text[start..<start + 16].map { ASCII.isLetter($0) ? $0 & ~32 : $0 }
        for (place, byte) in bytes.enumerated() {
            let isLetterPlace = place < 6 || place == 8 || place == 11 || place == 15
            guard ASCII.isLetter(byte) == isLetterPlace, ASCII.isAlphanumeric(byte) else {
                return nil
            }
        }
        return CheckDigits.codiceFiscale(bytes) ? start + 16 : nil
    }

    // MARK: Telephones

    /// The end of an international number (E.164) whose `+` stands at `plus`.
    static func phone(_ text: UnsafeBufferPointer<UInt8>, plus: Int) -> Int? {
        if plus > 0, ASCII.isWord(text[plus - 1]) || text[plus - 1] == 46 { return nil }
        var digits: [Int] = []
        var end = plus + 1
        var index = plus + 1
        while index < text.count, digits.count < 16 {
            let byte = text[index]
            if ASCII.isDigit(byte) {
                digits.append(Int(byte) - 48)
                index += 1
                end = index
            } else if " -.()/".utf8.contains(byte), index - end < 2 {
                index += 1
            } else {
                break
            }
        }
        guard end == text.count || !ASCII.isWord(text[end]), isSubscriber(digits) else {
            return nil
        }
        return end
    }

    /// The end of a North American number written as `(212) 555-0123`, from its area code.
    static func areaCode(_ text: UnsafeBufferPointer<UInt8>, at start: Int) -> Int? {
        var index = start + 3
        guard index + 9 < text.count, text[index] == UInt8(ascii: ")"), text[start] > 49 else {
            return nil
        }
        index += 1
        if text[index] == 32 { index += 1 }
        guard index + 8 <= text.count, text[index] > 49,
            text[index + 3] == 45
                || text[index + 3] == 46 || text[index + 3] == 32
        else { return nil }
        let digits = Array(text[index..<index + 3]) + text[index + 4..<index + 8]
        guard digits.allSatisfy(ASCII.isDigit) else { return nil }
        let end = index + 8
        return end < text.count && ASCII.isWord(text[end]) ? nil : end
    }

    /// Whether the digits begin with a country's code and are as many as it has.
    private static func isSubscriber(_ digits: [Int]) -> Bool {
        guard digits.count >= 9, digits.count <= 15, !digits.allSatisfy({ $0 == digits[0] })
        else { return false }
        let two = digits[0] * 10 + digits[1]
        switch digits[0] {
        case 1: return digits.count == 11 && digits[1] >= 2 && digits[4] >= 2
        case 7: return digits.count == 11
        case 2: return [20, 27].contains(two) || [21, 22, 23, 24, 25, 26, 29].contains(two)
        case 3, 4, 5, 6, 9: return true
        case 8: return two != 83 && two != 89
        default: return false
        }
    }
}
