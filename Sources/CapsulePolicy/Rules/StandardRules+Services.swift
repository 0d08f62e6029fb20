/// Part of our rule file.
extension StandardRules {
    /// Messages, models and other services.
    static let services = #"""
        [[rules]]
        id = "slack-token"
        description = "Slack token"
        regex = '''\b(xox[a-z](?:\.xox[bp])?-[A-Za-z0-9-]{10,250})'''
        keywords = ["xox"]

        [[rules]]
        id = "slack-app-token"
        description = "Slack app token"
        regex = '''\b(xapp-\d-[A-Za-z0-9-]{20,200})'''
        keywords = ["xapp-"]

        [[rules]]
        id = "slack-webhook"
        description = "Slack webhook"
        regex = """\
        ((?:https?://)?hooks\\.slack(?:-gov)?\\.com/(?:services|workflows|triggers)/[A-Za-z0-9+/\
        _-]{20,120})"""
        keywords = ["hooks.slack"]

        [[rules]]
        id = "discord-token"
        description = "Discord bot token"
        regex = '''\b([MNO][A-Za-z\d_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,40})'''
        keywords = ["discord", "bot"]

        [[rules]]
        id = "discord-webhook"
        description = "Discord webhook"
        regex = """\
        (https://(?:\\w+\\.)?discord(?:app)?\\.com/api/webhooks/\\d{10,22}/[A-Za-z0-9_-]{50,90})"""
        keywords = ["api/webhooks"]

        [[rules]]
        id = "discord-secret"
        description = "Discord secret beside its name"
        regex = """\
        (?i:discord)[\\w. -]{0,24}[\"'\\s]{0,4}(?:=>|[:=,(])[\\s\"'=>]{0,5}([a-f0-9]{64}|[A-Za-z\
        0-9_-]{32})\\b"""
        keywords = ["discord"]
        entropy = 3

        [[rules]]
        id = "teams-webhook"
        description = "Microsoft Teams webhook"
        regex = """\
        (https://[a-z0-9-]+\\.(?:webhook\\.)?office\\.com/webhook(?:b2)?/[0-9a-f@/A-Za-z-]{36,25\
        0})"""
        keywords = ["office.com/webhook"]

        [[rules]]
        id = "telegram-token"
        description = "Telegram bot token"
        regex = '''(?:^|[^\d])(\d{8,11}:AA[A-Za-z0-9_-]{32,34})(?:[^\w-]|$)'''
        keywords = [":aa"]

        [[rules]]
        id = "twilio-key"
        description = "Twilio key"
        regex = '''\b((?:SK|AC)[0-9a-f]{32})\b'''
        keywords = [
            "sk0", "sk1", "sk2", "sk3", "sk4", "sk5", "sk6", "sk7", "sk8", "sk9", "ska", "skb",
            "skc", "skd", "ske", "skf", "ac0", "ac1", "ac2", "ac3", "ac4", "ac5", "ac6", "ac7",
            "ac8", "ac9", "aca", "acb", "acc", "acd", "ace", "acf",
        ]
        entropy = 3

        [[rules]]
        id = "twilio-token"
        description = "Twilio token beside its name"
        regex = """\
        (?i:twilio)[\\w. -]{0,24}[\"'\\s]{0,4}(?:=>|[:=,(])[\\s\"'=>]{0,5}([a-f0-9]{32})\\b"""
        keywords = ["twilio"]

        [[rules]]
        id = "sendgrid-key"
        description = "SendGrid key"
        regex = '''\b(SG\.[A-Za-z0-9_=-]{16,32}\.[A-Za-z0-9_=-]{36,50})'''
        keywords = ["sg."]

        [[rules]]
        id = "mailgun-key"
        description = "Mailgun key"
        regex = '''\b((?:key|pubkey)-[0-9a-z]{32}|[0-9a-f]{32}-[0-9a-f]{8}-[0-9a-f]{8})\b'''
        keywords = ["key-", "mailgun"]

        [[rules]]
        id = "mailchimp-key"
        description = "Mailchimp key"
        regex = '''\b([0-9a-f]{32}-us\d{1,2})\b'''
        keywords = ["-us"]

        [[rules]]
        id = "mandrill-key"
        description = "Mandrill key"
        regex = '''\b(md-[A-Za-z0-9_-]{22})\b'''
        keywords = ["md-"]
        entropy = 3.5

        [[rules]]
        id = "brevo-key"
        description = "Brevo key"
        regex = """\
        \\b(xkeysib-[a-f0-9]{64}-[A-Za-z0-9]{16}|xsmtpsib-[a-f0-9]{64}-[A-Za-z0-9]{16})\\b"""
        keywords = ["xkeysib-", "xsmtpsib-"]

        [[rules]]
        id = "facebook-token"
        description = "Facebook token"
        regex = '''\b(EAA[A-Za-z0-9]{80,300})\b'''
        keywords = ["eaa"]

        [[rules]]
        id = "instagram-token"
        description = "Instagram token"
        regex = '''\b(IG(?:QV|AA|QW)[A-Za-z0-9_-]{80,300})'''
        keywords = ["igqv", "igaa", "igqw"]

        [[rules]]
        id = "twitter-bearer"
        description = "Twitter bearer token"
        regex = '''\b(A{18,24}[A-Za-z0-9]{0,80}%[A-Za-z0-9%]{20,100})'''
        keywords = ["aaaaaaaaaaaaaaaaaa"]

        [[rules]]
        id = "twitter-key"
        description = "Twitter key or token beside its name"
        regex = """\
        (?i:twitter|\\btw_|consumer)[\\w. -]{0,24}[\"'\\s]{0,4}(?:=>|[:=,(])[\\s\"'=>]{0,5}([A-Z\
        a-z0-9]{25}|[A-Za-z0-9]{35,50}|\\d{15,25}-[A-Za-z0-9]{20,45})\\b"""
        keywords = ["twitter", "tw_", "consumer"]
        entropy = 3.5

        [[rules]]
        id = "linkedin-key"
        description = "LinkedIn secret beside its name"
        regex = """\
        (?i:linkedin)[\\w. -]{0,24}[\"'\\s]{0,4}(?:=>|[:=,(])[\\s\"'=>]{0,5}([A-Za-z0-9]{14,16})\
        \\b"""
        keywords = ["linkedin"]
        entropy = 3
        [[rules.allowlists]]
        regexes = ['''^[A-Za-z]+\d?[A-Za-z]+$''']

        [[rules]]
        id = "facebook-key"
        description = "Facebook secret beside its name"
        regex = """\
        (?i:facebook|\\bfb)[\\w. -]{0,24}[\"'\\s]{0,4}(?:=>|[:=,(])[\\s\"'=>]{0,5}([a-f0-9]{32})\
        \\b"""
        keywords = ["facebook", "fb_", "fbap", "fbsec"]
        """#
}
