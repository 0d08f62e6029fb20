/// Part of our rule file.
extension StandardRules {
    /// Services from N to Z whose tokens have a form of their own.
    static let tokensToZ = #"""
        [[rules]]
        id = "ngrok-token"
        description = "ngrok token beside its name"
        regex = """\
        (?i:ngrok)[\\w. -]{0,24}[\"'\\s]{0,4}(?:=>|[:=,(])[\\s\"'=>]{0,5}([2-9][A-Za-z0-9]{24,28\
        }_[A-Za-z0-9]{19,23})\\b"""
        keywords = ["ngrok"]

        [[rules]]
        id = "onfido-token"
        description = "Onfido token"
        regex = '''\b(api_(?:live|sandbox)(?:_(?:us|ca|eu))?\.[\w-]{11}\.[\w-]{32})'''
        keywords = ["api_live", "api_sandbox"]

        [[rules]]
        id = "openshift-token"
        description = "OpenShift token"
        regex = '''\b(sha256~[A-Za-z0-9_-]{43})'''
        keywords = ["sha256~"]

        [[rules]]
        id = "persona-key"
        description = "Persona key"
        regex = """\
        \\b(persona_(?:production|sandbox)_[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\\b"""
        keywords = ["persona_"]

        [[rules]]
        id = "polar-token"
        description = "Polar token"
        regex = '''\b(polar_(?:oat|pat|cst)_[A-Za-z0-9_-]{32,60})\b'''
        keywords = ["polar_"]

        [[rules]]
        id = "posthog-key"
        description = "PostHog key"
        regex = '''\b(ph[cxs]_[A-Za-z0-9]{40,50})\b'''
        keywords = ["phc_", "phx_", "phs_"]

        [[rules]]
        id = "pubnub-key"
        description = "PubNub key"
        regex = '''\b((?:pub|sub|sec)-c-[0-9A-Za-z-]{36,52})\b'''
        keywords = ["pub-c-", "sub-c-", "sec-c-"]

        [[rules]]
        id = "recaptcha-key"
        description = "reCAPTCHA key beside its name"
        regex = """\
        (?i:captcha)[\\w. -]{0,24}[\\\"'\\s]{0,4}(?:=>|[:=,(])[\\s\\\"'=>]{0,5}(6L[A-Za-z0-9_-]{\
        38})"""
        keywords = ["captcha"]

        [[rules]]
        id = "resend-key"
        description = "Resend key"
        regex = '''\b(re_[A-Za-z0-9]{8}_[A-Za-z0-9]{24})\b'''
        keywords = ["re_"]
        entropy = 3.5

        [[rules]]
        id = "rootly-key"
        description = "Rootly key"
        regex = '''\b(rootly_[A-Za-z0-9]{64})\b'''
        keywords = ["rootly_"]

        [[rules]]
        id = "runpod-key"
        description = "RunPod key"
        regex = '''\b(rpa_[A-Za-z0-9]{40,50})\b'''
        keywords = ["rpa_"]

        [[rules]]
        id = "scalingo-token"
        description = "Scalingo token"
        regex = '''\b(tk-us-[A-Za-z0-9_-]{48})'''
        keywords = ["tk-us-"]

        [[rules]]
        id = "scrapfly-key"
        description = "Scrapfly key"
        regex = '''\b(scp-(?:live|test)-[A-Za-z0-9]{32})\b'''
        keywords = ["scp-live-", "scp-test-"]

        [[rules]]
        id = "segment-token"
        description = "Segment token"
        regex = '''\b(sgp_[A-Za-z0-9]{64})\b'''
        keywords = ["sgp_"]

        [[rules]]
        id = "settlemint-token"
        description = "SettleMint token"
        regex = '''\b(sm_(?:aat|pat|sat)_[A-Za-z0-9]{16})\b'''
        keywords = ["sm_aat_", "sm_pat_", "sm_sat_"]

        [[rules]]
        id = "sidekiq-credentials"
        description = "Credentials for the gems of Sidekiq"
        regex = '''(?i)contribsys__com[\"'\s]{0,4}[:= ][\s\"'=]{0,4}([a-f0-9]{8}:[a-f0-9]{8})\b'''
        keywords = ["contribsys"]

        [[rules]]
        id = "stackhawk-key"
        description = "StackHawk key"
        regex = '''\b(hawk\.[A-Za-z0-9_-]{20}\.[A-Za-z0-9_-]{20})\b'''
        keywords = ["hawk."]

        [[rules]]
        id = "swarm-token"
        description = "Docker swarm token or key"
        regex = '''\b(SWMTKN-1-[a-z0-9]{49,50}-[a-z0-9]{24,25}|SWMKEY-1-[A-Za-z0-9+/]{43})'''
        keywords = ["swmtkn-", "swmkey-"]

        [[rules]]
        id = "teamwork-token"
        description = "Teamwork token"
        regex = '''\b(tkn\.v1_[A-Za-z0-9+/]{50,100}={0,2})'''
        keywords = ["tkn.v1_"]

        [[rules]]
        id = "telegram-named-token"
        description = "Telegram bot token beside its name"
        regex = """\
        (?i:telegram|tgram|\\bbot)[^\\n]{0,40}?[^\\w](\\d{8,10}:[A-Za-z0-9_-]{34,36})(?:[^\\w-]|\
        $)"""
        keywords = ["telegram", "tgram", "bot"]

        [[rules]]
        id = "thunderstore-token"
        description = "Thunderstore token"
        regex = '''\b(tss_[A-Za-z0-9]{36})\b'''
        keywords = ["tss_"]

        [[rules]]
        id = "trello-token"
        description = "Trello token"
        regex = '''\b(ATTA[A-Za-z0-9]{64,76})\b'''
        keywords = ["atta"]

        [[rules]]
        id = "truenas-key"
        description = "TrueNAS key beside its name"
        regex = """\
        (?i:truenas)[\\w. -]{0,24}[\"'\\s]{0,4}(?:=>|[:=,(])[\\s\"'=>]{0,5}(\\d{1,2}-[A-Za-z0-9]\
        {64})\\b"""
        keywords = ["truenas"]

        [[rules]]
        id = "twitch-token"
        description = "Twitch secret or token beside its name"
        regex = '''(?i:twitch)[\w. -]{0,24}["'\s]{0,4}(?:=>|[:=,(])[\s"'=>]{0,5}([a-z0-9]{30})\b'''
        keywords = ["twitch"]
        entropy = 3

        [[rules]]
        id = "ubidots-token"
        description = "Ubidots token"
        regex = '''\b(BBFF-[A-Za-z0-9]{30})\b'''
        keywords = ["bbff-"]

        [[rules]]
        id = "voiceflow-key"
        description = "Voiceflow key"
        regex = '''\b(VF\.(?:(?:DM|WS)\.)?[A-Za-z0-9]{24}\.[A-Za-z0-9]{16})\b'''
        keywords = ["vf."]

        [[rules]]
        id = "wakatime-key"
        description = "WakaTime key"
        regex = '''\b(waka_[A-Za-z0-9]{8}(?:-[A-Za-z0-9]{4}){3}-[A-Za-z0-9]{12})\b'''
        keywords = ["waka_"]

        [[rules]]
        id = "woocommerce-key"
        description = "WooCommerce key"
        regex = '''\b(c[sk]_[A-Za-z0-9]{40})\b'''
        keywords = ["cs_", "ck_"]

        [[rules]]
        id = "yandex-key"
        description = "Yandex Cloud key"
        regex = """\
        \\b(AQVN[A-Za-z0-9_-]{35,38}|t1\\.[A-Za-z0-9_-]{3,300}={0,2}\\.[A-Za-z0-9_-]{86}={0,2})"""
        keywords = ["aqvn", "t1."]
        entropy = 4

        [[rules]]
        id = "yandex-named-key"
        description = "Yandex Cloud secret beside its name"
        regex = """\
        (?i:yandex|\\byc_)[\\w. -]{0,24}[\"'\\s]{0,4}(?:=>|[:=,(])[\\s\"'=>]{0,5}(YC[A-Za-z0-9_-\
        ]{38})\\b"""
        keywords = ["yandex", "yc_"]

        [[rules]]
        id = "zapier-webhook"
        description = "Zapier webhook"
        regex = '''(https?://hooks\.zapier\.com/hooks/catch/[A-Za-z0-9/]{8,60})'''
        keywords = ["hooks.zapier"]

        [[rules]]
        id = "zoho-token"
        description = "Zoho token"
        regex = '''\b(1000\.[a-f0-9]{32}\.[a-f0-9]{32})\b'''
        keywords = ["1000."]

        [[rules]]
        id = "zuplo-key"
        description = "Zuplo key"
        regex = '''\b(zpka_[A-Za-z0-9_]{40,60})\b'''
        keywords = ["zpka_"]
        """#
}
