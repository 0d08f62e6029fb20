// Masking that leaves JSON what it is.

import Testing

@testable import CapsulePolicy

@Suite("JSON")
struct JSONTests {
    private func masked(_ text: String) -> String {
        let bytes = Redactor().maskJSON(Array(text.utf8)).bytes
        bytes.withUnsafeBufferPointer { #expect(JSONTokens($0) != nil, "\(text)") }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test("keys and values are masked")
    func strings() {
        #expect(masked("{\"\(mail)\": [\"\(mail)\", 1]}") == "{\"[EMAIL:1]\": [\"[EMAIL:1]\", 1]}")
        let secret = "hunter" + "2horse"
        #expect(
            masked("{\"password\": \"\(secret)\", \"n\": null}")
                == "{\"password\": \"[GENERIC_PASSWORD:1]\", \"n\": null}")
        #expect(masked("\"\\u0041da: ada\\u0040corp.example.org\"") == "\"\\u0041da: [EMAIL:1]\"")
    }

    @Test("a number becomes a string")
    func numbers() {
        #expect(masked("{\"card\":4111111111111111}") == "{\"card\":\"[PAYMENT_CARD:1]\"}")
        #expect(masked("[4111111111111111 , -1.5e3]") == "[\"[PAYMENT_CARD:1]\" , -1.5e3]")
        #expect(masked("{\"n\":\"4111111111111111\"}") == "{\"n\":\"[PAYMENT_CARD:1]\"}")
    }

    @Test("a finding over many strings is masked in each")
    func many() {
        let text = "{\"tokens\": [\"\(noise(12))\", \"\(noise(12, seed: 5))\"], \"a\": true}"
        #expect(
            masked(text)
                == "{\"tokens\": [\"[TOKEN_LIST:1]\", \"[TOKEN_LIST:1]\"], \"a\": true}")
    }

    @Test("an encoded string within a string stays one")
    func nested() {
        let secret = "hunter" + "2horse"
        let inner = "{\\\"password\\\": \\\"\(secret)\\\", \\\"a\\\": 1}"
        #expect(
            masked("{\"log\": \"\(inner)\"}")
                == "{\"log\": \"{\\\"password\\\": \\\"[GENERIC_PASSWORD:1]\\\", \\\"a\\\": 1}\"}")
        let armor =
            "-----BEGIN " + "RSA PRIVATE KEY-----\\n" + noise(64) + "\\n-----END "
            + "RSA PRIVATE KEY-----\\n"
        #expect(masked("{\"k\":\"\(armor)\"}") == "{\"k\":\"[PRIVATE_KEY:1]\\n\"}")
    }

    @Test(
        "what is no JSON is masked as text",
        arguments: ["{", "[1,]", "{1:2}", "nul", "\"a", "1 2", ""])
    func others(text: String) {
        let result = Redactor().maskJSON(Array("\(text) \(mail)".utf8))
        #expect(String(decoding: result.bytes, as: UTF8.self) == "\(text) [EMAIL:1]")
        Array(text.utf8).withUnsafeBufferPointer { #expect(JSONTokens($0) == nil) }
    }

    @Test(
        "documents are read",
        arguments: ["{}", " [ ] ", "-1.5e+3", "\"\\\"\"", "[[],{\"a\":[null]}]", "true"])
    func documents(text: String) {
        Array(text.utf8).withUnsafeBufferPointer { #expect(JSONTokens($0) != nil) }
    }

    @Test("random documents stay JSON and have no finding afterwards")
    func random() {
        let values = [
            "\"\(mail)\"", "4111111111111111", "\"a\\\\\"", "\"\\u0040\\n\(accessKey)\"", "null",
            "\"x=\\\"\(githubToken)\\\"\"", "{\"token\":\"\(noise(24))\"}", "[\"10.1.2.3\",8]",
            "\"C:\\\\Users\\\\ada\"", "\"\\\\\\u0041\(mail)\\\\\"", "\"%40\"", "-0.5",
        ]
        for seed in 1...300 {
            let picks = Array(noise(6, "abcdefghijkl", seed: UInt64(seed)).utf8)
            let body = picks.map { values[Int($0) - 97] }
            let text = "{\"list\":[\(body.joined(separator: ","))],\"k\":\(body[0])}"
            let bytes = Redactor().maskJSON(Array(text.utf8)).bytes
            bytes.withUnsafeBufferPointer { #expect(JSONTokens($0) != nil, "seed \(seed)") }
            #expect(Redactor().scan(bytes).isEmpty, "seed \(seed)")
        }
    }
}
