/// Part of our rule file.
extension StandardRules {
    /// Services from A to M whose tokens have a form of their own.
    static let tokens = #"""
        [[rules]]
        id = "aiven-password"
        description = "Aiven service password"
        regex = '''\b(AVNS_[A-Za-z0-9_-]{19})\b'''
        keywords = ["avns_"]

        [[rules]]
        id = "apify-token"
        description = "Apify token"
        regex = '''\b(apify_api_[A-Za-z0-9]{34,40})\b'''
        keywords = ["apify_api_"]

        [[rules]]
        id = "appsync-key"
        description = "AWS AppSync key"
        regex = '''\b(da2-[a-z0-9]{26})\b'''
        keywords = ["da2-"]

        [[rules]]
        id = "authress-key"
        description = "Authress service client key"
        regex = """\
        \\b((?:sc|ext|scauth|authress)_[A-Za-z0-9]{5,30}\\.[A-Za-z0-9]{4,6}\\.acc[_-][A-Za-z0-9-\
        ]{10,32}\\.[A-Za-z0-9+/_=-]{30,120})"""
        keywords = [".acc_", ".acc-"]

        [[rules]]
        id = "azure-function-key"
        description = "Key of an Azure function in a URL"
        regex = '''[?&]code=([A-Za-z0-9_/-]{54}==)'''
        keywords = ["code="]

        [[rules]]
        id = "beamer-key"
        description = "Beamer key beside its name"
        regex = """\
        (?i:beamer)[\\w. -]{0,24}[\"'\\s]{0,4}(?:=>|[:=,(])[\\s\"'=>]{0,5}(b_[A-Za-z0-9=_/-]{44}\
        )\\b"""
        keywords = ["beamer"]

        [[rules]]
        id = "blynk-token"
        description = "Blynk token in a URL"
        regex = """\
        blynk[\\w.-]{0,40}(?::\\d{2,5})?/(?:external/api/\\w{1,20}\\?token=)?([A-Za-z0-9_-]{32})\
        \\b"""
        keywords = ["blynk"]

        [[rules]]
        id = "cerebras-key"
        description = "Cerebras key"
        regex = '''\b(csk-[a-z0-9]{48})\b'''
        keywords = ["csk-"]

        [[rules]]
        id = "clickhouse-key"
        description = "ClickHouse Cloud key"
        regex = '''\b(4b1d[A-Za-z0-9]{38})\b'''
        keywords = ["4b1d"]
        entropy = 3.5

        [[rules]]
        id = "clickup-token"
        description = "ClickUp token"
        regex = '''\b(pk_\d{5,12}_[A-Z0-9]{28,36})\b'''
        keywords = ["pk_"]

        [[rules]]
        id = "deno-token"
        description = "Deno Deploy token"
        regex = '''\b(dd[pow]_[A-Za-z0-9]{36})\b'''
        keywords = ["ddp_", "ddo_", "ddw_"]

        [[rules]]
        id = "discord-bot-token"
        description = "Discord bot token"
        regex = '''\b([MNO][A-Za-z0-9]{22,26}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,40})'''
        keywords = [
            "mja", "mjc", "mje", "mjg", "mji", "mjk", "mjm", "mjq", "mju", "mjy", "mta", "mtc",
            "mte", "mtg", "mti", "mtk", "mtm", "mtq", "mtu", "mty", "mza", "mzc", "mze", "mzg",
            "mzi", "mzk", "mzm", "mzq", "mzu", "mzy", "nda", "ndc", "nde0", "nde1", "nde2",
            "nde3", "nde4", "nde5", "ndew", "ndey", "ndez", "ndg", "ndi", "ndk", "ndm", "ndq",
            "ndu", "ndy", "nja", "njc", "nje", "njg", "nji", "njk", "njm", "njq", "nju", "njy",
            "nta", "ntc", "nte", "ntg", "nti", "ntk", "ntm", "ntq", "ntu", "nty", "nza", "nzc",
            "nze", "nzg", "nzi", "nzk", "nzm", "nzq", "nzu", "nzy", "oda", "odc", "ode0",
            "ode1", "ode2", "ode3", "ode4", "ode5", "odew", "odey", "odez", "odg", "odi",
            "odk", "odm", "odq", "odu", "ody", "ota", "otc", "ote", "otg", "oti", "otk", "otm",
            "otq", "otu", "oty",
        ]
        entropy = 4

        [[rules]]
        id = "e2b-key"
        description = "E2B key"
        regex = '''\b(e2b_[A-Za-z0-9]{40})\b'''
        keywords = ["e2b_"]

        [[rules]]
        id = "elastic-cloud-key"
        description = "Elastic Cloud key"
        regex = '''\b(essu_[A-Za-z0-9+/_=-]{40,120})'''
        keywords = ["essu_"]

        [[rules]]
        id = "endor-key"
        description = "Endor Labs key"
        regex = '''\b(endr\+[A-Za-z0-9-]{16})\b'''
        keywords = ["endr+"]

        [[rules]]
        id = "firecrawl-key"
        description = "Firecrawl key"
        regex = '''\b(fc-[A-Za-z0-9]{32})\b'''
        keywords = ["fc-"]
        entropy = 3

        [[rules]]
        id = "fireworks-key"
        description = "Fireworks AI key"
        regex = '''\b(fw_[A-Za-z0-9]{22,24})\b'''
        keywords = ["fw_"]
        entropy = 3.5

        [[rules]]
        id = "friendli-token"
        description = "Friendli token"
        regex = '''\b(flp_[A-Za-z0-9]{46})\b'''
        keywords = ["flp_"]

        [[rules]]
        id = "harness-key"
        description = "Harness key"
        regex = '''\b([ps]at\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9]{24}\.[A-Za-z0-9]{20})\b'''
        keywords = ["pat.", "sat."]

        [[rules]]
        id = "intercom-token"
        description = "Intercom token"
        regex = '''\b(dG9rO[A-Za-z0-9+/_-]{45,60}={0,2})'''
        keywords = ["dg9ro"]

        [[rules]]
        id = "ionic-token"
        description = "Ionic token"
        regex = '''\b(ion_[A-Za-z0-9]{42})\b'''
        keywords = ["ion_"]

        [[rules]]
        id = "jenkins-token"
        description = "Jenkins token beside its name"
        regex = """\
        (?i:jenkins)[\\w. -]{0,24}[\"'\\s]{0,4}(?:=>|[:=,(])[\\s\"'=>]{0,5}(11[a-f0-9]{32})\\b"""
        keywords = ["jenkins"]

        [[rules]]
        id = "jina-key"
        description = "Jina key"
        regex = '''\b(jina_[A-Za-z0-9]{32}[A-Za-z0-9_-]{20,40})'''
        keywords = ["jina_"]

        [[rules]]
        id = "langfuse-key"
        description = "Langfuse secret key"
        regex = '''\b(sk-lf-[A-Za-z0-9]{8}(?:-[A-Za-z0-9]{4}){3}-[A-Za-z0-9]{12})\b'''
        keywords = ["sk-lf-"]

        [[rules]]
        id = "ldap-password-hash"
        description = "Hash of a password of LDAP or htpasswd"
        regex = '''(\{S?(?:SHA(?:256|384|512)?|MD5)\}[A-Za-z0-9+/]{20,120}={0,2})'''
        keywords = ["{sha", "{ssha", "{smd5", "{md5"]

        [[rules]]
        id = "llamacloud-key"
        description = "LlamaCloud key"
        regex = '''\b(llx-[A-Za-z0-9]{48})\b'''
        keywords = ["llx-"]

        [[rules]]
        id = "mailersend-token"
        description = "MailerSend token"
        regex = '''\b(mlsn\.[A-Za-z0-9]{64})\b'''
        keywords = ["mlsn."]

        [[rules]]
        id = "maxmind-key"
        description = "MaxMind license key"
        regex = '''\b([A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk)\b'''
        keywords = ["_mmk"]

        [[rules]]
        id = "mongodb-atlas-secret"
        description = "MongoDB Atlas service account secret"
        regex = '''\b(mdb_sa_sk_[A-Za-z0-9_-]{40})'''
        keywords = ["mdb_sa_sk_"]
        """#
}
