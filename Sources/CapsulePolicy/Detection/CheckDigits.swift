/// The check digits of numbers that name people and accounts. Each takes digits, or digits and
/// upper-case letters, without separators.
enum CheckDigits {
    private static func digits(_ bytes: [UInt8]) -> [Int] { bytes.map { Int($0) - 48 } }

    private static func sum(_ values: some Sequence<Int>, _ weights: [Int]) -> Int {
        zip(values, weights).reduce(0) { $0 + $1.0 * $1.1 }
    }

    private static func isOneDigit(_ bytes: [UInt8]) -> Bool {
        bytes.allSatisfy { $0 == bytes.first }
    }

    /// Luhn's sum, of payment cards.
    static func luhn(_ bytes: [UInt8]) -> Bool {
        var total = 0
        for (place, digit) in digits(bytes).reversed().enumerated() {
            let value = place.isMultiple(of: 2) ? digit : digit * 2
            total += value > 9 ? value - 9 : value
        }
        return total.isMultiple(of: 10)
    }

    /// The remainder by 97 that an IBAN (ISO 13616) has, four characters moved to its end.
    static func iban(_ bytes: [UInt8]) -> Bool {
        var remainder = 0
        for byte in bytes[4...] + bytes[..<4] {
            if ASCII.isDigit(byte) {
                remainder = (remainder * 10 + Int(byte) - 48) % 97
            } else {
                remainder = (remainder * 100 + Int(byte) - 55) % 97
            }
        }
        return remainder == 1
    }

    /// The German tax number: ISO 7064, MOD 11,10, and one digit that stands there twice or thrice.
    static func steuerID(_ bytes: [UInt8]) -> Bool {
        let values = digits(bytes)
        guard values.count == 11, values[0] != 0 else { return false }
        let repeated = Dictionary(grouping: values.dropLast(), by: { $0 }).values.map(\.count)
        guard repeated.count(where: { $0 > 1 }) == 1, repeated.allSatisfy({ $0 <= 3 }) else {
            return false
        }
        var product = 10
        for digit in values.dropLast() {
            let sum = (digit + product) % 10
            product = (sum == 0 ? 10 : sum) * 2 % 11
        }
        return (11 - product) % 10 == values[10]
    }

    /// The French social security number: 97 less the remainder, Corsica's letters as digits.
    static func insee(_ bytes: [UInt8]) -> Bool {
        guard bytes.count == 15 else { return false }
        var number = 0
        for (place, byte) in bytes.prefix(13).enumerated() {
            switch byte {
            case UInt8(ascii: "A") where place == 6: number = number * 10
            case UInt8(ascii: "B") where place == 6: number = number * 10
            case _ where ASCII.isDigit(byte): number = number * 10 + Int(byte) - 48
            default: return false
            }
        }
        if bytes[6] == UInt8(ascii: "A") { number -= 1_000_000 }
        if bytes[6] == UInt8(ascii: "B") { number -= 2_000_000 }
        guard ASCII.isDigit(bytes[13]), ASCII.isDigit(bytes[14]), (49...50).contains(bytes[0])
        else { return false }
        return 97 - number % 97 == Int(bytes[13] - 48) * 10 + Int(bytes[14]) - 48
    }

    /// The Dutch number of citizens: the test of eleven.
    static func bsn(_ bytes: [UInt8]) -> Bool {
        let values = digits(bytes)
        guard values.count == 9, !isOneDigit(bytes) else { return false }
        return sum(values, [9, 8, 7, 6, 5, 4, 3, 2, -1]).isMultiple(of: 11)
    }

    /// The letter of a Spanish DNI, or NIE.
    static func dni(_ bytes: [UInt8]) -> Bool {
        guard bytes.count == 9 else { return false }
        var body = Array(bytes.prefix(8))
        if let place = [UInt8]("XYZ".utf8).firstIndex(of: body[0]) { body[0] = UInt8(48 + place) }
        guard body.allSatisfy(ASCII.isDigit) else { return false }
        let number = digits(body).reduce(0) { $0 * 10 + $1 }
        return Array("TRWAGMYFPDXBNJZSQVHLCKE".utf8)[number % 23] == bytes[8]
    }

    /// The letter at the end of an Italian codice fiscale.
    static func codiceFiscale(_ bytes: [UInt8]) -> Bool {
        guard bytes.count == 16 else { return false }
        let odd = [
            1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25,
            24, 23,
        ]
        var total = 0
        for (place, byte) in bytes.prefix(15).enumerated() {
            let value = ASCII.isDigit(byte) ? Int(byte) - 48 : Int(byte) - 65
            guard odd.indices.contains(value) else { return false }
            total += place.isMultiple(of: 2) ? odd[value] : value
        }
        return Int(bytes[15]) - 65 == total % 26
    }

    /// The Polish PESEL.
    static func pesel(_ bytes: [UInt8]) -> Bool {
        let values = digits(bytes)
        guard values.count == 11, !isOneDigit(bytes) else { return false }
        return sum(values, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]).isMultiple(of: 10)
    }

    /// The Brazilian CPF: two digits, each by eleven.
    static func cpf(_ bytes: [UInt8]) -> Bool {
        let values = digits(bytes)
        guard values.count == 11, !isOneDigit(bytes) else { return false }
        for length in 9...10 {
            let total = sum(values.prefix(length), Array((2...length + 1).reversed()))
            guard total * 10 % 11 % 10 == values[length] else { return false }
        }
        return true
    }

    /// The Indian Aadhaar number: Verhoeff's sum.
    static func aadhaar(_ bytes: [UInt8]) -> Bool {
        let values = digits(bytes)
        guard values.count == 12, values[0] >= 2 else { return false }
        var state = 0
        for (place, digit) in values.reversed().enumerated() {
            state = dihedral(state, permuted(digit, place))
        }
        return state == 0
    }

    /// The product in the group of the symmetries of a pentagon.
    private static func dihedral(_ left: Int, _ right: Int) -> Int {
        switch (left < 5, right < 5) {
        case (true, true): (left + right) % 5
        case (true, false): (left + right - 5) % 5 + 5
        case (false, true): (left - 5 - right + 5) % 5 + 5
        case (false, false): (left - right + 5) % 5
        }
    }

    private static func permuted(_ digit: Int, _ times: Int) -> Int {
        let once = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]
        return (0..<times % 8).reduce(digit) { value, _ in once[value] }
    }

    /// The Canadian social insurance number.
    static func sin(_ bytes: [UInt8]) -> Bool {
        bytes.count == 9 && bytes[0] != 48 && bytes[0] != 56 && luhn(bytes)
    }

    /// The number of the British health service.
    static func nhs(_ bytes: [UInt8]) -> Bool {
        let values = digits(bytes)
        guard values.count == 10, !isOneDigit(bytes) else { return false }
        let check = 11 - sum(values.prefix(9), [10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11
        return check % 11 == values[9] && check != 10
    }

    /// The Belgian national number.
    static func belgian(_ bytes: [UInt8]) -> Bool {
        let values = digits(bytes)
        guard values.count == 11 else { return false }
        let number = values.prefix(9).reduce(0) { $0 * 10 + $1 }
        let check = values[9] * 10 + values[10]
        return 97 - number % 97 == check || 97 - (2_000_000_000 + number) % 97 == check
    }

    /// The ranges that US social security numbers are taken from.
    static func ssn(_ bytes: [UInt8]) -> Bool {
        let values = digits(bytes)
        guard values.count == 9, !isOneDigit(bytes) else { return false }
        let number = values.reduce(0) { $0 * 10 + $1 }
        let (area, group, serial) = (number / 1_000_000, number / 10_000 % 100, number % 10_000)
        return area != 0 && area != 666 && area < 900 && group != 0 && serial != 0
    }
}
