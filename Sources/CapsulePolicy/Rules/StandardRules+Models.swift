/// Part of our rule file.
extension StandardRules {
    /// Models, documents and other services.
    static let models = #"""
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
        regex = '''\b(sk-ant-[a-z]{2,8}\d{2,3}-[A-Za-z0-9_-]{60,120})'''
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
        regex = '''\b(sk-or-v1-[A-Za-z0-9]{64})\b'''
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
        regex = '''\b(lsv2_(?:pt|sk)_[A-Za-z0-9]{32}_[A-Za-z0-9]{10})\b'''
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
        regex = '''\b(pat[A-Za-z0-9]{14}\.[A-Za-z0-9]{64})\b'''
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
        regex = '''\b(tfp_[A-Za-z0-9_.=-]{40,60})'''
        keywords = ["tfp_"]

        [[rules]]
        id = "mapbox-token"
        description = "Mapbox token"
        regex = '''\b([pst]k\.eyJ[A-Za-z0-9_-]{40,200}\.[A-Za-z0-9_-]{20,30})'''
        keywords = ["pk.eyj", "sk.eyj", "tk.eyj"]

        [[rules]]
        id = "hubspot-token"
        description = "HubSpot token"
        regex = '''\b(pat-(?:na|eu)\d-[A-Za-z0-9]{8}(?:-[A-Za-z0-9]{4}){3}-[A-Za-z0-9]{12})\b'''
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
        keywords = ["asana"]

        [[rules]]
        id = "shippo-token"
        description = "Shippo token"
        regex = '''\b(shippo_(?:live|test)_[A-Za-z0-9]{40})\b'''
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
        regex = '''\b([su]-s4t2(?:ud|af)-[A-Za-z0-9]{64})\b'''
        keywords = ["-s4t2"]

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

        [[rules]]
        id = "tavily-key"
        description = "Tavily key"
        regex = '''\b(tvly-(?:dev-|prod-)?[A-Za-z0-9]{28,40})\b'''
        keywords = ["tvly-"]

        [[rules]]
        id = "adafruit-key"
        description = "Adafruit IO key"
        regex = '''\b(aio_[A-Za-z0-9]{28})\b'''
        keywords = ["aio_"]

        [[rules]]
        id = "dependency-track-key"
        description = "Dependency-Track key"
        regex = '''\b(odt_[A-Za-z0-9]{32,40})\b'''
        keywords = ["odt_"]

        [[rules]]
        id = "salesforce-token"
        description = "Salesforce session or token"
        regex = '''\b(00D[A-Za-z0-9]{12,15}![A-Za-z0-9_.]{80,120})'''
        keywords = ["00d"]

        [[rules]]
        id = "postmark-token"
        description = "Postmark token beside its name"
        regex = """\
        (?i:postmark)[\\w. -]{0,24}[\"'\\s]{0,4}(?:=>|[:=,(])[\\s\"'=>]{0,5}([0-9a-f]{8}(?:-[0-9\
        a-f]{4}){3}-[0-9a-f]{12})\\b"""
        keywords = ["postmark"]

        [[rules]]
        id = "code-climate-id"
        description = "Code Climate reporter id"
        regex = '''CC_TEST_REPORTER_ID["']?\s{0,2}[:=]\s{0,3}["']?([a-f0-9]{64})'''
        keywords = ["cc_test_reporter_id"]

        [[rules]]
        id = "azure-devops-pat"
        description = "Azure DevOps token beside its name"
        regex = """\
        (?i:ado|azure|devops|vsts)[\\w. -]{0,24}[\"'\\s]{0,4}(?:=>|[:=,(])[\\s\"'=>]{0,5}([a-z2-\
        7]{52})\\b"""
        keywords = ["ado", "azure", "devops", "vsts"]
        """#
}
