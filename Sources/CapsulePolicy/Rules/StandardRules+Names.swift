/// Part of our rule file.
extension StandardRules {
    /// Secrets that only the name of a variable or field gives away.
    static let names = #"""
        [[rules]]
        id = "generic-password"
        description = "Password beside its name, in quotes"
        regex = """\
        (?i)(?:passw(?:or)?d|passwd|passphrase|passcode|passwrd|pwd|pswd|[_.-]pass|\\bpass|[_.-]\
        pw|(?-i:[a-z]Pass)|kennwort|contraseña|senha|mot_?de_?passe)(?:[_.-]?(?:hash|word|value|\
        val|confirmation|confirm|again|admin|user|root|db|prod|dev|new|old|repeat|sys|v?\\d{1,2}\
        ))?(?:[\"'\\]`]{0,2}(?:\\s?\\)|)\\s{0,24}(?::\\s?\\w{1,12}\\s?=|:=|=>|==?=?|!==?|:|,\\s?\
        with:|\\s)\\s{0,24}(?:[a-z]{1,2}|@|(?:new\\s)?(?-i:[A-Z]\\w{1,40}\\())?(?:\"((?:[^\"\\r\
        \\n\\\\]|\\\\.){4,120})\"|'((?:[^'\\r\\n\\\\]|\\\\.){4,120})')|[\"']\\s{0,2},\\s{0,8}[\"\
        ']([^\"'\\s]{0,60}\\d[^\"'\\s]{0,60})[\"'])"""
        keywords = [
            "passw", "passphrase", "passcode", "pwd", "_pass", ".pass", "-pass", "pass",
            "kennwort", "_pw", ".pw", "-pw", "pswd", "contrase", "senha", "passe",
        ]
        entropy = 1.4
        [[rules.allowlists]]
        regexes = ["""\
        (?i)^(?:123456\\d{0,4}|(?:pbkdf2|sha|bcrypt|argon|scrypt|md5|h\
        mac|plain)[\\w-]*|[^0-9\\s]{2,20}:|fail(?\
        :ed|ure)?|[^a-z0-9]*|(?:[a-z]+[_ .-])+pass(?:word|wd|phrase)\\d?|[a-z-]+:[A-Z]\\w+|[\\w.\
        ]+\\.[A-Z]\\w+|[\\w-]+\\.(?:sh|py|js|json|ts|html|php|rb|go|java)|[a-z]+(?:_[a-z0-9]+){2\
        ,}|[\\^~]\\d+\\..*|function|object|number|boolean|(?-i:Password|[A-Z][A-Za-z]*[ _-]?[Pp]\
        ass(?:word|wd|phrase)?)|pass|test|test123|foo|bar|baz|key|example|(?:your[_-]?|(?:my|the\
        |user)[_-])passw(?:or)?d.*|passw(?:or)?d(?:[_-]\\w+|value|name|field|hash|text|input|lab\
        el)|.*(?:\\$\\{[\\w.:?!#%/@^,* -]*(?:[}\\[(|\\\"'\\\\]|$)|\\{\\{[\\w.:$|()'\\\" -]*(?:\\\
        }\\}|$)|%\\(|<%|#\\{|\\$\\(|\\{(?:[\\w.:]{2,}|\\d)?\\}|%s|%v|<[a-z_ -]+>|&lt;).*|\\$[\\w\
        .\\[\\]'\">-]+|%\\w+%?|<.*>|\\{.*\\}|\\[.*\\]|x{3,}|\\.{3,}|null|none|nil|true|false|yes\
        |no|undefined|string|str|text|hidden|input|label|default|required.*|optional|enter.*|ple\
        ase.*|your.*|.*placeholder.*|.*redacted.*|.*\\bexample.*|invalid.*|[#./]\\S*|https?://.*\
        |\\w+\\([^)]*\\)|[a-z][a-z',.()!?:/*-]*(?: +[a-z0-9',.()!?:/*-]+)+|\\s.*|.*\\s|[^0-9]*\\\
        s[^0-9]*|[^0-9]*[\\x80-\\xff][^0-9]*|contrasen\\w+|passwort|parole?|senha|kennwort|wacht\
        woord|passord|adgangskode|#.*#|'+.*)$"""]
        [[rules.allowlists]]
        paths = ["""\
        (?i)(?:^|/)(?:i18n|locales?|lang|languages|translations?|l10n)(?:/|$)|(?:^|/)[a-z]{2}[_-\
        ][A-Z]{2}\\.(?:json|ya?ml|properties|php|ts|js)$"""]
        [[rules.allowlists]]
        regexTarget = "match"
        regexes = ['''(?i)^\w+["']\s+["']''']

        [[rules]]
        id = "generic-shell-password"
        description = "Password in a variable of the environment"
        regex = """\
        \\b(?:[A-Z][A-Z0-9_]{0,60})?(?:PASSWORD|PASSWD|PASSPHRASE|PASS|PWD|PW)\\d?=[\"']?([^\\s\
        \"'`$<>(){}\\[\\];|&\\\\*%][^\\s\"'`$<>(){};|&\\\\]{3,120})(?:[\\s\"'`\\\\;&|]|$)"""
        keywords = ["password", "passwd", "passphrase", "pass", "pwd", "pw"]
        entropy = 1.4
        [[rules.allowlists]]
        regexes = ["""\
        (?i)^(?:[\\w-]+\\.(?:sh|py|js|rb|txt|com|org)|my_?passw(?:or)?d|[^a-z0-9]*|(?:[a-z]+[_ .\
        -])+pass(?:word|wd|phrase)\\d?|[a-z-]+:[A-Z]\\w+|[\\^~]\\d+\\..*|function|object|number|\
        boolean|(?-i:Password|[A-Z][A-Za-z]*[ _-]?[Pp]ass(?:word|wd|phrase)?)|pass|test|test123|\
        foo|bar|baz|key|example|(?:your[_-]?|(?:my|the|user)[_-])passw(?:or)?d.*|passw(?:or)?d(?\
        :[_-]\\w+|value|name|field|hash|text|input|label)|.*(?:\\$\\{[\\w.:?!#%/@^,* -]*(?:[}\\[\
        (|\\\"'\\\\]|$)|\\{\\{[\\w.:$|()'\\\" -]*(?:\\}\\}|$)|%\\(|<%|#\\{|\\$\\(|\\{(?:[\\w.:]{\
        2,}|\\d)?\\}|%s|%v|<[a-z_ -]+>|&lt;).*|\\$[\\w.\\[\\]'\">-]+|%\\w+%?|<.*>|\\{.*\\}|\\[.*\
        \\]|x{3,}|\\.{3,}|null|none|nil|true|false|yes|no|undefined|string|str|text|hidden|input\
        |label|default|required.*|optional|enter.*|please.*|your.*|.*placeholder.*|.*redacted.*|\
        .*\\bexample.*|invalid.*|[#./]\\S*|https?://.*|\\w+\\([^)]*\\)|[a-z][a-z',.()!?:/*-]*(?: \
        +[a-z0-9',.()!?:/*-]+)+|\\s.*|.*\\s|[^0-9]*\\s[^0-9]*|[^0-9]*[\\x80-\\xff][^0-9]*|contra\
        sen\\w+|passwort|parole?|senha|kennwort|wachtwoord|passord|adgangskode|#.*#|'+.*|[\\w.]+\
        \\[.*|\\d{1,3}|/\\S+)$"""]

        [[rules]]
        id = "generic-config-password"
        description = "Password in a configuration file"
        regex = """\
        (?im)^[ \\t]*(?:[#;]{1,3}[ \\t]{0,4}|//[ \\t]?)?(?:-[ \\t]+|export[ \\t]+|ENV[ \\t]+|set\
        [ \\t]+)?[\"']?[\\w.:-]{0,60}(?:passw(?:or)?d|passwd|passphrase|pwd|[_.-]pass|\\bpass|[_\
        .-]pw)(?:[_.-]?(?:sys|root|admin|db|v?\\d{1,2}))?[\"']?[ \\t]{0,8}[=:][ \\t]{0,8}([^\\s\
        \"'`$<>(){}\\[\\];|&,*%#!@|>][^\\s\"'`$<>(){},;&]{3,120})[ \\t]*(?:#.*)?\\r?(?:$|\\n)"""
        keywords = ["passw", "passphrase", "pwd", "pass", "_pw", ".pw", "-pw"]
        entropy = 0.9
        path = """\
        (?i)(?:\\.(?:ya?ml|ini|cfg|conf|config|cnf|properties|env|toml|txt|md|rst|adoc|sh|bash|p\
        s1|bat|example|sample|dist|tf|tfvars|template|local|plist|ldif|hosts|inventory|defaults?\
        |rsp|tmpl|j2|erb|service|cnf)|(?:^|/)(?:\\.env[\\w.]*|Dockerfile[\\w.-]*|Vagrantfile|Mak\
        efile|hosts|config|credentials|\\.\\w+rc))$"""
        [[rules.allowlists]]
        regexes = ["""\
        (?i)^(?:[a-z]+!|[^a-z0-9]*|(?:[a-z]+[_ .-])+pass(?:word|wd|phrase)\\d?|[a-z-]+:[A-Z]\\w+\
        |[\\^~]\\d+\\..*|function|object|number|boolean|(?-i:Password|[A-Z][A-Za-z]*[ _-]?[Pp]as\
        s(?:word|wd|phrase)?)|pass|test|test123|foo|bar|baz|key|example|(?:your[_-]?|(?:my|the|u\
        ser)[_-])passw(?:or)?d.*|passw(?:or)?d(?:[_-]\\w+|value|name|field|hash|text|input|label\
        )|.*(?:\\$\\{[\\w.:?!#%/@^,* -]*(?:[}\\[(|\\\"'\\\\]|$)|\\{\\{[\\w.:$|()'\\\" -]*(?:\\}\
        \\}|$)|%\\(|<%|#\\{|\\$\\(|\\{(?:[\\w.:]{2,}|\\d)?\\}|%s|%v|<[a-z_ -]+>|&lt;).*|\\$[\\w.\
        \\[\\]'\">-]+|%\\w+%?|<.*>|\\{.*\\}|\\[.*\\]|x{3,}|\\.{3,}|null|none|nil|true|false|yes|\
        no|undefined|string|str|text|hidden|input|label|default|required.*|optional|enter.*|plea\
        se.*|your.*|.*placeholder.*|.*redacted.*|.*\\bexample.*|invalid.*|[#./]\\S*|https?://.*|\
        \\w+\\([^)]*\\)|[a-z][a-z',.()!?:/*-]*(?: +[a-z0-9',.()!?:/*-]+)+|\\s.*|.*\\s|[^0-9]*\\s\
        [^0-9]*|[^0-9]*[\\x80-\\xff][^0-9]*|contrasen\\w+|passwort|parole?|senha|kennwort|wachtw\
        oord|passord|adgangskode|#.*#|'+.*|[\\w.]+\\[.*|\\d{1,3}|/\\S+|[\\w.-]+@[\\w.-]+|.*\\\\n\
        .*|\\w+\\.\\w+(?:\\.\\w+)*\\(?.*|changeme!{0,2}\\?)$"""]

        [[rules]]
        id = "generic-env-password"
        description = "Password beside its name, without quotes"
        regex = """\
        (?i)(?:passw(?:or)?d|passwd|passphrase|passcode|pwd|[_.-]pass|\\bpass|pswd)(?:[_.-]?(?:h\
        ash|prod|dev|db|root|admin|\\d{1,2}))?[\"'\\]]{0,2}(?:\\s{0,3}|[ \\t]{4,16})(?:=|:\\s|:)\
        \\s{0,3}([^\\s\"'`,;<>(){}\\[\\]$&|*%\\\\][^\\s\"'`,;<>(){}\\[\\]$&|\\\\]{4,120})(?:[\\s\
        \"',;&<\\\\})\\]]|$)"""
        keywords = [
            "passw", "passphrase", "passcode", "pwd", "_pass", ".pass", "-pass", "pass", "pswd",
        ]
        [[rules.allowlists]]
        regexes = ["""\
        (?i)^(?:[=!@:-].*|.*==.*|\\w+[.\\w]*\\?\\w*|[\\w.-]*[a-z]=|.*\\w\\?\\w.*|[^0-9]*\\.\\w+|\
        [a-z]+!|\\w+\\?\\.\\w.*|[^0-9]*[\\x80-\\xff][^0-9]*|#+\\w*|\\?\\w*|\\w+=\\w*|[a-z_./:-]*\
        |[\\w]+\\.[\\w.]+|[a-z]\\w*(?:::|->)\\w+.*|\\w+\\?\\.?|0x[0-9a-f]+|\\d{1,5}|.*change.?me\
        .*|.*example.*|your.*|(?:[a-z]*[_-])*passwords?|(?-i:[A-Z][a-z]\\w*_[A-Za-z]+|[a-z]+_[a-\
        z_]+)|#.*#|'+.*|\\w+\\[.*|.*=>.*|-+|=+|@\\w+.*|/.*|https?:.*)$"""]

        [[rules]]
        id = "letters-password"
        description = "Random letters as a password, without quotes"
        regex = """\
        (?i)(?:\\s--?(?:password|passwd|pass|pwd)\\s{1,2}|(?:password|passwd|passphrase|[_.-]pas\
        s|\\bpass|[_.-]pwd|\\bpwd)[\"']?\\s{0,3}(?:=|:)\\s{0,3})((?-i:[A-Za-z]{1,60}[a-z][A-Z][A\
        -Za-z]{3,60}))(?:[\\s\"'`,;&<)}\\]\\\\]|$)"""
        keywords = ["password", "passwd", "passphrase", "pass=", "pass:", "pwd=", "pwd:"]
        entropy = 2.3

        [[rules]]
        id = "generic-user-password"
        description = "Password after its user"
        regex = """\
        (?i)\\b(?:user|username|usr|login)[\"']?\\s{0,3}(?:=>|[:=])\\s{0,3}[\"']?[\\w.@-]{1,60}[\
        \"']?(?:\\s{0,2}[,;&\\s]\\s{0,3}[\"']?(?:password|passwd|pass|pwd)[\"']?\\s{0,3}(?:=>|[:\
        =])\\s{0,3}[\"']([^\\s\"'`,;<>(){}\\[\\]$&|*%\\\\.]{4,80})[\"']|(?:\\s{1,2}|[;&]\\s?)(?:\
        password|passwd|pass|pwd)(?:=|:\\s?)([^\\s\"'`,;<>(){}\\[\\]$&|*%\\\\.]{4,80})(?:[\\s\"'\
        ;&]|$)|,\\s?(?:password|passwd|pass|pwd):\\s?([^\\s\"'`,;<>(){}\\[\\]$&|*%\\\\.]{4,80})\
        \\s?\\})"""
        keywords = ["passw", "pass", "pwd"]
        entropy = 1
        [[rules.allowlists]]
        regexes = ["""\
        (?i)^(?:pass|test|world|hash_.*|\\w+_(?:pass|passw(?:or)?d|value|hash)|(?:my|new|old|use\
        r|the|db)?_?(?:password|passwd|pwd|pass)|p|none|null|nil|string!?|str|text|true|false|us\
        er.*|my.*|your.*|xxx+|process|os|env|self|this|config|options?|[a-z]+!)$|[\\x80-\\xff]"""]

        [[rules]]
        id = "generic-default"
        description = "Secret that stands in for a variable of the environment"
        regex = """\
        (?:(?i:getenv|environ\\.get|env|fetch|get)\\(\\s?[\"'][A-Z0-9_]{0,40}(?:PASSWORD|PASSWD|\
        _PASS|_PWD|SECRET|TOKEN|_KEY)[\"']\\s?(?:,\\s?(?:default\\s?=\\s?)?|\\)\\s?(?:or|\\|\\||\
        \\?\\?|\\?:)\\s?)|(?i:env|environ)(?:\\.|\\[[\"'])[A-Z0-9_]{0,40}(?:PASSWORD|PASSWD|_PAS\
        S|_PWD|SECRET|TOKEN|_KEY)[\"'\\])]{0,3}\\s?(?:\\|\\||\\?\\?|or)\\s?)[\"']([^\"'\\s${}<>%\
        ]{4,200})[\"']"""
        keywords = ["password", "passwd", "_pass", "_pwd", "secret", "token", "_key"]
        entropy = 1.4
        [[rules.allowlists]]
        regexes = ["""\
        (?i)^(?:password|passwd|pass|secret|key|token|none|null|true|false|string|str|default|ch\
        angeme|your.*|.*example.*|[a-z]+(?:[._-][a-z]+)+|https?:.*|/.*|x+|\\*+|[a-z_]*(?:key|tok\
        en|secret|password))$"""]

        [[rules]]
        id = "generic-secret-word"
        description = "Secret beside its name, in quotes"
        regex = """\
        (?i)(?:(?:client|app|shared|jwt|session|cookie|consumer|hmac|signing|webhook|oauth|api|a\
        uth|storage|http|hash|token)[_.-]?secret|[^\\w]secret|[_.-]secret|secret[_.-]?(?:key|tok\
        en)|(?:jwt|session|cookie|signing|crypt|encryption|token)[_.-]?key(?:[_.-]?base)?)[\"'\\\
        ]]{0,2}\\s{0,8}(?::=|=>|==?=?|!==?|:)\\s{0,8}(?:\"([^\"\\s]{6,120})\"|'([^'\\s]{6,120})'\
        )"""
        keywords = ["secret", "key"]
        entropy = 2
        [[rules.allowlists]]
        regexes = ["""\
        (?i)^(?:.*\\.{3}|@.*|[\\w-]{0,4}(?:012345|123456789|abcdefgh|abcdef12|qwerty)[\\w-]{0,6}\
        |.*789[+][/].*|[^a-z0-9]*|(?:[a-z]+[_ .-])+pass(?:word|wd|phrase)?\\d?|[\\^~]\\d+\\..*|f\
        unction|object|number|boolean|(?-i:Password|[A-Z]\\w*[ _-]?[Pp]ass(?:word|wd|phrase)?)|p\
        ass|test|test123|foo|bar|baz|key|secret|example|(?:your[_-]?|(?:my|the|user)[_-])passw(?\
        :or)?d.*|passw(?:or)?d(?:[_-]\\w+|value|name|field|hash|text|input|label)|.*(?:\\$\\{[\\\
        w.:?!#%/@^,* -]*(?:[}\\[(|\\\"'\\\\]|$)|\\{\\{[\\w.:$|()'\\\" -]*(?:\\}\\}|$)|%\\(|<%|#\
        \\{|\\$\\(|\\{(?:[\\w.:]{2,}|\\d)?\\}|%s|%v|<[a-z_ -]+>|&lt;).*|\\$[\\w.\\[\\]'\">-]+|%\
        \\w+%?|<.*>|\\{.*\\}|\\[.*\\]|x{3,}|\\.{3,}|null|none|nil|true|false|yes|no|undefined|st\
        ring|str|text|hidden|input|label|default|required.*|optional|enter.*|please.*|your.*|.*p\
        laceholder.*|.*redacted.*|.*\\bexample.*|invalid.*|[#./]\\S*|https?://.*|\\w+\\([^)]*\\)\
        |[a-z][a-z',.()!?:/*-]*(?: +[a-z0-9',.()!?:/*-]+)+|\\s.*|.*\\s|[^0-9]*\\s[^0-9]*|[^0-9]*\
        [\\x80-\\xff][^0-9]*|contrasen\\w+|passwort|parole?|senha|kennwort|wachtwoord|passord|ad\
        gangskode|#.*#|'+.*|[\\w.-]*[_.-](?:secrets?|key|token)\\w*|(?:my|your|the|app|some|clie\
        nt|test|api|fake|dummy)[_-]?(?:secret|key|token).*|[A-Z]+(?:_[A-Z0-9]+)+|client[_-]?secr\
        et|secret[_-]?\\w*|\\w+\\.\\w+(?:\\.\\w+)*|\\w+/[\\w/.-]+|[a-z]+(?:[_-][a-z]+)+|(?-i:[a-\
        z]+(?:[A-Z][a-z]+)+)|.{0,7})$"""]

        [[rules]]
        id = "generic-secret"
        description = "Key, secret or token beside its name, in quotes"
        regex = """\
        (?i)(?:pub(?:lic)?(?:[_.-]?key)?[_.-]?|host[_.-]?)?(?:api[_.-]?key|apikey|secret|token|a\
        uth[_.-]?key|access[_.-]?key|private[_.-]?key|credentials?|signing[_.-]?key|encryption[_\
        .-]?key|secret[_.-]?key|app[_.-]?key|consumer[_.-]?key|oauth_(?:verifier|signature)|mast\
        er[_.-]?key|license[_.-]?key|account[_.-]?key|\\bsalt|[_.-]salt|session[_.-]?key)(?:[_.-\
        ]?(?:base|hash|base64|value|val|str|string|text|default|test|prod|dev|live|\\d{1,2}))?[\
        \"'\\]]{0,2}\\s{0,24}(?::=|=>|\\+?==?=?|!==?|:|,|\\((?:\\s?[\\w.]{1,30}\\()?)\\s{0,24}(?\
        :[a-z]{1,2}|@)?(?:\"([^\"\\s]{8,400})\"|'([^'\\s]{8,400})'|`([^`\\s]{8,400})`)"""
        keywords = ["key", "secret", "token", "oauth_", "credential", "salt"]
        entropy = 2.8
        [[rules.allowlists]]
        regexes = ["""\
        (?i)^(?:\\w+=[^,]*,.*|[~@%]/?\\w.*[/.%].*|@/.*|[\\w.]+\\\\\\w+|[^0-9]*[\\x80-\\xff][^0-9\
        ]*|\\dfa-\\w+|(?-i:[a-z ._/:-]*|[A-Z ._/:-]*|(?:[ _./:-]?(?:[A-Z]?[a-z]{2,}|[A-Z]{2,5}))\
        +)|[^a-z]*|.*(?:\\$\\{[\\w.:?!#%/@^,* -]*(?:[}\\[(|\\\"'\\\\]|$)|\\{\\{[\\w.:$|()'\\\" -\
        ]*(?:\\}\\}|$)|%\\(|<%|#\\{|\\$\\(|<[a-z_ -]+>).*|\\$[\\w.\\[\\]'\">-]+|%\\w+%?|<.*>|\\{\
        .*\\}|\\[.*\\]|.*x{4,}.*|.*change.?me.*|.*placeholder.*|.*redacted.*|.*example.*|your.*|\
        /[\\w./-]+|https?://.*|[a-z]+://.*|[\\w.]+\\([^)]*\\)|(?-i:[a-z]{2,}(?:[_.:/-][a-z]+)*[_\
        .:/-]?\\d{1,3}|[a-z]+(?:[A-Z][a-z]+)+\\d{0,2}|[A-Z]+(?:[_-][A-Z]+)*[_-]?\\d{1,3})|(?:[a-\
        z]+\\d?[._/-])+[a-z]+\\d?|[\\w-]{0,4}(?:012345|123456789|abcdefgh|abcdef12|qwerty)[\\w-]\
        {0,6}|.*789[+][/].*|\\d{4}-\\d\\d-\\d\\d.*|[\\w.$>-]+[(\\[].*|[(\\[{].*|.*[()]|[\\w.-]+\
        \\.(?:json|ya?ml|pem|key|txt|js|ts|py|go|java|png|svg|html|css|php|rb|xml|crt|p12)|sha(?\
        :256|384|512)-.*|\\d+[a-z]{1,3})$"""]
        [[rules.allowlists]]
        regexTarget = "match"
        regexes = ['''(?i)^(?:pub|host)''']

        [[rules]]
        id = "generic-random"
        description = "Random value beside a name of a key, in quotes"
        regex = """\
        (?i)[\\w.-]{0,40}(?:key|secret|token|auth|credentials?|ticket|verifier|salt|auth_?code|o\
        auth_signature|cookie_?password|access_?key_?secret)(?:[_.-]?(?:base|base64|hex|value|va\
        l|str|string|text|data|bytes|default|test|prod|dev|live|new|old|\\d{1,2}))?[\"'\\]]{0,2}\
        (?:\\s\\)|,\\s?\\w{1,8})?\\s{0,24}(?::\\s?[\\w\\[\\]]{1,12}\\s?=|:=|=>|\\+?==?=?|!==?|:|\
        ,|\\()\\s{0,24}(?:[a-z]{1,2}|@|(?:new\\s)?[\\w.\\[\\]]{1,30}\\([bur@]?)?[\"'`]{1,2}([A-Z\
        a-z0-9+/_=.~!@#%^*$?:-]{9,1000})(?:[\"'`]|$)"""
        keywords = [
            "key", "secret", "token", "auth", "credential", "ticket", "verifier", "salt",
            "oauth_", "cookie",
        ]
        entropy = 2.2
        [[rules.allowlists]]
        regexes = ["""\
        (?i)^(?:0x[0-9a-f]{1,16}u?l{0,2}|base(?:64|32)[_-]?[a-z-]+|.*(?:\\$\\{[\\w.:?!#%/@^,* -]\
        *(?:[}\\[(|\\\"'\\\\]|$)|\\{\\{[\\w.:$|()'\\\" -]*(?:\\}\\}|$)|%\\(|<%|#\\{|\\$\\(|<[a-z\
        _ -]+>).*|\\$[\\w.\\[\\]'\">-]+|.*x{4,}.*|.*change.?me.*|.*placeholder.*|.*redacted.*|.*\
        example.*|your.*|/[\\w./-]+|[a-z]+://.*|[\\w.]+\\([^)]*\\)|[\\w-]{0,4}(?:012345|12345678\
        9|abcdefgh|abcdef12|qwerty)[\\w-]{0,6}|.*789[+][/].*|\\d{4}-\\d\\d-\\d\\d.*|sha(?:1|256|\
        384|512)[-:].*|\\w+\\.\\w+\\.\\w+|[\\w.-]+\\.(?:json|ya?ml|pem|key|txt|js|ts|py|go|java|\
        png|svg|html|css|php|rb|xml|crt|p12)|ssh-\\w+|[a-f0-9]{2}(?::[a-f0-9]{2})+)$"""]
        [[rules.allowlists]]
        regexTarget = "match"
        regexes = ["""\
        (?i)^[\\w.-]*(?:x-amz-signature$|public|pub|host|primary|foreign|partition|encrypted|gpg\
        |object|cache|fingerprint|integrity|etag|next|continuation|page|cursor|resume|sync|idemp\
        otency|translation|sort|range|row|i18n|locale|css|html)[_.-]?\\w{0,12}(?:key|token|auth)"""]

        [[rules]]
        id = "generic-env-random"
        description = "Random value beside a name of a key, without quotes"
        regex = """\
        (?i)[\\w.-]{0,40}(?:key|secret|token|auth|credentials?|ticket|verifier|salt|auth_?code|o\
        auth_signature|cookie_?password|access_?key_?secret)(?:[_.-]?(?:base|base64|hex|value|va\
        l|str|string|text|data|bytes|default|test|prod|dev|live|new|old|\\d{1,2}))?[\"']?\\s{0,3\
        }(?:=|:\\s{0,3})\\s{0,3}([A-Za-z0-9+/_=~%-]{12,1000})(?:[\\s\"'`,;&<)}\\]\\\\]|$)"""
        keywords = [
            "key", "secret", "token", "auth", "credential", "ticket", "verifier", "salt",
            "oauth_", "cookie",
        ]
        entropy = 2.3
        [[rules.allowlists]]
        regexes = ["""\
        (?i)^(?:(?-i:[a-z]+\\d{0,2}(?:[A-Z][a-z]+)+\\d{0,2})|0x[0-9a-f]{1,16}u?l{0,2}|base(?:64|\
        32)[_-]?[a-z-]+|.*(?:\\$\\{[\\w.:?!#%/@^,* -]*(?:[}\\[(|\\\"'\\\\]|$)|\\{\\{[\\w.:$|()'\
        \\\" -]*(?:\\}\\}|$)|%\\(|<%|#\\{|\\$\\(|<[a-z_ -]+>).*|\\$[\\w.\\[\\]'\">-]+|.*x{4,}.*|\
        .*change.?me.*|.*placeholder.*|.*redacted.*|.*example.*|your.*|/[\\w./-]+|[a-z]+://.*|[\
        \\w.]+\\([^)]*\\)|[\\w-]{0,4}(?:012345|123456789|abcdefgh|abcdef12|qwerty)[\\w-]{0,6}|.*\
        789[+][/].*|\\d{4}-\\d\\d-\\d\\d.*|sha(?:1|256|384|512)[-:].*|\\w+\\.\\w+\\.\\w+|[\\w.-]\
        +\\.(?:json|ya?ml|pem|key|txt|js|ts|py|go|java|png|svg|html|css|php|rb|xml|crt|p12)|ssh-\
        \\w+|[a-f0-9]{2}(?::[a-f0-9]{2})+)$"""]
        [[rules.allowlists]]
        regexTarget = "match"
        regexes = ["""\
        (?i)^[\\w.-]*(?:x-amz-signature$|public|pub|host|primary|foreign|partition|encrypted|gpg\
        |object|cache|fingerprint|integrity|etag|next|continuation|page|cursor|resume|sync|idemp\
        otency|translation|sort|range|row|i18n|locale|css|html)[_.-]?\\w{0,12}(?:key|token|auth)"""]

        [[rules]]
        id = "generic-env-secret"
        description = "Key, secret or token beside its name, without quotes"
        regex = """\
        (?i)(?:pub(?:lic)?(?:[_.-]?key)?[_.-]?|host[_.-]?)?(?:api[_.-]?key|apikey|secret|token|a\
        uth[_.-]?key|access[_.-]?key|private[_.-]?key|credentials?|signing[_.-]?key|encryption[_\
        .-]?key|secret[_.-]?key|app[_.-]?key|consumer[_.-]?key|master[_.-]?key|license[_.-]?key|\
        [_.-]salt|session[_.-]?key)(?:[_.-]?(?:base|base64|value|default|test|prod|dev|live|\\d{\
        1,2}))?[\"']?\\s{0,3}(?:=|:\\s)\\s{0,3}([A-Za-z0-9_+/=.~:!@#%^*-]{12,400})(?:[\\s\"',;&<\
        \\\\]|$)"""
        keywords = ["key", "secret", "token", "credential", "salt"]
        entropy = 3.2
        [[rules.allowlists]]
        regexes = ["""\
        (?i)^(?:[@*]\\w.*|(?-i:[a-z ._/:-]*|[A-Z ._/:-]*|(?:[ _./:-]?(?:[A-Z]?[a-z]{2,}|[A-Z]{2,\
        5}))+)|[^a-z]*|\\w+\\.[\\w.]*[a-z][\\w.]*|[a-z]\\w*(?:::|->)\\w+.*|.*x{4,}.*|.*change.?m\
        e.*|.*placeholder.*|.*example.*|your.*|/[\\w./-]+|https?:.*|(?-i:[a-z]{2,}(?:[_.:/-][a-z\
        ]+)*[_.:/-]?\\d{1,3}|[a-z]+(?:[A-Z][a-z]+)+\\d{0,2}|[A-Z]+(?:[_-][A-Z]+)*[_-]?\\d{1,3})|\
        (?:[a-z]+\\d?[._/-])+[a-z]+\\d?|[A-Z]+(?:_[A-Z0-9]+)+|[a-z]+(?:_[a-z0-9]+)+|[\\w-]{0,4}(\
        ?:012345|123456789|abcdefgh|abcdef12|qwerty)[\\w-]{0,6}|.*789[+][/].*|\\d{4}-\\d\\d-\\d\
        \\d.*|sha(?:256|384|512)-.*|.*/.*\\.\\w{2,5})$"""]
        [[rules.allowlists]]
        regexTarget = "match"
        regexes = ['''(?i)^(?:pub|host)''']

        [[rules]]
        id = "generic-shell-secret"
        description = "Secret in a variable of the environment"
        regex = """\
        \\b(?:[A-Z][A-Z0-9_]{0,60})?(?:SECRET|TOKEN|API_?KEY|SECRET_KEY|AUTH_KEY|OAUTH_KEY|ACCES\
        S_KEY)\\d?=[\"']?([^\\s\"'`$<>(){}\\[\\];|&\\\\*%][^\\s\"'`$<>(){};|&\\\\]{7,200})(?:[\\\
        s\"'`\\\\;&|]|$)"""
        keywords = ["secret", "token", "apikey", "api_key", "auth_key", "access_key"]
        entropy = 2.8
        [[rules.allowlists]]
        regexes = ["""\
        (?i)^(?:!?change.?me.*|.*\\[.*|[\\w-]{0,4}(?:012345|123456789|abcdefgh|abcdef12|qwerty)[\
        \\w-]{0,6}|.*789[+][/].*|[a-z]+(?:-[a-z]+)*-\\d{1,2}|[^a-z0-9]*|(?:[a-z]+[_ .-])+pass(?:\
        word|wd|phrase)\\d?|[a-z-]+:[A-Z]\\w+|[\\^~]\\d+\\..*|function|object|number|boolean|(?-\
        i:Password|[A-Z]\\w*[ _-]?[Pp]ass(?:word|wd|phrase)?)|pass|test|test123|foo|bar|baz|key|\
        secret|example|(?:your[_-]?|(?:my|the|user)[_-])passw(?:or)?d.*|passw(?:or)?d(?:[_-]\\w+\
        |value|name|field|hash|text|input|label)|.*(?:\\$\\{[\\w.:?!#%/@^,* -]*(?:[}\\[(|\\\"'\\\
        \\]|$)|\\{\\{[\\w.:$|()'\\\" -]*(?:\\}\\}|$)|%\\(|<%|#\\{|\\$\\(|\\{(?:[\\w.:]{2,}|\\d)?\
        \\}|%s|%v|<[a-z_ -]+>|&lt;).*|\\$[\\w.\\[\\]'\">-]+|%\\w+%?|<.*>|\\{.*\\}|\\[.*\\]|x{3,}\
        |\\.{3,}|null|none|nil|true|false|yes|no|undefined|string|str|text|hidden|input|label|de\
        fault|required.*|optional|enter.*|please.*|your.*|.*placeholder.*|.*redacted.*|.*\\bexam\
        ple.*|invalid.*|[#./]\\S*|https?://.*|\\w+\\([^)]*\\)|[a-z][a-z',.()!?:/*-]*(?: +[a-z0-9\
        ',.()!?:/*-]+)+|\\s.*|.*\\s|[^0-9]*\\s[^0-9]*|[^0-9]*[\\x80-\\xff][^0-9]*|contrasen\\w+|\
        passwort|parole?|senha|kennwort|wachtwoord|passord|adgangskode|#.*#|'+.*|[\\w.]+\\[.*|\\\
        d+|/\\S+|\\w+\\.\\w+(?:\\.\\w+)*|(?:my|your|the|app|some|client|test|api|fake|dummy)[_-]\
        ?(?:secret|key|token).*|[a-z]+(?:[_-][a-z]+)+|true|false)$"""]
        """#
}
