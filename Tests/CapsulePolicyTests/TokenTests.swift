// One made-up token for each kind that has a form of its own, and texts that look like one.

import Testing

@testable import CapsulePolicy

@Suite("Tokens")
struct TokenTests {
    private static let uuid = "\(noise(8, lowerHex))-3f1c-4b7a-9c0d-\(noise(12, lowerHex))"

    static let samples: [(id: String, text: String)] =
        cloud + forges + services + models + money + standards + others + phrases

    private static let cloud = [
        ("aws-access-key", "AKIA" + noise(16, uppercase)),
        ("aws-access-key", "AROA" + noise(17, uppercase)),
        ("aws-secret-key", "aws_secret_access_key = " + noise(40)),
        ("aws-session-token", "aws_session_token=" + noise(200)),
        ("google-api-key", "AIza" + noise(35)),
        ("google-oauth-secret", "GOCSPX" + "-" + noise(28)),
        ("google-oauth-token", "ya29" + "." + noise(60)),
        ("google-refresh-token", " 1//0" + noise(60)),
        ("azure-storage-key", "AccountKey=" + noise(86) + "=="),
        ("azure-sas-signature", "https://a.blob.core/x?sv=1&sig=" + noise(43) + "%3D"),
        ("azure-client-secret", "x=" + noise(3) + "8Q~" + noise(34)),
        ("azure-shared-access-key", "SharedAccessKey=" + noise(43) + "="),
        ("alibaba-access-key", "LTAI" + noise(20)),
        ("digitalocean-token", "dop_v1" + "_" + noise(64, lowerHex)),
        ("heroku-key", "HRKU" + "-" + uuid),
        ("netlify-token", "nfp" + "_" + noise(40)),
        ("supabase-key", "sbp" + "_" + noise(40, lowerHex)),
        ("planetscale-token", "pscale_tkn" + "_" + noise(43)),
        ("databricks-token", "dapi" + noise(32, lowerHex)),
        ("doppler-token", "dp.pt" + "." + noise(43)),
        ("pulumi-token", "pul" + "-" + noise(40, lowerHex)),
        ("terraform-token", noise(14) + ".atlasv1" + "." + noise(64)),
        ("vault-token", "hvs" + "." + noise(90)),
        ("tailscale-key", "tskey" + "-auth-" + noise(12) + "-" + noise(32)),
    ]

    private static let forges = [
        ("github-token", "ghp" + "_" + noise(36)),
        ("github-token", "ghs" + "_" + noise(36)),
        ("github-fine-grained-token", "github_pat" + "_" + noise(22) + "_" + noise(59)),
        ("gitlab-token", "glpat" + "-" + noise(20)),
        ("atlassian-token", "ATATT3" + noise(180)),
        ("npm-token", "npm" + "_" + noise(36)),
        ("npm-auth", "//registry.example.org/:_authToken=" + noise(40)),
        ("pypi-token", "pypi" + "-AgE" + noise(120)),
        ("rubygems-key", "rubygems" + "_" + noise(48, lowerHex)),
        ("docker-token", "dckr_pat" + "_" + noise(27)),
        ("docker-auth", "{\"auths\":{\"r\":{\"auth\": \"" + noise(40) + "\"}}}"),
        ("sonar-token", "squ" + "_" + noise(40, lowerHex)),
        ("postman-key", "PMAK" + "-" + noise(24, lowerHex) + "-" + noise(34, lowerHex)),
        ("sentry-token", "sntrys" + "_" + noise(100)),
        ("new-relic-key", "NRAK" + "-" + noise(27)),
        ("grafana-token", "glsa" + "_" + noise(32) + "_" + noise(8, lowerHex)),
        ("sourcegraph-token", "sgp" + "_" + noise(40, lowerHex)),
    ]

    private static let services = [
        ("slack-token", "xoxb" + "-123456789012-123456789012-" + noise(24)),
        ("slack-webhook", "https://hooks.slack" + ".com/services/T" + noise(8) + "/B" + noise(24)),
        ("discord-token", "bot token M" + noise(23) + "." + noise(6) + "." + noise(27)),
        ("telegram-token", "123456789" + ":AA" + noise(33)),
        ("twilio-key", "SK" + noise(32, lowerHex)),
        ("sendgrid-key", "SG" + "." + noise(22) + "." + noise(43)),
        ("mailgun-key", "key" + "-" + noise(32, lowerHex)),
        ("mailchimp-key", noise(32, lowerHex) + "-us" + "12"),
        ("brevo-key", "xkeysib" + "-" + noise(64, lowerHex) + "-" + noise(16)),
        ("notion-token", "ntn" + "_" + noise(46)),
        ("airtable-token", "pat" + noise(14) + "." + noise(64, lowerHex)),
        ("linear-key", "lin_api" + "_" + noise(40)),
        ("figma-token", "figd" + "_" + noise(40)),
        ("hubspot-token", "pat-na1" + "-" + uuid),
        ("datadog-key", "DATADOG_API_KEY: " + noise(32, lowerHex)),
    ]

    private static let others = [
        ("apify-token", "apify_api" + "_" + noise(36)),
        ("clickup-token", "pk" + "_1234567_" + noise(32, uppercase)),
        ("deno-token", "ddp" + "_" + noise(36)),
        (
            "discord-bot-token",
            "x MTA" + noise(21) + "." + noise(6) + "." + noise(38)
        ),
        (
            "harness-key",
            "pat" + "." + noise(22) + "." + noise(24, lowerHex) + "." + noise(20)
        ),
        ("langfuse-key", "sk-lf" + "-" + uuid),
        ("mailersend-token", "mlsn" + "." + noise(64, lowerHex)),
        ("maxmind-key", noise(6) + "_" + noise(29) + "_mmk"),
        ("mongodb-atlas-secret", "mdb_sa_sk" + "_" + noise(40)),
        ("openshift-token", "sha256" + "~" + noise(43)),
        ("posthog-key", "phx" + "_" + noise(43)),
        ("resend-key", "re" + "_" + noise(8) + "_" + noise(24)),
        ("segment-token", "sgp" + "_" + noise(64)),
        ("swarm-token", "SWMTKN" + "-1-" + noise(50, base36) + "-" + noise(25, base36)),
        ("voiceflow-key", "VF" + ".DM." + noise(24, lowerHex) + "." + noise(16)),
        ("woocommerce-key", "cs" + "_" + noise(40, lowerHex)),
        ("zapier-webhook", "https://hooks" + ".zapier.com/hooks/catch/" + noise(16)),
        ("zoho-token", "1000" + "." + noise(32, lowerHex) + "." + noise(32, lowerHex)),
        ("live-key", "ak_live" + "_" + noise(24)),
        ("aiven-password", "AVNS" + "_" + noise(19)),
        ("ldap-password-hash", "userPassword: {SSHA" + "}" + noise(38) + "=="),
    ]

    private static let phrases = [
        ("spoken-token", "the vendor SECRET " + noise(32)),
        ("prefixed-token", "vendor-token-" + noise(32)),
        ("prefixed-token", "curl https://example.org -d @x " + "acme_sk_" + noise(24)),
        ("prefixed-token", "with acme_" + noise(36) + " it works"),
        ("prefixed-token", "AC" + "-" + noise(32, lowerHex)),
        ("mixed-token", "acme = '" + noise(32) + "'"),
        ("mixed-token", "acme " + noise(40)),
        ("garbled-password", "db_pass := q{{7}o)w$[e>b-_#z*4}}"),
        ("digits-key", "ACME_API_KEY=" + "8195513847023883"),
        ("compared-secret", "if (\"" + noise(12) + "7\" == request.apiToken) {"),
        ("xml-named-secret", "<string name=\"service_key\">" + noise(20) + "</string>"),
        ("setter-secret", "cipher.SetKey(\"" + noise(16) + "\");"),
        ("setter-secret", "bean.setKeyPassword(\"" + "C0unt3ss7" + "\")"),
        ("form-password", "curl -d 'user=ada' -d 'password=" + "lovelace' example.org"),
        ("url-parameter-password", "GET /login?user=ada&password=" + "lovelace&x=1"),
        ("number-list-secret", "secretKey := []byte{71, 3, 250, 11, 99, 140, 7, 200, 31}"),
        ("generic-password", "`db_password` = '" + noise(10) + "'"),
        ("generic-default", "os.environ.get(\"DB_PASSWORD\") or \"lovelace\""),
        ("generic-env-random", "SERVICE_KEY=1234567890" + "abcdefghijklmnop"),
    ]

    private static let base36 = "abcdefghijklmnopqrstuvwxyz0123456789"

    private static let models = [
        ("openai-key", "sk" + "-proj-" + noise(40) + "T3Blbk" + "FJ" + noise(40)),
        ("anthropic-key", "sk-ant" + "-api03-" + noise(93)),
        ("huggingface-token", "hf" + "_" + noise(34)),
        ("replicate-token", "r8" + "_" + noise(37)),
        ("groq-key", "gsk" + "_" + noise(52)),
        ("openrouter-key", "sk-or" + "-v1-" + noise(64, lowerHex)),
    ]

    private static let money = [
        ("stripe-key", "sk_live" + "_" + noise(24)),
        ("stripe-webhook-secret", "whsec" + "_" + noise(32)),
        ("square-token", "sq0atp" + "-" + noise(22)),
        ("shopify-token", "shpat" + "_" + noise(32, lowerHex)),
        ("plaid-token", "access-sandbox" + "-" + uuid),
        ("razorpay-key", "rzp_live" + "_" + noise(14)),
    ]

    private static let standards = [
        ("age-secret-key", "AGE-SECRET" + "-KEY-1" + noise(58, "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L")),
        ("jwt", "eyJ" + noise(30) + ".eyJ" + noise(60) + "." + noise(43)),
        ("password-hash", "$2b$12$" + noise(53)),
        ("password-hash", "root:$6$" + noise(8) + "$" + noise(86)),
        ("nkey-seed", "SUA" + noise(55, uppercase)),
        ("encoded-private-key", "key, MIIEvgIBADAN" + noise(400)),
        ("ntlm-message", "NTLM TlRMTVNTUAAD" + noise(80)),
        ("json-web-key", "{ kty: 'EC', d: '" + noise(43) + "' }"),
        ("wireguard-key", "PrivateKey = " + noise(43) + "="),
        ("bearer-header", "Authorization: Bearer " + noise(40)),
        ("basic-header", "Authorization: Basic " + noise(24) + "=="),
        ("url-credentials", "postgres://app:" + noise(12) + "@db.example.org/x"),
        ("netrc-password", "machine api.example.org login ada password " + noise(10)),
        ("pgpass-password", "db.example.org:5432:app:ada:" + noise(10)),
        ("connection-password", "Server=db;Database=x;Password=" + noise(10) + ";"),
        ("curl-credentials", "curl -s -u ada:" + noise(10) + " https://example.org"),
        ("cli-password", "tool login --password " + noise(6) + "-7x9"),
        ("xml-password", "<dbPassword>" + noise(10) + "</dbPassword>"),
        ("sql-password", "CREATE USER x IDENTIFIED BY '" + noise(10) + "'"),
        ("define-secret", "define('DB_PASSWORD', '" + noise(10) + "');"),
        ("kubeconfig-key", "client-key-data: " + noise(400)),
        ("generic-password", "password = \"" + noise(10) + "\""),
        ("generic-secret", "api_key: '" + noise(32) + "'"),
        ("generic-env-random", "my.api.key=" + noise(32)),
        ("generic-random", "setCipherKey(Base64.decode(\"" + noise(22) + "==\"))"),
        ("generic-random", "NSString *key = @\"" + noise(16) + "\";"),
        ("generic-random", "wrappedKey: '" + noise(20, String(alphanumerics.suffix(36))) + "'"),
        ("generic-env-random", "service.verifier=" + noise(30)),
        ("generic-user-password", "{user: ada, password: lovelace}"),
        ("generic-default", "process.env.DB_PASSWORD || 'lovelace'"),
        ("generic-default", "os.environ.get(\"DB_PASSWORD\", \"lovelace\")"),
        ("generic-password", "[zip openWithPassword:@\"" + noise(10) + "\"]"),
        ("generic-password", "fill_in :password, with: '" + noise(10) + "'"),
        ("named-value", "[{\"name\": \"DB_PASSWORD\", \"value\": \"" + noise(12) + "\"}]"),
        ("letters-password", "tool --password wkjesLaQutYDtDzq db"),
        ("cli-word-password", "tool --user ada --password lovelace"),
        ("generic-shell-secret", "export SERVICE_TOKEN=" + "Lovelace7!"),
    ]

    @Test("a token is found, once, by its rule", arguments: samples)
    func found(sample: (id: String, text: String)) {
        let text = "before\n\(sample.text)\nafter"
        let findings = Redactor().scan(Array(text.utf8))
        #expect(findings.map(\.ruleID) == [sample.id])
        #expect(findings.first?.line == 2)
        #expect(findings.first?.kind == RedactionRule.kind(of: sample.id))
        let again = Redactor().scan(Redactor().mask(Array(text.utf8)).bytes)
        #expect(again.isEmpty)
    }

    @Test(
        "some are known by the path of their file",
        arguments: [
            ("generic-config-secret", "app.conf", "shared.secret = N0Sh@ar3d$ec" + "ReT\n"),
            ("generic-config-secret", ".env", "# token: T0pS3" + "cr3t"),
        ])
    func paths(sample: (id: String, path: String, text: String)) {
        let text = Array(sample.text.utf8)
        #expect(Redactor().scan(text, path: sample.path).map(\.ruleID) == [sample.id])
        #expect(Redactor().scan(text, path: "main.swift").isEmpty)
    }

    @Test(
        "what is no secret stays",
        arguments: [
            "let token = tokens.next()", "password: String", "password = getPassword()",
            "const secret = process.env.SECRET", "API_KEY=${API_KEY}", "password: \"${PASSWORD}\"",
            "token: <your token>", "if password == nil { return }", "key: value",
            "git commit 3b18e512dba79e4c8300dd08aeb37f8e728b8dad",
            "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "integrity sha512-" + noise(86) + "==", "id 123e4567-e89b-12d3-a456-426614174000",
            "task-disk-risk-ask-mask", "Sources/CapsulePolicy/Detection/KeywordMatcher.swift",
            "https://example.org:8080/path", "mysql://localhost/db", "the basic idea of tokens",
            "-----BEGIN PUBLIC KEY-----", "\"password\": \"string\"",
            "password: 'Invalid Password'",
            "secretKeyRef:\n  name: app\n  key: password", "Bearer token", "author: keyboard",
            "public_key = \"" + noise(40) + "\"", "key: 'primaryButtonLabel'",
            "key: \"smtpDomain2\"",
            "PublicKeyToken=" + noise(16, lowerHex), "X-Amz-Signature=" + noise(64, lowerHex),
            "http://user:password@localhost/",
            "postgres://USER_NAME:DATABASE_PASSWORD@HOST/", "password: String!",
            "password: flags.0?true", "\"password\"===g.type", "labelPassword: 'Passwort:'",
            "resource \"random_password\" \"main\" {", "'--secret', 'id=NAME,src=/tmp/file'",
            "total pass:100, block:3", "-----BEGIN " + "RSA PRIVATE KEY-----\nMIIE...\n",
            "eyJ" + noise(30) + ".eyJ" + noise(60), "AKIA" + noise(15, uppercase),
            "ghp" + "_" + noise(20), "eyJ" + noise(4),
            "token := []int{1, 2, 3, 4, 5, 6, 7, 8, 9}", "KeyId: " + noise(32, lowerHex),
            "public key " + noise(40), "cache key linux-" + noise(32, lowerHex),
            "access 2026-03-04T05-06-07 granted", "private static final String CONSTANT_NAME_2",
            "auth.checkPassword(\"wrong-password1\")", "password: \"${VAULT:db/pass}\"",
            "password=\"${AUTH#user/}\"", "if (\"admin\" == user.password) {",
            "<string name=\"app_key\">@string/other_key</string>", "{{ password }}",
            "pod token-service-7f9c6d5b4-x2x4z ready", "auth.service.example.org:8443/v2/abc123",
        ])
    func harmless(text: String) { #expect(kinds(text).isEmpty) }

    @Test(
        "keys over many lines are one finding",
        arguments: ["RSA ", "EC ", "OPENSSH ", "", "ENCRYPTED "])
    func keys(label: String) {
        let lines = (0..<20).map { noise(64, seed: UInt64($0 + 1)) }
        let armor = "-----BEGIN " + "\(label)PRIVATE KEY-----"
        let end = "-----END " + "\(label)PRIVATE KEY-----"
        for separator in ["\n", "\r\n", "\\n"] {
            let key = ([armor] + lines + [end]).joined(separator: separator)
            #expect(masked("a\n\(key)\nb") == "a\n[PRIVATE_KEY:1]\nb")
        }
        let cut = ([armor] + lines).joined(separator: "\n")
        #expect(masked("a\n\(cut)") == "a\n[PRIVATE_KEY:1]")
        let indented = ([armor] + lines + [end]).joined(separator: "\n    ")
        #expect(kinds("key: |\n    \(indented)\n") == ["PRIVATE_KEY"])
    }

    @Test("PGP and OpenVPN keys, too")
    func otherKeys() {
        let body = (0..<20).map { noise(64, seed: UInt64($0 + 1)) }.joined(separator: "\n")
        let pgp =
            "-----BEGIN PGP " + "PRIVATE KEY BLOCK-----\n\n\(body)\n-----END PGP "
            + "PRIVATE KEY BLOCK-----"
        #expect(masked(pgp) == "[PGP_PRIVATE_KEY:1]")
        let vpn =
            "-----BEGIN OpenVPN " + "Static key V1-----\n\(body)\n-----END OpenVPN "
            + "Static key V1-----"
        #expect(masked(vpn) == "[OPENVPN_STATIC_KEY:1]")
    }
}
