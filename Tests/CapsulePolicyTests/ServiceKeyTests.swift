// Keys that the name of their service gives away, and passwords that commands and sentences do.

import Testing

@testable import CapsulePolicy

@Suite("Keys of services")
struct ServiceKeyTests {
    private static let base36 = "abcdefghijklmnopqrstuvwxyz0123456789"
    private static let uuid = "\(noise(8, lowerHex))-3f1c-4b7a-9c0d-\(noise(12, lowerHex))"

    @Test(
        "a key is found beside the name of its service",
        arguments: [
            "mixpanel(\"" + noise(32, lowerHex) + "\")", "codacy " + noise(20) + " end",
            "findl=" + uuid, "coda: \"" + uuid + "\"", "the wakatime and clockify " + noise(48),
            "html2pdf: " + noise(64, lowerHex), "Clockify.start('" + noise(48) + "')",
            "loadmill, " + noise(40, base36) + ", on", "budibase " + noise(32, lowerHex) + "-0a",
            "duply: A1B2C3D-E4F5G6H-I7J8K9L-" + "M1N2O3P",
        ])
    func keys(text: String) { #expect(kinds("a\n\(text)\nb") == ["SERVICE_KEY"]) }

    @Test(
        "what is no key of the service stays",
        arguments: [
            "mixpanel commit " + noise(40, lowerHex), "rollbar sha: " + noise(32, lowerHex),
            "uses: codecov/codecov-action@" + noise(40, lowerHex),
            "https://www.youtube.com/playlist?list=" + noise(24),
            "see mixpanel/" + noise(32, lowerHex) + ".js", "mixpanel.track('button-clicked-12')",
            "MIXPANEL_ID=" + noise(32, lowerHex), "github " + noise(40, lowerHex),
            "mixpanel_public: " + noise(32, lowerHex),
            "mixpanel " + "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx1",
            "gem 'rollbar', ref: '" + noise(40, lowerHex) + "'",
            "mixpanel\n" + noise(32, lowerHex), "a" + "0mixpanel " + noise(32, lowerHex),
            "the circle of " + noise(40, lowerHex), "Hm_jenkins_" + noise(32, lowerHex) + "=15",
        ])
    func harmless(text: String) { #expect(kinds("a\n\(text)\nb").isEmpty) }

    @Test(
        "signs that stand between the word for a key and the key",
        arguments: [
            "| acme key | " + noise(32, lowerHex) + " |", "acme_key -> " + noise(32, lowerHex),
            "acme apikey `" + noise(32, lowerHex) + "`", "acme(secret): " + noise(32, lowerHex),
            "acme_key[\"x\"] = \"" + noise(32, lowerHex) + "\"",
            "acme key " + "abcdefabcdefabcdefabcdef",
            "acme token " + "abcdefghijklmnopqrstuvwx", "acme key " + noise(32, base36),
        ])
    func separators(text: String) { #expect(kinds("a\n\(text)\nb").count == 1) }

    @Test("names of parts of keys stay")
    func words() {
        #expect(kinds("the key abstractAuthenticationProviderFactory").isEmpty)
        #expect(kinds("<key>com.example.abstractAuthenticationProvider</key>").isEmpty)
        #expect(kinds("<Key>photos/2026/03/spring-holidays-12.jpeg</Key>").isEmpty)
        #expect(kinds("<acmeKey>" + noise(32, lowerHex) + "</acmeKey>") == ["SPOKEN_TOKEN"])
    }

    @Test(
        "passwords on command lines, in pairs and in sentences",
        arguments: [
            ("command-password", "net user ada " + "Lovelace1! /add"),
            ("command-password", "echo \"ada:" + "lovelace7\" | chpasswd"),
            ("command-password", "echo " + "lovelace7 | sudo -S apt update"),
            ("command-password", "requirepass " + "lovelace7"),
            ("command-password", "keytool -list -storepass " + "lovelace"),
            ("command-password", "enable secret 5 " + "lovelace7"),
            ("call-password", "get(url, auth=('ada', '" + "lovelace7'))"),
            ("spoken-password", "the password is " + "L0vel4ce7 today"),
            ("spoken-password", "| password | " + "Love&lace7 |"),
        ])
    func passwords(sample: (id: String, text: String)) {
        let text = "a\n\(sample.text)\nb"
        #expect(Redactor().scan(Array(text.utf8)).map(\.ruleID) == [sample.id])
    }

    @Test(
        "sentences and commands without a password stay",
        arguments: [
            "the password is optional", "password reset for Release2", "pass --option=Value1",
            "requirepass is an option of redis", "net user ada /delete", "echo done | sudo tee x",
            "auth = ('user', password)", "login('user', 'password')", "passes OAuth2Client.login",
        ])
    func sentences(text: String) { #expect(kinds("a\n\(text)\nb").isEmpty) }
}
