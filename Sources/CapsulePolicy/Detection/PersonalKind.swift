/// The personal data that is found by its shape; what needs context words is in `PersonalRules`.
enum PersonalKind: String, CaseIterable {
    case email = "EMAIL"
    case phone = "PHONE"
    case card = "PAYMENT_CARD"
    case iban = "IBAN"
    case ipv4 = "IPV4"
    case ipv6 = "IPV6"
    case codiceFiscale = "IT_CODICE_FISCALE"

    var ruleID: String {
        String(
            decoding: rawValue.utf8.map { $0 == 95 ? 45 : ASCII.lowercased($0) }, as: UTF8.self)
    }
}
