/// Part of our rule file.
extension StandardRules {
    /// Secrets beside their names in sentences, comparisons and markup.
    static let phrases = #"""
        [[rules]]
        id = "spoken-token"
        description = "Token after its name in a sentence or a log"
        regex = """\
                (?i)(?:[\\w.-]{1,40} )?[\\w.-]{0,40}(?:secret|private|access|key|token|auth(?:oriza\
        tion)?|credential|licen[cs]e|hmac|[_-]pat|api|passw(?:or)?d|pwd|webhook|bearer)(?:[ _.-]?(?\
        :key|token|secret|access))?(?:_\\w{1,16})??(?:\\[[^\\]\\s]{1,20}\\])?[\"'`\\])*]{0,3}(?:[ \
        \\t]{0,3}(?:[=-]>|[:=(,|>])|[ \\t]{1,3}is\\b|[ \\t_.-])[ \\t]{0,4}[\"'=:`$*]{0,3}[ \\t]{0,2\
        }([A-Za-z0-9](?:[A-Za-z0-9_/-]|\\+=?){11,600}={0,2})(?:[\\s\"',;.)\\]}>`|<&\\\\*]|$)"""
        keywords = [
            "token", "secret", "key", "private", "access", "auth", "credential", "licen",
            "hmac", "_pat", "-pat", "api", "passw", "pwd", "webhook", "bearer",
        ]
        entropy = 2.5
        [[rules.allowlists]]
        regexes = ["""\
        (?i)^(?:[0-9_-]{0,23}|0x[0-9a-f]*u?l*|(?-i:(?:[A-Z]?[a-z]+\\d{0,3}[_-])+[A-Z]?[a-z\
        ]*\\d*|(?:[A-Z]+\\d?[_-])+[A-Z]*\\d*|[A-Z]?[a-z]+(?:[A-Z][a-z]+)+\\d{0,3})|.*x{4,}.*|(?:yo\
        ur|my|the)[_-].*|\\d{4}-\\d\\d-\\d\\d.*|sha(?:1|256|384|512)[-:].*|ssh-\\w+|[a-z]{2,14}(?:\
        [_-][a-z0-9]{1,12}){1,6}|(?:[\\w-]+\\.)+[a-z]{2,12}(?:[:/].*)?|v?\\d+(?:\\.\\d+)+[\\w.+-]*\
        |\\d{1,2}:\\d\\d.*|[\\w-]*::.*|[a-z]\\w*[:.]\\d+|https?:.*|arn:.*)$"""]
        [[rules.allowlists]]
        regexTarget = "match"
        regexes = ["""\
        (?i)^[\\w. -]*(?:public|pub|host|primary|foreign|partition|encrypted|gpg|ssh|object|cache|\
        fingerprint|integrity|etag|next|continuation|page|cursor|resume|sync|idempotency|translati\
        on|sort|range|row|i18n|locale|css|html)[ _.-]?\\w{0,12}(?:key|token|auth|access)|_(?:\\w{1\
        ,14}_)?(?:ids?|sha\\d?|hash|charset|chars|str|alphabet|name|type|path|file|url|arn|ring|al\
        gorithm|format|prefix|sum|version|size)[\"']?\\s{0,3}(?:=>|[:=(,])|(?-i:eyJ|WyJ)[\\w+/=-]+\
        [\"'\\s,;)\\]}]*$"""]

        [[rules]]
        id = "compared-secret"
        description = "Secret that is compared with its name"
        regex = """\
        (?i)(?:\"([^\"\\s]{4,200})\"|'([^'\\s]{4,200})')\\s?[!=]==?\\s?[\\w.$>-]{0,40}(?:password|\
        passwd|passphrase|pwd|secret|api_?key|token|_key|_pass)\\w{0,10}\\b"""
        keywords = ["\" ==", "\" !=", "' ==", "' !=", "\"==", "\"!=", "'==", "'!="]
        entropy = 2.5
        [[rules.allowlists]]
        regexes = ["""\
        (?i)^(?:[a-z_. -]*|.*(?:password|secret|token|key)\\d{0,3}|true|false|null|undefined|strin\
        g)$"""]

        [[rules]]
        id = "setter-secret"
        description = "Secret passed to a call that sets it"
        regex = """\
        (?i)(?:\\bset|[.>]with|\\.)\\w{0,24}(?:password|passphrase|passwd|pwd|secret|token|(?-i:Ke\
        y))\\s?\\(\\s{0,3}@?(?:\"([^\"\\s${}]{4,120})\"|'([^'\\s${}]{4,120})')\\s{0,3}[,)]"""
        keywords = ["password(", "passphrase(", "passwd(", "pwd(", "secret(", "token(", "key("]
        entropy = 2.0
        [[rules.allowlists]]
        regexes = ["""\
        (?i)^(?:[a-z]+(?:[._/:\\[\\]-][a-z]*)+\\d?|[a-z]*(?:password|passwd|pwd|secret|token|key)\
        \\d{0,3}|(?-i:[a-z]+(?:[A-Z][a-z]+)+|[A-Z_]+)|[a-z]{1,7}|.*%[sdv].*|/.*|https?:.*)$"""]
        [[rules.allowlists]]
        regexTarget = "match"
        regexes = ["""\
        (?i)^[.>]?(?:\\w*(?:encode|hash|verify|valid|generate|check|compare|get|parse|match|find|r\
        eset|is|has|to)\\w*)(?:password|passphrase|passwd|pwd|secret|token|key)\\s?\\("""]

        [[rules]]
        id = "form-password"
        description = "Password in the data of a form on a command line"
        regex = """\
        (?i)\\s(?:-d|-F|--form|--form-string|--data(?:-[a-z]{3,9})?)[ =]{0,2}[\"']?(?:[^\"'\\s]{0,\
        80}&)?[\\w.%\\[\\]-]{0,40}(?:password|passwd|pwd|pass|secret|token)=([^&\\s\"'`<>${}\\\\]{\
        4,200})"""
        keywords = ["password=", "passwd=", "pwd=", "pass=", "secret=", "token="]
        entropy = 1.4
        [[rules.allowlists]]
        regexes = ["""\
        (?i)^(?:pass|password|passwd|pwd|secret|token|x+|\\*+|your.*|.*example.*)$"""]

        [[rules]]
        id = "url-parameter-password"
        description = "Password in a parameter of a URL or form"
        regex = """\
        (?i)[?&](?:[\\w.-]|%5b|\\[){0,40}(?:password|passwd|pwd|passphrase)(?:_confirmation)?(?:%5\
        d|\\])?=([^&\\s\"'<>#${}\\\\;()]{4,200})(?:[&\\s\"'#\\\\]|$)"""
        keywords = [
            "password=", "password%5d=", "password]=", "password_confirmation", "passwd=",
            "pwd=", "passphrase=",
        ]
        entropy = 1.4
        [[rules.allowlists]]
        regexes = ["""\
        (?i)^(?:\\w*(?:pass|password|passwd|pwd)|secret|string|true|false|null|%[sdv@].*|%7b.*|:\\\
        w+|x+|\\*+|your.*|.*example.*)$"""]

        [[rules]]
        id = "number-list-secret"
        description = "Secret as a list of numbers"
        regex = """\
        (?i)\\w{0,40}(?:secret|key|token|auth_?data|password|seed)(?:_?(?:bytes|data|value|\\d{1,3\
        }))?[\"']?(?:\\[\\d{0,4}\\])?\\s{0,3}(?::=|[:=])\\s{0,3}(?:(?:new\\s)?(?:\\[\\d{0,4}\\])?[\
        \\w.]{0,40}(?:\\[\\d{0,4}\\])?)?\\s?[({\\[]{1,2}\\s{0,20}((?:(?:0x[0-9a-f]{1,16}|\\d{1,3})\
        u?l{0,2}\\s{0,2},\\s{0,20}){7,40}(?:0x[0-9a-f]{1,16}|\\d{1,3})?)"""
        keywords = ["secret", "key", "token", "authdata", "auth_data", "password", "seed"]
        entropy = 2.0
        [[rules.allowlists]]
        regexTarget = "match"
        regexes = ["""\
        (?i)^\\w*(?:keycode|keysym|keymap|keyboard|hotkey|public|pub_?key|monkey|author|keyframe|k\
        eypad|key_?code|key_?map|key_?event)"""]

        [[rules]]
        id = "generic-config-secret"
        description = "Key, secret or token in a configuration file"
        regex = """\
        (?im)^[ \\t]*(?:[#;]{1,3}[ \\t]{0,4}|//[ \\t]?)?(?:-[ \\t]+|export[ \\t]+|ENV[ \\t]+|set[ \
        \\t]+)?[\"']?[\\w.:-]{0,60}(?:secret|secret[_-]?key|token|api[_-]?key|auth[_-]?key|access[\
        _-]?key)[\"']?[ \\t]{0,8}[=:][ \\t]{0,8}[\"']?([^\\s\"'`$<>(){}\\[\\];|&,*%#!/][^\\s\"'`<>\
        (){},;&]{5,120})[\"']?[ \\t]*,?(?:[ \\t]#.*)?\\r?(?:$|\\n)"""
        path = """\
        (?i)(?:\\.(?:ya?ml|ini|cfg|conf|config|cnf|properties|env|toml|txt|md|rst|adoc|sh|bash|ps1\
        |bat|example|sample|dist|tf|tfvars|template|local|plist|ldif|hosts|inventory|defaults?|rsp\
        |tmpl|j2|erb|service|cnf)|(?:^|/)(?:\\.env[\\w.]*|Dockerfile[\\w.-]*|Vagrantfile|Makefile|\
        hosts|config|credentials|\\.\\w+rc))$"""
        keywords = ["secret", "token", "key"]
        entropy = 2.0
        [[rules.allowlists]]
        regexes = ["""\
        (?i)^(?:[a-z]+\\d{0,3}|[a-z]*(?:[._/:@-][a-z]*\\d{0,3})+|[\\d._-]*|0x\\w*|.*x{4,}.*|.*chan\
        ge.?me.*|your.*|.*example.*|https?:.*|[\\w.-]+@[\\w.-]+|(?:my|test|fake|dummy|some).*|[\\w\
        ./-]+\\.[a-z]{2,5}|\\d+[a-z]{1,3}|v?\\d[\\w.-]*|[\\w.]+->.*|sha\\d*[:-].*|[\\w-]+:[\\w./:-\
        ]+|.*\\\\.*|.*\\[\\.{3}\\].*)$"""]

        [[rules]]
        id = "live-key"
        description = "Key that says whether it is for use or for tests"
        regex = '''\b([a-z]{2,12}_(?:live|test|prod|production|sandbox)_[A-Za-z0-9_]{20,200})\b'''
        keywords = ["_live_", "_test_", "_prod_", "_production_", "_sandbox_"]
        entropy = 3.2
        [[rules.allowlists]]
        regexes = ['''^pk_''']

        [[rules]]
        id = "xml-named-secret"
        description = "Secret in an XML element by its name"
        regex = """\
        (?i)name=[\"'][\\w.:-]{0,60}(?:password|passwd|passphrase|secret|key|token)[\"']>\\s{0,4}(\
        [^<>\\s${}%@][^<>\\s]{7,200})\\s{0,4}</"""
        keywords = [
            "password\">", "passwd\">", "secret\">", "key\">", "token\">", "password'>",
            "secret'>", "key'>", "token'>",
        ]
        entropy = 2.5
        [[rules.allowlists]]
        regexes = ['''(?i)^(?:[a-z_./:-]*|\d+|.*x{4,}.*|.*\s.*|https?:.*)$''']
        """#
}
