/// Part of our rule file.
extension StandardRules {
    /// Passwords and tokens on command lines, in calls and in sentences.
    static let commands = #"""
        [[rules]]
        id = "command-password"
        description = "Password that a command takes as a word of its own"
        regex = """\
                (?i)(?:\\bnet\\s{1,3}user\\s{1,3}[^\\s/]{1,40}\\s{1,3}([^\\s/*\"$<%]{4,60})\\s{1,3}\
        /(?:add|domain|active)|\\becho\\s{1,3}(?:-[en]\\s{1,2})?[\"']?(?:[\\w.-]{1,40}:)?([^\\s\"'$\
        <>:|;{}%]{4,60})[\"']?\\s{0,3}\\|\\s{0,3}(?:sudo\\s{1,3}(?:-\\S{1,8}\\s{1,3}){0,2}-S|(?:sud\
        o\\s{1,3})?(?:chpasswd|passwd\\b[^\\n]{0,20}--stdin))|(?:^|\\n)[ \\t]{0,8}(?:--|config\\s{1\
        ,3}set\\s{1,3})?(?:requirepass|masterauth)\\s{1,4}[\"']?([^\\s\"'$<>#{}%]{4,100})|\\s-(?:st\
        orepass|keypass|srcstorepass|deststorepass)\\s{1,3}[\"']?([^\\s\"'$<>:{}%-][^\\s\"'$<>:{}%]\
        {3,60})|\\benable\\s{1,3}(?:secret|password)\\s{1,3}(?:[0-9]\\s{1,3})?([^\\s$<>{}]{4,100})\
        \\s{0,3}(?:$|\\n)|\\busername\\s{1,3}\\S{1,40}\\s{1,3}(?:privilege\\s{1,3}\\d{1,2}\\s{1,3})\
        ?(?:secret|password)\\s{1,3}[0-9]\\s{1,3}([^\\s$<>{}]{4,100}))"""
        keywords = [
            "net user", "chpasswd", "sudo -s", "--stdin", "requirepass", "masterauth", "storepass",
            "keypass", "enable secret", "enable password", "username",
        ]
        entropy = 1.5
        [[rules.allowlists]]
        regexes = ['''(?i)^(?:pass(?:word|wd)?|secret|foobared|\*+|x+|your.*|string|none|null)$''']

        [[rules]]
        id = "call-password"
        description = "Password in a pair of a user and a password"
        regex = """\
                (?i)(?:\\bauth\\s{0,2}[=:]\\s{0,2}[(\\[]\\s{0,2}|(?:basic_?auth|digest_?auth|login|\
        authenticate)\\(\\s{0,2})[\"'][^\"'\\s]{1,60}[\"']\\s{0,2},\\s{0,2}[\"']([^\"'\\s$<>{}]{4,8\
        0})[\"']\\s{0,2}[)\\],]"""
        keywords = ["auth", "login", "authenticate"]
        entropy = 1.5
        [[rules.allowlists]]
        regexes = ["""\
        (?i)^(?:\\*+|x+|your.*|.*example.*|[a-z]{1,20}|[a-z]+(?:[_.-][a-z]+)+|/.*|https?:.*)$"""]

        [[rules]]
        id = "spoken-password"
        description = "Password after its name in a sentence or a table"
        regex = """\
                (?i)\\bpass(?:word|wd|phrase|code)?s?[\"'`*]{0,2}(?:\\s{1,2}(?:is|was|of|for\\s\\w{\
        1,20}\\s(?:is|was))|\\s{0,2}(?:[|]|[=-]>))?\\s{1,4}[\"'`*]{0,2}([^\\s\"'`<>(){}$,;|/\\\\]{6\
        ,40})(?:[\\s\"'`*.,;)|<\\\\]|$)"""
        keywords = ["pass"]
        entropy = 2.2
        """#
}
