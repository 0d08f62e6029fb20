/// Part of our rule file.
extension StandardRules {
    /// Messages, models and other services.
    static let services = #"""
        [[rules]]
        id = "slack-token"
        description = "Slack token"
        regex = '''\b(xox[abposer](?:\.xox[bp])?-[A-Za-z0-9-]{10,250})'''
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
        (https?://hooks\\.slack(?:-gov)?\\.com/(?:services|workflows|triggers)/[A-Za-z0-9+/_-]{2\
        0,120})"""
        keywords = ["hooks.slack"]

        [[rules]]
        id = "discord-token"
        description = "Discord bot token"
        regex = '''\b([MNO][A-Za-z\d_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,40})'''
        keywords = ["discord", "bot", "token"]

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
        (https://[a-z0-9-]+\\.(?:webhook\\.)?office\\.com/webhook(?:b2)?/[0-9a-f@/A-Za-z-]{80,25\
        0})"""
        keywords = ["office.com/webhook"]

        [[rules]]
        id = "telegram-token"
        description = "Telegram bot token"
        regex = '''(?:^|[^\d])(\d{8,11}:AA[A-Za-z0-9_-]{33})(?:[^\w-]|$)'''
        keywords = [":aa"]

        [[rules]]
        id = "twilio-key"
        description = "Twilio key"
        regex = '''\b(SK[0-9a-f]{32})\b'''
        keywords = [
            "sk0", "sk1", "sk2", "sk3", "sk4", "sk5", "sk6", "sk7", "sk8", "sk9", "ska", "skb",
            "skc", "skd", "ske", "skf",
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
        regex = '''\b((?:key|pubkey)-[0-9a-f]{32}|[0-9a-f]{32}-[0-9a-f]{8}-[0-9a-f]{8})\b'''
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
        regex = '''\b(A{18,24}[A-Za-z0-9%]{60,120})'''
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

        [[rules]]
        id = "facebook-key"
        description = "Facebook secret beside its name"
        regex = """\
        (?i:facebook|\\bfb_)[\\w. -]{0,24}[\"'\\s]{0,4}(?:=>|[:=,(])[\\s\"'=>]{0,5}([a-f0-9]{32}\
        )\\b"""
        keywords = ["facebook", "fb_"]

        [[rules]]
        id = "openai-key"
        description = "OpenAI key"
        regex = """\
        \\b(sk-(?:proj|svcacct|admin|None|service)?-?[A-Za-z0-9_-]{16,200}T3BlbkFJ[A-Za-z0-9_-]{\
        16,200})"""
        keywords = ["t3blbkfj"]

        [[rules]]
        id = "anthropic-key"
        description = "Anthropic key"
        regex = '''\b(sk-ant-[a-z]{2,8}\d{2}-[A-Za-z0-9_-]{60,120})'''
        keywords = ["sk-ant-"]

        [[rules]]
        id = "huggingface-token"
        description = "Hugging Face token"
        regex = '''\b((?:hf_|api_org_)[A-Za-z0-9]{30,40})\b'''
        keywords = ["hf_", "api_org_"]
        entropy = 3

        [[rules]]
        id = "replicate-token"
        description = "Replicate token"
        regex = '''\b(r8_[A-Za-z0-9_-]{37})\b'''
        keywords = ["r8_"]

        [[rules]]
        id = "groq-key"
        description = "Groq key"
        regex = '''\b(gsk_[A-Za-z0-9]{52})\b'''
        keywords = ["gsk_"]

        [[rules]]
        id = "perplexity-key"
        description = "Perplexity key"
        regex = '''\b(pplx-[A-Za-z0-9]{48,56})\b'''
        keywords = ["pplx-"]

        [[rules]]
        id = "xai-key"
        description = "xAI key"
        regex = '''\b(xai-[A-Za-z0-9_-]{70,90})'''
        keywords = ["xai-"]

        [[rules]]
        id = "openrouter-key"
        description = "OpenRouter key"
        regex = '''\b(sk-or-v1-[a-f0-9]{64})\b'''
        keywords = ["sk-or-"]

        [[rules]]
        id = "model-key"
        description = "Key of a model service"
        regex = '''\b(sk-[A-Za-z0-9]{20,64})\b'''
        keywords = ["sk-"]
        entropy = 3.5

        [[rules]]
        id = "langsmith-key"
        description = "LangSmith key"
        regex = '''\b(lsv2_(?:pt|sk)_[a-f0-9]{32}_[a-f0-9]{10})\b'''
        keywords = ["lsv2_"]

        [[rules]]
        id = "nvidia-key"
        description = "NVIDIA key"
        regex = '''\b(nvapi-[A-Za-z0-9_-]{60,72})'''
        keywords = ["nvapi-"]

        [[rules]]
        id = "pinecone-key"
        description = "Pinecone key"
        regex = '''\b(pcsk_[A-Za-z0-9]{5,6}_[A-Za-z0-9]{60,65})\b'''
        keywords = ["pcsk_"]

        [[rules]]
        id = "elevenlabs-key"
        description = "ElevenLabs key"
        regex = '''\b(sk_[a-f0-9]{48})\b'''
        keywords = ["sk_"]

        [[rules]]
        id = "wandb-key"
        description = "Weights & Biases key beside its name"
        regex = '''(?i:wandb)[\w. -]{0,24}["'\s]{0,4}(?:=>|[:=,(])[\s"'=>]{0,5}([a-f0-9]{40})\b'''
        keywords = ["wandb"]

        [[rules]]
        id = "notion-token"
        description = "Notion token"
        regex = '''\b(ntn_[A-Za-z0-9]{43,50}|secret_[A-Za-z0-9]{43})\b'''
        keywords = ["ntn_", "secret_"]
        entropy = 3.5

        [[rules]]
        id = "airtable-token"
        description = "Airtable token"
        regex = '''\b(pat[A-Za-z0-9]{14}\.[a-f0-9]{64})\b'''
        keywords = ["pat"]

        [[rules]]
        id = "linear-key"
        description = "Linear key"
        regex = '''\b(lin_(?:api|oauth)_[A-Za-z0-9]{32,64})\b'''
        keywords = ["lin_api_", "lin_oauth_"]

        [[rules]]
        id = "figma-token"
        description = "Figma token"
        regex = '''\b(fig[dour]{1,2}_[A-Za-z0-9_-]{38,44})'''
        keywords = ["figd_", "figo_", "figu_", "figor_", "figdr_"]

        [[rules]]
        id = "dropbox-token"
        description = "Dropbox token"
        regex = '''\b(sl\.(?:u\.)?[A-Za-z0-9_=-]{130,1000})'''
        keywords = ["sl."]

        [[rules]]
        id = "contentful-token"
        description = "Contentful token"
        regex = '''\b(CFPAT-[A-Za-z0-9_-]{43})'''
        keywords = ["cfpat-"]

        [[rules]]
        id = "typeform-token"
        description = "Typeform token"
        regex = '''\b(tfp_[A-Za-z0-9_.=-]{44,59})'''
        keywords = ["tfp_"]

        [[rules]]
        id = "mapbox-token"
        description = "Mapbox token"
        regex = '''\b([ps]k\.eyJ[A-Za-z0-9_-]{40,200}\.[A-Za-z0-9_-]{20,30})'''
        keywords = ["pk.eyj", "sk.eyj"]

        [[rules]]
        id = "hubspot-token"
        description = "HubSpot token"
        regex = '''\b(pat-(?:na|eu)\d-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b'''
        keywords = ["pat-na", "pat-eu"]

        [[rules]]
        id = "adobe-secret"
        description = "Adobe client secret"
        regex = '''\b(p8e-[A-Za-z0-9_-]{32})'''
        keywords = ["p8e-"]

        [[rules]]
        id = "asana-token"
        description = "Asana token"
        regex = '''\b([0-2]/\d{10,20}(?:/\d{10,20})?:[a-f0-9]{32})\b'''
        keywords = ["0/", "1/", "2/"]

        [[rules]]
        id = "shippo-token"
        description = "Shippo token"
        regex = '''\b(shippo_(?:live|test)_[a-f0-9]{40})\b'''
        keywords = ["shippo_"]

        [[rules]]
        id = "easypost-key"
        description = "EasyPost key"
        regex = '''\b(EZ[AT]K[A-Za-z0-9]{54})\b'''
        keywords = ["ezak", "eztk"]

        [[rules]]
        id = "duffel-token"
        description = "Duffel token"
        regex = '''\b(duffel_(?:live|test)_[A-Za-z0-9_=-]{43})'''
        keywords = ["duffel_"]

        [[rules]]
        id = "frameio-token"
        description = "Frame.io token"
        regex = '''\b(fio-u-[A-Za-z0-9_=-]{64})'''
        keywords = ["fio-u-"]

        [[rules]]
        id = "intra42-secret"
        description = "Intra42 secret"
        regex = '''\b(s-s4t2(?:ud|af)-[a-f0-9]{64})\b'''
        keywords = ["s-s4t2"]

        [[rules]]
        id = "onepassword-token"
        description = "1Password token or secret key"
        regex = """\
        \\b(ops_eyJ[A-Za-z0-9+/=_-]{200,1000}|A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9\
        ]{5})(?:-[A-Z0-9]{5}){3})\\b"""
        keywords = ["ops_eyj", "a3-"]

        [[rules]]
        id = "zendesk-key"
        description = "Zendesk token beside its name"
        regex = """\
        (?i:zendesk)[\\w. -]{0,24}[\"'\\s]{0,4}(?:=>|[:=,(])[\\s\"'=>]{0,5}([A-Za-z0-9]{40})\\b"""
        keywords = ["zendesk"]
        entropy = 3

        [[rules]]
        id = "pagerduty-key"
        description = "PagerDuty key beside its name"
        regex = """\
        (?i:pagerduty|pager_duty)[\\w. -]{0,24}[\"'\\s]{0,4}(?:=>|[:=,(])[\\s\"'=>]{0,5}([A-Za-z\
        0-9_+-]{20}|[a-f0-9]{32})\\b"""
        keywords = ["pagerduty", "pager_duty"]
        entropy = 3

        [[rules]]
        id = "octopus-key"
        description = "Octopus Deploy key"
        regex = '''\b(API-[A-Z0-9]{26,36})\b'''
        keywords = ["api-"]
        entropy = 3

        [[rules]]
        id = "sumologic-key"
        description = "Sumo Logic key beside its name"
        regex = """\
        (?i:sumo)[\\w. -]{0,24}[\"'\\s]{0,4}(?:=>|[:=,(])[\\s\"'=>]{0,5}(su[A-Za-z0-9]{12}|[A-Za\
        -z0-9]{64})\\b"""
        keywords = ["sumo"]
        entropy = 3
        """#
}
