/// Part of our rule file.
extension StandardRules {
    /// Providers of infrastructure.
    static let cloud = #"""
        [[rules]]
        id = "aws-access-key"
        description = "AWS access key id"
        regex = """\
        \\b((?:AKIA|ASIA|ABIA|ACCA|A3T[A-Z0-9])[A-Z0-9]{16}|(?:AROA|AIDA|ANPA|AGPA|AIPA|APKA|ASC\
        A)[A-Z0-9]{16,17})\\b"""
        keywords = [
            "akia", "asia", "abia", "acca", "a3t", "aroa", "aida", "anpa", "agpa", "aipa", "apka",
            "asca",
        ]
        [[rules.allowlists]]
        regexes = ['''X{6}''']

        [[rules]]
        id = "aws-secret-key"
        description = "AWS secret access key"
        regex = """\
        (?i:(?:aws|amazon|amz|s3)[\\w. -]{0,24}(?:secret|key|sk|pw|password|token)[\\w. -]{0,20}\
        |secret_?access_?key|secret_?key|secretkey)[\"'\\]\\s]{0,4}(?::=|=>|=|:|,|\\s)[\\s\"'(\\\
        [=>]{0,5}([A-Za-z0-9/+]{40})(?:[^A-Za-z0-9/+=]|$)"""
        keywords = ["aws", "amazon", "amz", "s3", "secret"]
        entropy = 3.2

        [[rules]]
        id = "aws-session-token"
        description = "AWS session token"
        regex = '''(?i:session_?token)["'\s]{0,4}[:=][\s"']{0,4}([A-Za-z0-9/+=]{100,1000})'''
        keywords = ["session_token", "sessiontoken"]

        [[rules]]
        id = "aws-bedrock-key"
        description = "AWS Bedrock API key"
        regex = """\
        \\b(ABSK[A-Za-z0-9+/]{100,270}={0,2}|bedrock-api-key-[A-Za-z0-9+/]{100,1000}={0,2})"""
        keywords = ["absk", "bedrock-api-key"]

        [[rules]]
        id = "aws-mws-token"
        description = "Amazon MWS token"
        regex = '''(amzn\.mws\.[A-Za-z0-9]{8}(?:-[A-Za-z0-9]{4}){3}-[A-Za-z0-9]{12})'''
        keywords = ["amzn.mws"]

        [[rules]]
        id = "google-api-key"
        description = "Google API key"
        regex = '''\b(AIza[0-9A-Za-z_-]{35})'''
        keywords = ["aiza"]

        [[rules]]
        id = "google-oauth-secret"
        description = "Google OAuth client secret"
        regex = '''\b(GOCSPX-[A-Za-z0-9_-]{28})'''
        keywords = ["gocspx-"]

        [[rules]]
        id = "google-oauth-token"
        description = "Google OAuth access token"
        regex = '''\b(ya29\.[0-9A-Za-z_-]{20,1000})'''
        keywords = ["ya29."]

        [[rules]]
        id = "google-refresh-token"
        description = "Google OAuth refresh token"
        regex = '''(?:^|[^\w/])(1//0[A-Za-z0-9_-]{40,200})'''
        keywords = ["1//0"]

        [[rules]]
        id = "google-private-key-id"
        description = "Key id of a Google service account"
        regex = '''"private_key_id"\s*:\s*"([0-9a-f]{40})"'''
        keywords = ["private_key_id"]

        [[rules]]
        id = "firebase-server-key"
        description = "Firebase Cloud Messaging server key"
        regex = '''\b(AAAA[A-Za-z0-9_-]{7}:[A-Za-z0-9_-]{140})'''
        keywords = ["aaaa"]

        [[rules]]
        id = "azure-storage-key"
        description = "Azure storage account key"
        regex = """\
        (?i:AccountKey|account_?key|storage_?(?:account_?)?key|access_?key|primary_?key|cosmos\\\
        w{0,20}key|master_?key)[\"'\\s]{0,4}[:=][\\s\"']{0,4}([A-Za-z0-9+/]{60,100}==)"""
        keywords = ["key"]

        [[rules]]
        id = "azure-shared-access-key"
        description = "Azure shared access key"
        regex = '''(?i:SharedAccessKey|AccessKey|SharedSecretIssuer)=([A-Za-z0-9+/]{43}=)'''
        keywords = ["accesskey="]

        [[rules]]
        id = "azure-sas-signature"
        description = "Signature of an Azure SAS URL"
        regex = '''[?&;]sig=([A-Za-z0-9%+/=_-]{40,100})'''
        keywords = ["sig="]

        [[rules]]
        id = "azure-client-secret"
        description = "Azure AD client secret"
        regex = '''(?:^|[^\w~.-])([A-Za-z0-9_~.-]{3}\dQ~[A-Za-z0-9_~.-]{31,34})'''
        keywords = ["q~"]

        [[rules]]
        id = "azure-devops-token"
        description = "Azure DevOps personal access token"
        regex = '''\b([A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4})\b'''
        keywords = ["azdo"]

        [[rules]]
        id = "azure-service-key"
        description = "Key of an Azure service"
        regex = """\
        \\b([A-Za-z0-9+/]{40,60}(?:\\+ACR|AzSe|AzCa|\\+ABa|\\+AMC|APIM|AzFu|ACDb|\\+ASt|JQQJ99)[\
        A-Za-z0-9+/]{5,40}={0,2})"""
        keywords = [
            "+acr", "azse", "azca", "+aba", "+amc", "apim", "azfu", "acdb", "+ast", "jqqj99",
        ]

        [[rules]]
        id = "alibaba-access-key"
        description = "Alibaba Cloud access key id"
        regex = '''\b(LTAI[A-Za-z0-9]{12,26})\b'''
        keywords = ["ltai"]

        [[rules]]
        id = "tencent-secret-id"
        description = "Tencent Cloud secret id"
        regex = '''\b(AKID[A-Za-z0-9]{32})\b'''
        keywords = ["akid"]

        [[rules]]
        id = "digitalocean-token"
        description = "DigitalOcean token"
        regex = '''\b(do[opr]_v1_[A-Za-z0-9]{64})\b'''
        keywords = ["doo_v1_", "dop_v1_", "dor_v1_"]

        [[rules]]
        id = "heroku-key"
        description = "Heroku API key"
        regex = """\
        \\b(HRKU-AA[A-Za-z0-9_-]{58}|HRKU-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\\b"""
        keywords = ["hrku-"]

        [[rules]]
        id = "heroku-api-key"
        description = "Heroku API key beside its name"
        regex = """\
        (?i)heroku[\\w. -]{0,24}[\"'\\s]{0,4}(?:=>|[:=,(])[\\s\"'=>]{0,5}([0-9a-f]{8}(?:-[0-9a-f\
        ]{4}){3}-[0-9a-f]{12})\\b"""
        keywords = ["heroku"]

        [[rules]]
        id = "cloudflare-origin-key"
        description = "Cloudflare origin CA key"
        regex = '''\b(v1\.0-[A-Za-z0-9]{24,64}-[A-Za-z0-9]{64,150})\b'''
        keywords = ["v1.0-"]

        [[rules]]
        id = "cloudflare-api-key"
        description = "Cloudflare API key or token"
        regex = """\
        (?i:cloudflare|\\bcf_)[\\w. -]{0,24}[\"'\\s]{0,4}(?:=>|[:=,(])[\\s\"'=>]{0,5}([a-f0-9]{3\
        7}|[A-Za-z0-9_-]{40})\\b"""
        keywords = ["cloudflare", "cf_"]
        entropy = 3

        [[rules]]
        id = "fly-token"
        description = "Fly.io token"
        regex = '''\b(fo1_[\w-]{43}|fm[12][ar]?_[A-Za-z0-9+/=_-]{100,900})'''
        keywords = ["fo1_", "fm1", "fm2"]

        [[rules]]
        id = "netlify-token"
        description = "Netlify token"
        regex = '''\b(nfp_[A-Za-z0-9]{36,40})\b'''
        keywords = ["nfp_"]

        [[rules]]
        id = "vercel-token"
        description = "Vercel token"
        regex = '''\b(vc[pkair]_[A-Za-z0-9]{24,64})\b'''
        keywords = ["vcp_", "vck_", "vca_", "vci_", "vcr_"]

        [[rules]]
        id = "render-key"
        description = "Render API key"
        regex = '''\b(rnd_[A-Za-z0-9]{28,36})\b'''
        keywords = ["rnd_"]

        [[rules]]
        id = "supabase-key"
        description = "Supabase key"
        regex = '''\b(sbp_[A-Za-z0-9]{40}|sb_secret_[A-Za-z0-9_-]{22,50})'''
        keywords = ["sbp_", "sb_secret_"]

        [[rules]]
        id = "planetscale-token"
        description = "PlanetScale token or password"
        regex = '''\b(pscale_(?:tkn|oauth|pw)_[\w=.-]{32,64})'''
        keywords = ["pscale_"]

        [[rules]]
        id = "neon-key"
        description = "Neon API key"
        regex = '''\b(napi_[a-z0-9]{60,70})\b'''
        keywords = ["napi_"]

        [[rules]]
        id = "databricks-token"
        description = "Databricks token"
        regex = '''\b(dapi[a-f0-9]{32}(?:-\d)?)\b'''
        keywords = ["dapi"]

        [[rules]]
        id = "snowflake-password"
        description = "Snowflake connection password"
        regex = '''(?i)snowflake://[^\s:/@]+:([^\s@/]{3,100})@'''
        keywords = ["snowflake://"]

        [[rules]]
        id = "ibm-cloud-key"
        description = "IBM Cloud API key"
        regex = """\
        (?i:ibm|bluemix)[\\w. -]{0,24}(?i:key|token|iam)[\\w. -]{0,8}[\"'\\s]{0,4}(?:=>|[:=,])[\
        \\s\"'=>]{0,5}([A-Za-z0-9_-]{44})\\b"""
        keywords = ["ibm", "bluemix"]

        [[rules]]
        id = "linode-token"
        description = "Linode token"
        regex = """\
        (?i:linode)[\\w. -]{0,24}[\"'\\s]{0,4}(?:=>|[:=,(])[\\s\"'=>]{0,5}([a-f0-9]{64})\\b"""
        keywords = ["linode"]

        [[rules]]
        id = "scaleway-key"
        description = "Scaleway secret key"
        regex = """\
        (?i:scw|scaleway)[\\w. -]{0,24}[\"'\\s]{0,4}(?:=>|[:=,(])[\\s\"'=>]{0,5}([0-9a-f]{8}(?:-\
        [0-9a-f]{4}){3}-[0-9a-f]{12})\\b"""
        keywords = ["scw", "scaleway"]

        [[rules]]
        id = "fastly-token"
        description = "Fastly token"
        regex = """\
        (?i:fastly)[\\w. -]{0,24}[\"'\\s]{0,4}(?:=>|[:=,(])[\\s\"'=>]{0,5}([A-Za-z0-9_-]{32})\\b"""
        keywords = ["fastly"]
        entropy = 3

        [[rules]]
        id = "doppler-token"
        description = "Doppler token"
        regex = """\
        \\b(dp\\.(?:pt|st|ct|sa|scim|audit)\\.(?:[a-z0-9_-]{2,35}\\.)?[A-Za-z0-9]{40,44})\\b"""
        keywords = ["dp."]

        [[rules]]
        id = "pulumi-token"
        description = "Pulumi token"
        regex = '''\b(pul-[A-Za-z0-9]{40})\b'''
        keywords = ["pul-"]

        [[rules]]
        id = "terraform-token"
        description = "Terraform Cloud token"
        regex = '''\b([A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,72})'''
        keywords = [".atlasv1."]

        [[rules]]
        id = "vault-token"
        description = "HashiCorp Vault token"
        regex = '''\b(hv[sbr]\.[A-Za-z0-9_-]{24,300})\b'''
        keywords = ["hvs.", "hvb.", "hvr."]
        entropy = 3.5

        [[rules]]
        id = "vault-legacy-token"
        description = "HashiCorp Vault token of the old form"
        regex = """\
        (?i:vault)[\\w. -]{0,24}[\"'\\s]{0,4}(?:=>|[:=,(])[\\s\"'=>]{0,5}([sb]\\.[A-Za-z0-9]{24}\
        )\\b"""
        keywords = ["vault"]

        [[rules]]
        id = "tailscale-key"
        description = "Tailscale key"
        regex = '''\b(tskey-(?:[a-z]+-)?[A-Za-z0-9]{6,40}-[A-Za-z0-9]{16,50})\b'''
        keywords = ["tskey-"]

        [[rules]]
        id = "okta-token"
        description = "Okta API token beside its name"
        regex = """\
        (?i:okta|ssws)[\\w. -]{0,24}[\"'\\s]{0,4}(?:=>|[:=,(]|\\s)[\\s\"'=>]{0,5}(00[\\w-]{39,40\
        })\\b"""
        keywords = ["okta", "ssws"]
        """#
}
