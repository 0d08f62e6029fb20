/// Part of our rule file.
extension StandardRules {
    /// Tokens of any service, and secrets that their own form gives away.
    static let shapes = #"""
        [[rules]]
        id = "service-key"
        description = "Random value beside the name of a service"
        regex = '''[A-Za-z0-9][A-Za-z0-9_.+/=-]{11,199}'''

        [[rules]]
        id = "prefixed-token"
        description = "Random value after the prefix of its service"
        regex = """\
        (?:^|[\\s\"'`=:,;(\\[{<>|])((?:[A-Za-z0-9]{1,14}[_-]){1,4}[A-Za-z0-9][A-Za-z0-9_-]{17,300}\
        ={0,2})(?:$|[\\s\"'`,;)\\]}<>|&\\\\])"""
        entropy = 3
        [[rules.allowlists]]
        regexes = ["""\
        (?i)^[a-f0-9]{8}(?:-[a-f0-9]{4}){3}-[a-f0-9]{12}$|x{6}|example|your|^ssh-|^sha\\d*-"""]

        [[rules]]
        id = "mixed-token"
        description = "Random value that is assigned to whatever name"
        regex = """\
        (?i)(?:(?:^|[\\s,;{(\\[?&$\"'<])[\\w.-]{2,60}[\"']?\\s{0,3}(?::=|=>|[=:])\\s{0,3}[\"'`]?|(\
        ?:^|\\n)[a-z]\\w{2,24}[ \\t])([A-Za-z0-9+/_-]{24,200}={0,2})(?:$|[\\s\"'`,;)\\]}<&\\\\])"""
        entropy = 3.5
        [[rules.allowlists]]
        regexes = ['''(?i)x{6}|example|^your|^sha\d*-|^ssh-|^(?-i:eyJ|WyJ|AAAA)''']
        [[rules.allowlists]]
        regexTarget = "match"
        regexes = ["""\
        (?i)^\\W?(?:[\\w.-]*[_.-])?(?:\\w*(?:id|ids|hash|digest|sha\\d*|md5|sum|checksum|commit|re\
        v|revision|etag|nonce|uuid|guid|trace|span|integrity|version|tag|ref|image|fingerprint|ser\
        ial|cursor|page|resolved|url|uri|path|file|filename|name|src|href|data|content|contents|bo\
        dy|blob|base64|encoded|expected|actual|result|output|input|want|got|public\\w*|pub\\w*|cer\
        t\\w*|x5\\w*|kid|jti|alg|thumbprint|class|label|title|type|format|charset|sri|encrypt\\w*|\
        wrapped\\w*|signature|transaction|list|challenge|protected|sec-websocket-key|ciphertext|iv\
        |salt|boundary|h1)|[nexyv]|\\w*[ck]ert)[\"']?\\s{0,3}[:=]"""]

        [[rules]]
        id = "garbled-password"
        description = "Password of many signs, without quotes"
        regex = """\
        (?i)(?:passw(?:or)?d|passwd|passphrase|pwd|[_.-]pass|\\bpass|secrete?|api[_-]?key|private[\
        _-]?key|token)(?:_\\w{1,12})?(?:\\[\\d{0,3}\\])?[\"']?\\s{0,3}(?::=|[=:]|\\.assign\\(|\\s)\
        \\s{0,3}[\"'`]?([^\\s\"'`]{10,80})(?:[\"'`]|[\\s,;)]|$)"""
        keywords = [
            "passw", "passphrase", "pwd", "pass", "secret", "api_key", "apikey", "api-key",
            "private_key", "private-key", "privatekey", "token",
        ]
        entropy = 3

        [[rules]]
        id = "digits-key"
        description = "Number as a key or token"
        regex = """\
        (?i)(?:api[_-]?(?:key|token)|application[_-]?key|app[_-]?key|auth[_-]?token|access[_-]?tok\
        en|[a-z]{3,20}_key|secret)[\"']?\\s{0,3}(?::=|=>|[=:])\\s{0,3}[\"']?(\\d{16,24})(?:[\"'\\s\
        ,;]|$)"""
        keywords = ["key", "token", "secret"]
        entropy = 2
        """#
}
