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
        }[:=,])\\s{1,3}[\"']?([A-Za-z0-9_.~+/=-]{12,})"""
        keywords = [
            "bearer", "authorization", "x-api-key", "x-auth-token", "x-access-token",
            "x-vault-token", "x-gitlab-token",
        ]
        entropy = 3
        [[rules.allowlists]]
        regexes = ['''^[A-Za-z_.-]+$|^\+|^\w+_\w+=''']
        [[rules.allowlists]]
        stopwords = ["example", "your", "xxxx"]

        [[rules]]
        id = "basic-header"
        description = "Credentials in an authorization header"
        regex = '''(?i)\bbasic\s{1,2}([A-Za-z0-9+/]{8,400}={0,2})(?:[^A-Za-z0-9+/=]|$)'''
        keywords = ["basic"]
        entropy = 2.5
        [[rules.allowlists]]
        regexes = ['''^(?:[A-Z]?[a-z]+|[A-Z]+|[A-Za-z]+/[A-Za-z]+|[A-Z]?[a-z]+[A-Z][a-z]+)$''']

        [[rules]]
        id = "url-credentials"
        description = "Password in a URL"
        regex = """\
        (?i)\\b[a-z][a-z0-9+.-]{1,20}://[^\\s:/@\"'<>{}$(]{0,80}:([^\\s/@\"'<>{}$()]{3,200}|[^\\\
        s@\"'<>{}$()]{3,80})@[\\w.\\[%-]{1,100}"""
        keywords = ["://"]
        [[rules.allowlists]]
        regexes = ["""\
        ^(?:[A-Z_]{6,}|(?:wrong|invalid|bad|incorrect)[_-]?\\w+|PASSWO\
        RD|PASS|pass|\\*+|x+|X+|\\.{3}|\
        %s|port|\\d{1,5}|\\[.*|(?i:pwd?\\d?|-?redacted-?|x-oauth-(?:token|basic)))$|^\\d{2,5}[/#\
        ?]|\\*{3}"""]
        [[rules.allowlists]]
        regexTarget = "match"
        regexes = ["""\
        (?i)://(?:(?:my|db|the|your|some)?[_-]?(?:user|username|usr|name|login|uid)[_-]?(?:name)\
        ?\\d?:(?:my|db|the|your|some)?[_-]?(?:pass|password|passwd|pwd|pw)\\d?|foo:bar|hello:wor\
        ld|xxx+:.*|token:.*token|%\\w:pass)@|:(?:[A-Za-z]{3,14}\\d{0,3}|[^@/]*pass[^@/]*)@(?:[\\\
        w-]+\\.)*example\\.(?:com|org|net|edu)$"""]

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
        regexes = ["""\
        (?i)^(?:value|text|input|result|param\\w*|(?:new|old|user|db|the|this)?_?(?:password|pas\
        s|pwd)\\w*|password|pass|pwd|\\*+|x+|null|none|.{0,2})$|^[%#@(]|\\($|\\[|^\\w+\\.\\w+$|\
        \\)$"""]

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
        id = "signature-value"
        description = "Signature beside its name in JSON"
        regex = '''(?i)\\?["']sig\\?["']\s{0,2}:\s{0,2}\\?["']([a-f0-9]{32,128})\\?["']'''
        keywords = ["sig"]

        [[rules]]
        id = "cli-password"
        description = "Password on a command line"
        regex = """\
                (?i)(?:^|[\\s\"'])--?(?:[\\w-]{0,20}password|passwd|passphrase|pass|pwd|[\\w-]{0,20\
        }token|secret|api-?key|secret-?key|auth-?token|access-?token)(?:=|\\s{1,2}|[\"'],\\s{1,2})[\
        \"']?([^\\s\"'$<>{}()\\[\\],;|`-][^\\s\"'$<>{}()\\[\\]`]{5,200})"""
        keywords = ["password", "-passwd", "-pass", "-pwd", "token", "-secret", "-api"]
        entropy = 1.9
        [[rules.allowlists]]
        regexes = ["""\
        ^[A-Za-z_.-]+$|^/|^\\\\|^@|^%|^id=|^(?:file|env|fd|stdin):|\\.{3}$|^[a-z]+(?:-[a-z]+)*-\
        \\d{1,2}$"""]

        [[rules]]
        id = "cli-word-password"
        description = "Password of letters on a command line with a user"
        regex = """\
        (?i)\\s(?:-u|-l|--?(?:user|username|login|user-name))(?:=|\\s{1,2})[\"']?[^\\s\"'-][^\\s\
        \"']{0,60}[\"']?\\s{1,2}(?:--?[\\w-]{1,20}(?:=|\\s{1,2})[^\\s-]\\S{0,60}\\s{1,2}){0,3}--\
        ?(?:password|passwd|pass|pwd)(?:=|\\s{1,2})[\"']?([A-Za-z]{4,60})(?:[\\s\"'`\\\\|;&)]|$)"""
        keywords = ["password", "-passwd", "-pass", "-pwd"]
        [[rules.allowlists]]
        regexes = ["""\
        (?i)^(?:pass(?:word|wd)?|pwd|secret|string|text|token|file|prompt|stdin|my.*|your.*|user\
        .*|.*password.*|example|xxx+|yyy+)$"""]

        [[rules]]
        id = "property-password"
        description = "Password in a property of the Java command line"
        regex = """\
        -D[\\w.-]{0,60}(?i:password|passwd|passphrase)=[\"']?([^\\s\"'$<>{}();|&\\\\]{4,120})"""
        keywords = ["password=", "passwd=", "passphrase="]
        [[rules.allowlists]]
        regexes = ['''(?i)^(?:password|\*+|x+)$''']

        [[rules]]
        id = "xml-password"
        description = "Secret in an XML element or attribute"
        regex = """\
        (?i)<(?:[\\w.:-]{0,40}(?:password|passwd|passphrase|pass|secret|apikey|api_key|token|acc\
        esskey|privatekey))>\\s{0,8}([^<>\\s{}$%][^<>\\s{}]{3,200})\\s{0,8}</"""
        keywords = [
            "pass>", "password>", "passwd>", "passphrase>", "secret>", "apikey>", "api_key>",
            "token>", "accesskey>", "privatekey>",
        ]
        [[rules.allowlists]]
        regexes = ["""\
        (?i)^(?:\".*|.*_\\w+_.*\"|true|false|none|null|password|\\*+|string|\\d{1,3}|x+)$|^\\$|^\
        [@#]\\{"""]

        [[rules]]
        id = "xml-pass"
        description = "Password in an XML element with attributes"
        regex = """\
        (?i)<pass(?:word|wd)?\\s[^<>]{1,80}>\\s{0,8}([^<>\\s{}$%][^<>\\s{}]{3,200})\\s{0,8}</pas\
        s"""
        keywords = ["<pass"]

        [[rules]]
        id = "xml-value"
        description = "Secret in the value beside its XML name"
        regex = """\
        (?i)(?:name|key|id)=[\"'][\\w.:-]{0,40}(?:password|passwd|pwd|secret|apikey|api_key|api-\
        key|token|accesskey)[\"']\\s{1,4}value=[\"']([^\"'<>{}%\\s]{4,200})[\"']"""
        keywords = ["value="]
        [[rules.allowlists]]
        regexes = ['''(?i)^(?:true|false|none|null|password|\*+|\d{1,3}|x+)$''']

        [[rules]]
        id = "named-value"
        description = "Secret in the value beside its name in JSON or YAML"
        regex = """\
        (?i)[\"']?(?:name|key)[\"']?\\s{0,2}:\\s{0,2}[\"']?[\\w.-]{0,40}(?:password|passwd|_pwd|\
        _pass|secret|api_?key|_token|secret_?key|_key)[\"']?(?:\\s{0,2},)?\\s{1,40}[\"']?\
        value[\"']?\\s{0,2}:\\s{0,2}[\"']?([^\\s\"'${}<>%*|>][^\\s\"'${}<>%]{5,200})[\"']?(?:[\\\
        s,}\\]]|$)"""
        keywords = ["\"value\"", "value:"]
        entropy = 2
        [[rules.allowlists]]
        regexes = ["""\
        (?i)^(?:(?:true|false|null),?|none|null|password|\\d{1,3}|x+|changeme|your.*|.*example.*\
        |[a-z]+(?:[-_][a-z]+)+|/.*|https?:.*)$"""]

        [[rules]]
        id = "sql-bare-password"
        description = "Password in SQL of Oracle, without quotes"
        regex = '''(?i)identified\s{1,3}by\s{1,3}([a-z][\w$#]{3,60})(?:[\s;,]|$)'''
        keywords = ["identified"]
        [[rules.allowlists]]
        regexes = ['''(?i)^(?:password|values|externally|globally|[a-z_]*password|[a-z]{1,8})$''']

        [[rules]]
        id = "sql-password"
        description = "Password in SQL"
        regex = """\
        (?i)(?:identified\\s{1,3}(?:with\\s{1,3}\\S{1,40}\\s{1,3})?by(?:\\s{1,3}password)?|(?:^|\
        [\\s,=(])password\\s{0,2}\\(|with\\s(?:encrypted\\s)?password|set\\s{1,3}password\\s{0,2\
        }=)\\s{0,3}\\(?\\s{0,2}[\"']([^\"'\\r\\n$]{3,120})[\"']"""
        keywords = ["identified", "password"]
        [[rules.allowlists]]
        regexes = ["""\
        (?i)^(?:(?:my|your|the|some)[_-]?password|[^0-9]*[\\x80-\\xff][^0-9]*|%\\w+%|`.*`|passwo\
        rd|\\*+|x+|%s|\\?|:\\w+)$|^[$<{]"""]

        [[rules]]
        id = "define-secret"
        description = "Secret in a PHP constant"
        regex = """\
        (?i)define\\(\\s{0,3}[\"'][\\w-]{0,40}(?:password|passwd|pass|pwd|secret|_key|_salt|toke\
        n)[\\w-]{0,20}[\"']\\s{0,3},\\s{0,4}[\"']([^\"'\\r\\n]{4,200})[\"']"""
        keywords = ["define("]
        [[rules.allowlists]]
        regexes = ["""\
        (?i)^(?:password|put your unique phrase here|\\*+|.*_here|null|none|true|false|[\\w.-]+\
        \\.php|[a-z_]+)$"""]

        [[rules]]
        id = "prose-password"
        description = "Password named in a sentence"
        regex = """\
        (?i)(?:password|passphrase|passwort)(?:\\s(?:for|of)\\s[^\\n\"'`]{0,40}(?:[\"'`][^\\n\"'\
        `]{1,30}[\"'`]\\s?)?)?\\s(?:is|was|to|ist)\\s{0,2}(?:now\\s|set to\\s)?[\"'`]([^\\s\"'`<\
        >${}]{4,80})[\"'`]"""
        keywords = ["passw", "passphrase"]
        [[rules.allowlists]]
        regexes = ['''(?i)^(?:password|%s|null|none|true|false|required|empty|invalid)$''']

        [[rules]]
        id = "call-credentials"
        description = "Password passed to a call that takes a user and a password"
        regex = """\
        (?i)(?:NetworkCredential|PSCredential|DirectoryEntry|UsernamePasswordCredentials?|Userna\
        mePasswordAuthenticationToken|PasswordAuthentication|HTTPBasicAuth|HTTPDigestAuth|basic_\
        auth|set_basic_auth|setBasicAuth|authBasic|DriverManager\\.getConnection|set_password|se\
        tPassword|SetPassword|check_password|create_user|createuser|mysqli?_connect|mysqli|pymys\
        ql\\.connect|login_user)\\s{0,2}\\(\\s{0,8}(?:[^,()\"']{0,40}[\"'][^\"'\\n]{0,120}[\"']\
        \\s{0,2},\\s{0,20}){0,3}[\"']([^\"'\\s${}]{4,80})[\"']\\s{0,8}\\)"""
        keywords = [
            "credential", "directoryentry", "basicauth", "basic_auth", "authbasic",
            "getconnection", "set_password", "setpassword", "check_password", "createuser",
            "create_user", "mysql", "authenticationtoken", "passwordauthentication", "digestauth",
            "login_user",
        ]
        [[rules.allowlists]]
        regexes = ['''(?i)^(?:%\w+%|\$.*|guest|password|username|user|pass|%s|.*@.*\.\w{2,4})$''']

        [[rules]]
        id = "secure-string"
        description = "Plain text of a PowerShell secure string"
        regex = """\
        (?i)ConvertTo-SecureString\\s{1,3}(?:-String\\s{1,3})?[\"']?([^\\s\"'$]{4,100})[\"']?\\s\
        {1,3}-AsPlainText"""
        keywords = ["convertto-securestring"]
        [[rules.allowlists]]
        regexes = ['''^<.*>$''']

        [[rules]]
        id = "short-option-password"
        description = "Password after -p of a program that takes one"
        regex = """\
        (?i)\\b(?:(?:mysql(?:dump|admin|import)?|mariadb)\\b[^\\n|]{0,120}?\\s-p|(?:psexec(?:64)\
        ?(?:\\.exe)?|sshpass|docker\\s{1,2}login|redis-cli|mongo(?:dump|restore|sh)?|net\\s{1,2}\
        use|smbclient|ldapsearch|ldapadd|az\\s{1,2}login)\\b[^\\n|]{0,160}?\\s-(?:p|a|w)\\s{0,2}\
        )[\"']?([^\\s\"'$%<>{}()\\[\\];|&-][^\\s\"'$%<>{}()\\[\\];|&]{3,80})"""
        keywords = [
            "mysql", "mariadb", "psexec", "sshpass", "docker", "redis-cli", "mongo", "net use",
            "smbclient", "ldap", "az login",
        ]
        [[rules.allowlists]]
        regexes = ['''(?i)^(?:password|pass|\d{2,5}|.*:\d+|/.*|\w+=.*)$''']

        [[rules]]
        id = "openssl-password"
        description = "Password in an option of OpenSSL"
        regex = """\
        (?i)(?:-k|-?pass(?:in|out|word)?|-?passargs?)[\"']?[\\s,=]{1,3}[\"']?pass:([^\\s\"'$<>{}\
        ]{3,80})"""
        keywords = ["pass:"]
        [[rules.allowlists]]
        regexes = ['''(?i)^(?:\*+|x+|password|\d{1,5}\W*|\[.*|\\.*)$''']

        [[rules]]
        id = "session-cookie"
        description = "Value of a session cookie"
        regex = """\
        (?i)(?:\\b|_|-|\\.)(?:sid|sess(?:ion)?(?:_?id)?|jsessionid|phpsessid|asp\\.net_sessionid\
        |auth_?token|remember_token|csrftoken|xsrf-token|_session)=((?:s%3A|s:)?[A-Za-z0-9%._+/-\
        ]{20,})(?:[;\\s\"'\\\\,&]|$)"""
        keywords = [
            "sid=", "sess=", "session=", "sessionid=", "session_id=", "auth_token=", "authtoken=",
            "remember_token=", "csrftoken=", "xsrf-token=",
        ]
        entropy = 3.2
        [[rules.allowlists]]
        regexes = ['''^[A-Za-z_.-]+$|^\d+$|^https?''']

        [[rules]]
        id = "token-list"
        description = "Tokens in a JSON list"
        regex = """\
        (?i)(?:tokens|secrets|passwords|api_?keys)\\\\?\"\\s{0,2}:\\s{0,2}\\[\\s*(\\\\?\"[^\"\\s\
        \\\\]{8,}\\\\?\"(?:\\s*,\\s*\\\\?\"[^\"\\s\\\\]+\\\\?\")*)\\s*\\]"""
        keywords = ["tokens", "secrets", "passwords", "keys"]
        [[rules.allowlists]]
        regexes = ['''^[A-Za-z_.-]+$|^[A-Za-z]+\d?$''']

        [[rules]]
        id = "django-secret-key"
        description = "Secret key of Django"
        regex = '''SECRET_KEY\s{0,3}=\s{0,3}[bur]?["']((?:[^"'\n\\]|\\.){32,100})["']'''
        keywords = ["secret_key"]

        [[rules]]
        id = "kerberos-hash"
        description = "Kerberos ticket or hash"
        regex = '''(\$krb5(?:asrep|tgs|pa)\$\d{1,2}\$[\w@.$*:/-]{40,})'''
        keywords = ["$krb5"]

        [[rules]]
        id = "kubernetes-bootstrap-token"
        description = "Bootstrap token of Kubernetes"
        regex = """\
        (?i)(?:bootstrap|kubeadm|--token)[\\w \\]-]{0,24}[= :\"']{1,4}([a-z0-9]{6}\\.[a-z0-9]{16\
        })\\b"""
        keywords = ["bootstrap", "kubeadm", "--token"]

        [[rules]]
        id = "vault-unseal-key"
        description = "Unseal key of Vault"
        regex = '''(?i)unseal(?:\s{1,2}key\s{1,2}\d{1,2}:)?\s{1,3}([A-Za-z0-9+/]{44})\b'''
        keywords = ["unseal"]

        [[rules]]
        id = "json-web-key"
        description = "Private part of a JSON Web Key"
        regex = """\
        (?:^|[\\s{,])[\"']?(?:d|k|dp|dq|qi|p|q)[\"']?\\s{0,2}:\\s{0,2}[\"']([A-Za-z0-9_-]{32,100\
        0}={0,2})[\"']"""
        keywords = [
            "\"d\"", "\"k\"", "\"dp\"", "\"dq\"", "\"qi\"", "\"p\"", "\"q\"", "d:", "k:", "dp:",
            "dq:", "qi:", "p:", "q:",
        ]
        entropy = 3.8

        [[rules]]
        id = "nkey-seed"
        description = "Seed of a NATS key"
        regex = '''\b((?:SUA|SAA|SOA|SXA)[A-Z2-7]{55})\b'''
        keywords = ["sua", "saa", "soa", "sxa"]
        entropy = 3.5

        [[rules]]
        id = "otp-secret"
        description = "Secret of one-time passwords"
        regex = """\
        (?i)(?:otp|totp|2fa|mfa)[\\w. -]{0,24}[\"'\\s]{0,4}(?:=>|[:=,(])[\\s\"'=>]{0,5}([A-Z2-7]\
        {16,64})\\b|otpauth://[^\\s\"']{0,200}[?&]secret=([A-Z2-7]{8,128})"""
        keywords = ["otp", "2fa", "mfa"]
        [[rules.allowlists]]
        regexes = ['''^[a-z]+\d{0,2}(?:[A-Z][a-z]+)+\d{0,2}$|^[a-zA-Z]+$''']

        [[rules]]
        id = "url-parameter-secret"
        description = "Secret in a parameter of a URL or form"
        regex = """\
        (?i)[?&;](?:[\\w.-]{0,30}(?:token|api_?key|secret|password|passwd|pwd|access_?key|auth_?\
        key)|key|auth)=([^&\\s\"'<>#$\\x60{}\\\\;]{8,1000})"""
        keywords = ["token=", "key=", "secret=", "password=", "passwd=", "pwd=", "auth="]
        [[rules.allowlists]]
        regexes = ['''(?i)^(?:[A-Za-z_.-]+|\d+|.*x{4,}.*|.*%7b.*|.*\(.*|your.*|.*example.*)$''']
        """#
}
