/// Part of our rule file.
extension StandardRules {
    /// Credentials that only their surroundings give away.
    static let assignments = #"""
        [[rules]]
        id = "bearer-header"
        description = "Token in an authorization header"
        regex = """\
        (?i)\\b(?:bearer|authorization[\"']?\\s{0,2}[:=,]\\s{0,2}[\"']?(?:token|apikey|api-key|o\
        auth|digest)|x-(?:api-key|auth-token|access-token|vault-token|gitlab-token)[\"']?\\s{0,2\
        }[:=,])\\s{1,3}[\"']?([A-Za-z0-9_.~+/=-]{16,})"""
        keywords = [
            "bearer", "authorization", "x-api-key", "x-auth-token", "x-access-token",
            "x-vault-token", "x-gitlab-token",
        ]
        entropy = 3
        [[rules.allowlists]]
        regexes = ['''^[A-Za-z_.-]+$''']
        [[rules.allowlists]]
        stopwords = ["example", "your", "xxxx"]

        [[rules]]
        id = "basic-header"
        description = "Credentials in an authorization header"
        regex = '''(?i)\bbasic\s{1,2}([A-Za-z0-9+/]{8,400}={0,2})(?:[^A-Za-z0-9+/=]|$)'''
        keywords = ["basic"]
        entropy = 2.5
        [[rules.allowlists]]
        regexes = ["""\
        ^(?:[a-z]+|[A-Z]?[a-z]+|[A-Z]+|[A-Za-z]+/[A-Za-z]+|[a-z]+[A-Z][A-Za-z]+|[A-Z][a-z]+[A-Z]\
        [a-z]+(?:[A-Z][a-z]+)*)$"""]

        [[rules]]
        id = "url-credentials"
        description = "Password in a URL"
        regex = """\
        (?i)\\b[a-z][a-z0-9+.-]{1,20}://[^\\s:/@\"'<>{}$(]{0,80}:([^\\s/@\"'<>{}$()]{3,200}|[^\\\
        s@\"'<>{}$()]{3,80})@[\\w.\\[-]"""
        keywords = ["://"]
        [[rules.allowlists]]
        regexes = ["""\
        ^(?:[Pp]assword|[Pp]ass|[Pp]asswd|PASSWORD|PASS|\\*+|x+|X+|\\.{3}|%s|port|\\d{1,5}|\\[.*\
        )$|^\\d{2,5}/"""]

        [[rules]]
        id = "url-token"
        description = "Token as the user of a URL"
        regex = '''(?i)\bhttps?://([a-z0-9_-]{20,250})@[\w.-]{3,80}'''
        keywords = ["@"]
        entropy = 3.2

        [[rules]]
        id = "connection-password"
        description = "Password in a connection string"
        regex = """\
        (?i)(?:;|\"|'|\\s|^)(?:password|pwd)\\s{0,2}=\\s{0,2}([^;\"'\\s<>{}$]{3,100})\\s{0,2};"""
        keywords = ["password", "pwd"]
        [[rules.allowlists]]
        regexes = ['''(?i)^(?:password|pass|pwd|\*+|x+|null|none|.{0,2})$|^[%#@(]|\($''']

        [[rules]]
        id = "netrc-password"
        description = "Password in .netrc"
        regex = """\
        (?m)(?:^|\\s)(?:machine\\s+\\S+|default)\\s+(?:(?:login|account)\\s+\\S+\\s+){0,2}passwo\
        rd\\s+(\\S{3,200})"""
        keywords = ["machine", "default"]
        [[rules.allowlists]]
        regexes = ['''^(?:password|PASSWORD|<.*)$''']

        [[rules]]
        id = "pgpass-password"
        description = "Password in .pgpass"
        regex = """\
        (?m)^(?:[\\w.*-]{1,80}):(?:\\d{2,5}|\\*):(?:[\\w.*-]{1,60}):(?:[\\w.*-]{1,60}):([^\\s:#]\
        {4,100})\\s*$"""
        keywords = [":54", ":*:", ":33"]
        [[rules.allowlists]]
        regexes = ['''^/''']

        [[rules]]
        id = "curl-credentials"
        description = "Password on the command line of curl or wget"
        regex = """\
        (?i)\\b(?:curl|wget|http|https)\\b[^\\n]{0,200}?\\s(?:-u|--user|--proxy-user|-a)[ =]{0,2\
        }[\"']?[^\\s:\"'$<{]{1,60}:([^\\s\"'$<{]{3,100})"""
        keywords = ["curl", "wget"]
        [[rules.allowlists]]
        regexes = ['''(?i)^(?:password|pass|pwd|\*+|x+|secret)$''']

        [[rules]]
        id = "cli-password"
        description = "Password on a command line"
        regex = """\
        (?i)\\s--?(?:password|passwd|pass|pwd|token|secret|api-?key|secret-?key|auth-?token|acce\
        ss-?token)(?:=|\\s{1,2})[\"']?([^\\s\"'$<>{}()\\[\\],;|`-][^\\s\"'$<>{}()\\[\\]`]{5,200}\
        )"""
        keywords = [
            "-password", "-passwd", "-pass", "-pwd", "-token", "-secret", "-api", "-auth",
            "-access",
        ]
        entropy = 2.8
        [[rules.allowlists]]
        regexes = ['''^[A-Za-z_.-]+$|^/|^\\|^@|^%''']

        [[rules]]
        id = "xml-password"
        description = "Secret in an XML element or attribute"
        regex = """\
        (?i)<(?:[\\w.:-]{0,40}(?:password|passwd|passphrase|secret|apikey|api_key|token|accesske\
        y|privatekey))(?:\\s[^<>]{0,80})?>\\s{0,8}([^<>\\s{}$%][^<>\\s{}]{3,200})\\s{0,8}</"""
        keywords = [
            "password", "passwd", "passphrase", "secret", "apikey", "api_key", "token",
            "accesskey", "privatekey",
        ]
        [[rules.allowlists]]
        regexes = ["""\
        (?i)^(?:true|false|none|null|password|\\*+|string|\\d{1,3}|x+)$|^\\$|^[@#]\\{"""]

        [[rules]]
        id = "xml-value"
        description = "Secret in the value beside its XML name"
        regex = """\
        (?i)(?:name|key|id)=[\"'][\\w.:-]{0,40}(?:password|passwd|pwd|secret|apikey|api_key|api-\
        key|token|accesskey)[\"']\\s{1,4}value=[\"']([^\"'<>{}$%\\s]{4,200})[\"']"""
        keywords = [
            "password", "passwd", "pwd", "secret", "apikey", "api_key", "api-key", "token",
            "accesskey",
        ]
        [[rules.allowlists]]
        regexes = ['''(?i)^(?:true|false|none|null|password|\*+|\d{1,3}|x+)$''']

        [[rules]]
        id = "sql-password"
        description = "Password in SQL"
        regex = """\
        (?i)(?:identified\\s{1,3}by(?:\\s{1,3}password)?|password\\s{0,2}\\(|with\\s(?:encrypted\
        \\s)?password|set\\s{1,3}password\\s{0,2}=)\\s{0,3}\\(?\\s{0,2}[\"']([^\"'\\r\\n$]{3,120\
        })[\"']"""
        keywords = ["identified", "password"]
        [[rules.allowlists]]
        regexes = ['''(?i)^(?:password|\*+|x+|%s|\?|:\w+)$|^[$<{]''']

        [[rules]]
        id = "define-secret"
        description = "Secret in a PHP constant"
        regex = """\
        (?i)define\\(\\s{0,3}[\"'][\\w-]{0,40}(?:password|passwd|pass|pwd|secret|_key|_salt|toke\
        n)[\\w-]{0,20}[\"']\\s{0,3},\\s{0,4}[\"']([^\"'\\r\\n]{4,200})[\"']"""
        keywords = ["define"]
        [[rules.allowlists]]
        regexes = ["""\
        (?i)^(?:password|put your unique phrase here|\\*+|.*_here|null|none|true|false|[\\w.-]+\
        \\.php|[a-z_]+)$"""]

        [[rules]]
        id = "generic-password"
        description = "Password beside its name, in quotes"
        regex = """\
        (?i)(?:passw(?:or)?d|passwd|passphrase|passcode|pwd|[_.-]pass|\\bpass|[a-z]Pass|kennwort\
        |pswd)(?:[_.-]?(?:hash|word|value|val|str|string|text|default|test|admin|user|root|db|pr\
        od|dev|new|old|\\d{1,2}))?[\"'\\]]{0,2}\\s{0,8}(?::=|=>|==?=?|!==?|:|,)\\s{0,8}(?:[a-z]{\
        1,2})?(?:\"([^\"\\r\\n]{4,120})\"|'([^'\\r\\n]{4,120})'|`([^`\\r\\n]{4,120})`)"""
        keywords = [
            "passw", "passphrase", "passcode", "pwd", "_pass", ".pass", "-pass", "pass",
            "kennwort", "pswd",
        ]
        [[rules.allowlists]]
        regexes = ["""\
        (?i)^(?:[^a-z0-9]*|(?:[a-z_.-]*)(?:passw(?:or)?d|passwd|passphrase|pwd|pass|secret)[a-z_\
        :. -]*\\d?|.*(?:\\$\\{|\\{\\{|%\\(|<%|#\\{|\\$\\(|<[a-z_ -]+>).*|\\$[\\w.\\[\\]'\">-]+|%\
        \\w+%?|<.*>|\\{.*\\}|\\[.*\\]|x{3,}|null|none|nil|true|false|undefined|string|required|o\
        ptional|text|hidden|input|label|default|enter.*|please.*|your.*|my[_-]?pass.*|.*change.?\
        me.*|.*placeholder.*|.*redacted.*|.*example.*|[a-z]+(?: [a-z',.()!?/-]+){2,}.?|/[\\w./-]\
        +|https?://.*|[\\w.]+\\([^)]*\\)|[a-z]{1,7}|\\w+\\.\\w+(?:\\.\\w+)*|[A-Z]+(?:_[A-Z]+)+)$"""]

        [[rules]]
        id = "generic-env-password"
        description = "Password beside its name, without quotes"
        regex = """\
        (?i)(?:passw(?:or)?d|passwd|passphrase|passcode|pwd|[_.-]pass|\\bpass|pswd)(?:[_.-]?(?:h\
        ash|prod|dev|db|root|admin|\\d{1,2}))?[\"']?\\s{0,3}(?:=|:\\s|:)\\s{0,3}([^\\s\"'`,;<>()\
        {}\\[\\]$&|*%\\\\][^\\s\"'`,;<>(){}\\[\\]$&|\\\\]{4,120})(?:[\\s\"',;&<\\\\]|$)"""
        keywords = [
            "passw", "passphrase", "passcode", "pwd", "_pass", ".pass", "-pass", "pass", "pswd",
        ]
        [[rules.allowlists]]
        regexes = ["""\
        (?i)^(?:[a-z_./:-]*|[\\w]+\\.[\\w.]+|[a-z]\\w*(?:::|->)\\w+.*|0x[0-9a-f]+|\\d{1,5}|.*cha\
        nge.?me.*|.*example.*|your.*|.*password.*|[A-Z]\\w+_\\w+|\\w+\\[.*|.*=>.*|-+|=+|@\\w+.*|\
        /.*|https?:.*)$"""]

        [[rules]]
        id = "generic-secret"
        description = "Key, secret or token beside its name, in quotes"
        regex = """\
        (?i)(?:api[_.-]?key|apikey|secret|token|auth(?:[_.-]?key)?|access[_.-]?key|private[_.-]?\
        key|credentials?|signing[_.-]?key|encryption[_.-]?key|secret[_.-]?key|app[_.-]?key|consu\
        mer[_.-]?key|master[_.-]?key|license[_.-]?key|account[_.-]?key|\\bsalt|[_.-]salt|session\
        [_.-]?key|_key|\\bkey)(?:[_.-]?(?:id|base|hash|base64|value|val|str|string|text|default|\
        test|prod|dev|live|\\d{1,2}))?[\"'\\]]{0,2}\\s{0,8}(?::=|=>|==?=?|!==?|:|,)\\s{0,8}(?:[a\
        -z]{1,2})?(?:\"([^\"\\s]{8,400})\"|'([^'\\s]{8,400})'|`([^`\\s]{8,400})`)"""
        keywords = ["key", "secret", "token", "auth", "credential", "salt"]
        entropy = 3
        [[rules.allowlists]]
        regexes = ["""\
        (?i)^(?:[^0-9]*|[^a-z]*|.*(?:\\$\\{|\\{\\{|%\\(|<%|#\\{|\\$\\(|<[a-z_ -]+>).*|\\$[\\w.\\\
        [\\]'\">-]+|%\\w+%?|<.*>|\\{.*\\}|\\[.*\\]|.*x{4,}.*|.*change.?me.*|.*placeholder.*|.*re\
        dacted.*|.*example.*|your.*|/[\\w./-]+|https?://.*|[a-z]+://.*|[\\w.]+\\([^)]*\\)|[a-z]{\
        2,}(?:[_.:/-][a-z]+)*[_.:/-]?\\d{1,3}|[a-z]+(?:[A-Z][a-z]+)+\\d{0,2}|(?:[a-z]+\\d?[._/-]\
        )+[a-z]+\\d?|.*(?:0123456789|1234567890|abcdefgh).*|\\d{4}-\\d\\d-\\d\\d.*|.*[()\\[\\]{}\
        ].*|[\\w.-]+\\.(?:json|ya?ml|pem|key|txt|js|ts|py|go|java|png|svg|html|css|php|rb|xml|cr\
        t|p12)|sha(?:256|384|512)-.*|\\d+[a-z]{1,3})$"""]

        [[rules]]
        id = "generic-env-secret"
        description = "Key, secret or token beside its name, without quotes"
        regex = """\
        (?i)(?:api[_.-]?key|apikey|secret|token|auth[_.-]?key|access[_.-]?key|private[_.-]?key|c\
        redentials?|signing[_.-]?key|encryption[_.-]?key|secret[_.-]?key|app[_.-]?key|consumer[_\
        .-]?key|master[_.-]?key|license[_.-]?key|[_.-]salt|session[_.-]?key)(?:[_.-]?(?:id|base|\
        base64|value|default|test|prod|dev|live|\\d{1,2}))?[\"']?\\s{0,3}(?:=|:\\s)\\s{0,3}([A-Z\
        a-z0-9_+/=.~:!@#%^*-]{12,400})(?:[\\s\"',;&<\\\\]|$)"""
        keywords = ["key", "secret", "token", "credential", "salt"]
        entropy = 3.2
        [[rules.allowlists]]
        regexes = ["""\
        (?i)^(?:[^0-9]*|[^a-z]*|\\w+\\.[\\w.]*[a-z][\\w.]*|[a-z]\\w*(?:::|->)\\w+.*|.*x{4,}.*|.*\
        change.?me.*|.*placeholder.*|.*example.*|your.*|/[\\w./-]+|https?:.*|[a-z]{2,}(?:[_.:/-]\
        [a-z]+)*[_.:/-]?\\d{1,3}|[a-z]+(?:[A-Z][a-z]+)+\\d{0,2}|(?:[a-z]+\\d?[._/-])+[a-z]+\\d?|\
        [A-Z]+(?:_[A-Z0-9]+)+|[a-z]+(?:_[a-z0-9]+)+|.*(?:0123456789|1234567890).*|\\d{4}-\\d\\d-\
        \\d\\d.*|sha(?:256|384|512)-.*|.*/.*\\.\\w{2,5})$"""]
        """#
}
