/// Personal data that is recognised only beside a word that says what it is, and home directories.
enum PersonalRules {
    /// All of them, as rules that know their kind.
    static let all: [RedactionRule] = national + cards + phones + places

    private static func rule(
        _ id: String, _ keywords: [String], _ pattern: String,
        reach: RedactionRule.Reach = .line(before: 40, after: 72),
        _ check: (@Sendable ([UInt8]) -> Bool)? = nil
    ) -> RedactionRule {
        var rule = RedactionRule(id: id)
        rule.keywords = keywords.map { Array($0.utf8) }
        rule.reach = reach
        rule.rank = .personal
        rule.keywordPlace = .wholeWord
        if let check {
            rule.check = { value in
                check(value.filter(ASCII.isAlphanumeric).map(upper))
            }
        }
        do {
            rule.pattern = try RegularExpression(pattern)
        } catch {
            preconditionFailure("rule \(id): \(error.reason)")
        }
        return rule
    }

    private static func upper(_ byte: UInt8) -> UInt8 { ASCII.isLetter(byte) ? byte & ~32 : byte }

    private static let national = [
        rule(
            "us-ssn", ["ssn", "social security", "social_security", "socialsecurity"],
            #"\b(\d{3}-\d{2}-\d{4}|\d{3} \d{2} \d{4}|\d{9})\b"#, CheckDigits.ssn),
        rule(
            "uk-nino", ["nino", "national insurance", "ni number", "ni no"],
            #"(?i)\b([ABCEGHJ-PRSTW-Z][ABCEGHJ-NPRSTW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D])\b"#),
        rule(
            "uk-nhs-number", ["nhs"], #"\b(\d{3}[ -]?\d{3}[ -]?\d{4})\b"#, CheckDigits.nhs),
        rule(
            "de-steuer-id",
            ["steuer", "idnr", "tin", "tax id", "tax_id", "taxid", "identifikationsnummer"],
            #"\b(\d{2} ?\d{3} ?\d{3} ?\d{3})\b"#, CheckDigits.steuerID),
        rule(
            "fr-insee",
            ["insee", "securite sociale", "sécurité sociale", "secu", "nir", "sociale"],
            #"(?i)\b([12] ?\d{2} ?\d{2} ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2})\b"#,
            CheckDigits.insee),
        rule(
            "nl-bsn", ["bsn", "burgerservice", "sofinummer"], #"\b(\d{4}[ .]?\d{2}[ .]?\d{3})\b"#,
            CheckDigits.bsn),
        rule(
            "es-dni", ["dni", "nie", "nif", "documento nacional"],
            #"(?i)\b(\d{8}[ -]?[A-Z]|[XYZ][ -]?\d{7}[ -]?[A-Z])\b"#, CheckDigits.dni),
        rule("pl-pesel", ["pesel"], #"\b(\d{11})\b"#, CheckDigits.pesel),
        rule(
            "br-cpf", ["cpf", "cadastro"], #"\b(\d{3}\.?\d{3}\.?\d{3}-?\d{2})\b"#,
            CheckDigits.cpf),
        rule(
            "in-aadhaar", ["aadhaar", "aadhar", "uidai", "uid"],
            #"\b(\d{4}[ -]?\d{4}[ -]?\d{4})\b"#,
            CheckDigits.aadhaar),
        rule(
            "ca-sin", ["sin", "social insurance", "nas "], #"\b(\d{3}[ -]?\d{3}[ -]?\d{3})\b"#,
            CheckDigits.sin),
        rule(
            "be-national-number", ["rijksregister", "registre national", "nrn", "insz", "niss"],
            #"\b(\d{2}\.?\d{2}\.?\d{2}[- ]?\d{3}[. ]?\d{2})\b"#, CheckDigits.belgian),
        rule(
            "passport-number", ["passport"],
            #"(?i)passport[ _-]?(?:number|no\.?|num|nr|#|id)?["']?\s{0,2}(?:is|[:=#])?"#
                + #"\s{0,2}["']?([A-Z]{1,2}\d{6,8}|\d{9})\b"#
        ),
    ]

    /// Cards whose prefix is no proof: beside a word the sum is enough.
    private static let cards = [
        rule(
            "payment-card",
            [
                "card", "visa", "mastercard", "maestro", "amex", "jcb", "diners", "credit", "debit",
                "cardnumber", "cc",
            ], #"\b(\d{12,19}|\d{4}(?:[ -]\d{4}){2,3}(?:[ -]\d{1,3})?)\b"#,
            { digits in
                (12...19).contains(digits.count) && CheckDigits.luhn(digits)
                    && !digits.allSatisfy { $0 == digits[0] }
            })
    ]

    private static let phones = [
        rule(
            "phone",
            [
                "phone", "telefon", "téléphone", "tel:", "tel.", "tel ", "\"tel\"", "mobile",
                "cell", "fax", "handy", "whatsapp", "call me", "call us", "call ", "dial", "sms",
                "reach", "contact", "number is", "registered",
            ],
            #"(?:^|[^\w.+/-])((?:\+|00)?(?:\(\d{1,4}\)|\d{1,5})"#
                + #"(?:[ ./-]{1,3}\(?\d{1,8}\)?|\(\d{1,5}\)){1,6}|\+?\d{9,13})"#
                + #"(?:[ ,]*(?:x|ext\.?)[ .]?\d{1,6})?(?:$|[^\w./-]|[.,]\s|[.]$)"#,
            reach: .lines(before: 40, after: 64), phone)
    ]

    /// As many digits as a subscriber has, and no date or time.
    private static let phone: @Sendable ([UInt8]) -> Bool = { digits in
        (8...15).contains(digits.count) && !digits.allSatisfy { $0 == digits[0] }
            && !(digits.count == 8
                && (digits.starts(with: "19".utf8) || digits.starts(with: "20".utf8)))
    }

    private static let places = [
        rule(
            "home-directory", ["home/", "users/"],
            #"/(?:home|Users)/([\w.@\x80-\xff-]{1,64})"#,
            reach: .line(before: 8, after: 80)),
        rule(
            "home-directory", [":\\users\\", ":\\\\users\\", ":/users/", "documents and settings"],
            #"(?i)[A-Z]:[\\/]{1,2}(?:Users|Documents and Settings)[\\/]{1,2}"#
                + #"([^\\/:*?"<>|\r\n\t]{1,64})"#,
            reach: .line(before: 8, after: 96)),
        rule(
            "home-directory", ["~"], #"(?m)(?:^|[\s"'=:(,])~([a-z_][a-z0-9_-]{1,31})/"#,
            reach: .line(before: 4, after: 40)),
    ]
}
