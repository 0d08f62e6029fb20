/// Part of our rule file.
extension StandardRules {
    /// Forges, registries and tools of development.
    static let code = #"""
        [[rules]]
        id = "github-token"
        description = "GitHub token"
        regex = '''\b(gh[pousr]_[A-Za-z0-9]{36,255})\b'''
        keywords = ["ghp_", "gho_", "ghu_", "ghs_", "ghr_"]

        [[rules]]
        id = "github-fine-grained-token"
        description = "GitHub fine-grained token"
        regex = '''\b(github_pat_\w{36,100})\b'''
        keywords = ["github_pat_"]

        [[rules]]
        id = "github-key"
        description = "GitHub key beside its name"
        regex = """\
        (?i:github|\\bgh_)[\\w. -]{0,24}(?i:token|key|secret|pat|pw|password)?[\"'\\s]{0,4}(?:=>\
        |[:=,(])[\\s\"'=>]{0,5}([a-f0-9]{40})\\b"""
        keywords = ["github", "gh_"]

        [[rules]]
        id = "gitlab-token"
        description = "GitLab token"
        regex = """\
        \\b(gl(?:pat|dt|rt|rtr|cbt|ptt|ft|imt|agent|oas|soat|ffct|wt)-[A-Za-z0-9_=.-]{20,300}|GR\
        1348941[A-Za-z0-9_-]{20})"""
        keywords = [
            "glpat-", "gldt-", "glrt-", "glrtr-", "glcbt-", "glptt-", "glft-", "glimt-",
            "glagent-", "gloas-", "glsoat-", "glffct-", "glwt-", "gr1348941",
        ]

        [[rules]]
        id = "bitbucket-token"
        description = "Bitbucket app password or token"
        regex = '''\b(ATBB[A-Za-z0-9_=.-]{28,40}|ATCTT3xFfG[A-Za-z0-9_=+/-]{100,300})'''
        keywords = ["atbb", "atctt3"]

        [[rules]]
        id = "atlassian-token"
        description = "Atlassian API token"
        regex = '''\b(ATATT3[A-Za-z0-9_=-]{60,300})'''
        keywords = ["atatt3"]

        [[rules]]
        id = "atlassian-api-key"
        description = "Atlassian API token beside its name"
        regex = """\
        (?i:atlassian|jira|confluence)[\\w. -]{0,24}[\"'\\s]{0,4}(?:=>|[:=,(])[\\s\"'=>]{0,5}([A\
        -Za-z0-9]{24})\\b"""
        keywords = ["atlassian", "jira", "confluence"]
        entropy = 3.5
        [[rules.allowlists]]
        regexes = ['''^[A-Za-z]+$''']

        [[rules]]
        id = "npm-token"
        description = "npm token"
        regex = '''\b(npm_[A-Za-z0-9]{36})\b'''
        keywords = ["npm_"]

        [[rules]]
        id = "npm-auth"
        description = "Credentials of .npmrc"
        regex = """\
        (?::|^|\\s)_(?:authToken|auth|password)\\s{0,2}=\\s{0,2}[\"']?([A-Za-z0-9+/=_-]{12,400})"""
        keywords = ["_authtoken", "_auth", "_password"]

        [[rules]]
        id = "pypi-token"
        description = "PyPI token"
        regex = '''\b(pypi-AgE[A-Za-z0-9_-]{50,1000})'''
        keywords = ["pypi-age"]

        [[rules]]
        id = "rubygems-key"
        description = "RubyGems key"
        regex = '''\b(rubygems_[A-Za-z0-9]{48})\b'''
        keywords = ["rubygems_"]

        [[rules]]
        id = "crates-token"
        description = "crates.io token"
        regex = '''\b(cio[A-Za-z0-9]{32})\b'''
        keywords = ["cio"]
        entropy = 3.5

        [[rules]]
        id = "nuget-key"
        description = "NuGet key"
        regex = '''\b(oy2[a-z0-9]{43})\b'''
        keywords = ["oy2"]

        [[rules]]
        id = "clojars-token"
        description = "Clojars token"
        regex = '''(CLOJARS_[A-Za-z0-9]{60})\b'''
        keywords = ["clojars_"]

        [[rules]]
        id = "docker-token"
        description = "Docker Hub token"
        regex = '''\b(dckr_(?:pat|oat)_[A-Za-z0-9_-]{27,40})'''
        keywords = ["dckr_"]

        [[rules]]
        id = "docker-auth"
        description = "Credentials in a Docker configuration"
        regex = '''"auth"\s{0,2}:\s{0,2}"([A-Za-z0-9+/]{12,400}={0,2})"'''
        keywords = ["\"auth\""]

        [[rules]]
        id = "artifactory-key"
        description = "Artifactory key or token"
        regex = '''\b(AKC[a-zA-Z0-9]{10,80}|cmVm[dt][A-Za-z0-9]{59,70})\b'''
        keywords = ["akc", "cmvm"]

        [[rules]]
        id = "sonar-token"
        description = "SonarQube token"
        regex = '''\b(sq[upa]_[A-Za-z0-9]{40})\b'''
        keywords = ["squ_", "sqp_", "sqa_"]

        [[rules]]
        id = "sonar-key"
        description = "SonarQube token beside its name"
        regex = '''(?i:sonar)[\w. -]{0,24}["'\s]{0,4}(?:=>|[:=,(])[\s"'=>]{0,5}([a-f0-9]{40})\b'''
        keywords = ["sonar"]

        [[rules]]
        id = "circleci-token"
        description = "CircleCI token"
        regex = '''\b(CCIPAT_[A-Za-z0-9]{22}_[A-Za-z0-9]{40})\b'''
        keywords = ["ccipat_"]

        [[rules]]
        id = "buildkite-token"
        description = "Buildkite token"
        regex = '''\b(bkua_[a-z0-9]{40})\b'''
        keywords = ["bkua_"]

        [[rules]]
        id = "snyk-key"
        description = "Snyk token beside its name"
        regex = """\
        (?i:snyk)[\\w. -]{0,24}[\"'\\s]{0,4}(?:=>|[:=,(])[\\s\"'=>]{0,5}([0-9a-f]{8}(?:-[0-9a-f]\
        {4}){3}-[0-9a-f]{12})\\b"""
        keywords = ["snyk"]

        [[rules]]
        id = "sourcegraph-token"
        description = "Sourcegraph token"
        regex = '''\b(sgp_(?:[A-Za-z0-9]{16}_|local_)?[A-Za-z0-9]{40}|slk_[A-Za-z0-9]{64})\b'''
        keywords = ["sgp_", "slk_"]

        [[rules]]
        id = "postman-key"
        description = "Postman key"
        regex = '''\b(PMAK-[A-Za-z0-9]{24}-[A-Za-z0-9]{34})\b'''
        keywords = ["pmak-"]

        [[rules]]
        id = "prefect-token"
        description = "Prefect token"
        regex = '''\b(pn[ub]_[A-Za-z0-9]{36})\b'''
        keywords = ["pnu_", "pnb_"]

        [[rules]]
        id = "readme-key"
        description = "ReadMe key"
        regex = '''\b(rdme_[a-z0-9]{70})\b'''
        keywords = ["rdme_"]

        [[rules]]
        id = "infracost-key"
        description = "Infracost key"
        regex = '''\b(ico-[A-Za-z0-9]{32})\b'''
        keywords = ["ico-"]

        [[rules]]
        id = "sentry-token"
        description = "Sentry token"
        regex = '''\b(sntr(?:ys|yu)_[A-Za-z0-9+/=_-]{60,400})'''
        keywords = ["sntrys_", "sntryu_"]

        [[rules]]
        id = "sentry-key"
        description = "Sentry key beside its name"
        regex = """\
        (?i:sentry)[\\w. -]{0,24}[\"'\\s]{0,4}(?:=>|[:=,(])[\\s\"'=>]{0,5}([a-f0-9]{64})\\b"""
        keywords = ["sentry"]

        [[rules]]
        id = "sentry-dsn"
        description = "Key of a Sentry DSN"
        regex = '''https?://([0-9a-f]{32}(?::[0-9a-f]{32})?)@[\w.-]{3,80}/\d'''
        keywords = ["@sentry", ".sentry", "@o"]

        [[rules]]
        id = "new-relic-key"
        description = "New Relic key"
        regex = """\
        \\b(NR(?:AK|JS|II|RA|SP|IQ|AA|DB)-[A-Za-z0-9_-]{19,48}|(?:eu01xx)?[a-z0-9]{28,36}NRAL)\\\
        b"""
        keywords = [
            "nrak-", "nrjs-", "nrii-", "nrra-", "nrsp-", "nriq-", "nraa-", "nrdb-", "nral",
        ]

        [[rules]]
        id = "grafana-token"
        description = "Grafana token"
        regex = """\
        \\b(glc_[A-Za-z0-9+/]{32,400}={0,3}|glsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}|eyJrIjoi[A-Za-z0\
        -9+/]{60,400}={0,3})"""
        keywords = ["glc_", "glsa_", "eyjrijoi"]

        [[rules]]
        id = "datadog-key"
        description = "Datadog key beside its name"
        regex = """\
        (?i:datadog|\\bdd_)[\\w. -]{0,24}[\"'\\s]{0,4}(?:=>|[:=,(])[\\s\"'=>]{0,5}([a-f0-9]{32}|\
        [a-f0-9]{40})\\b"""
        keywords = ["datadog", "dd_"]

        [[rules]]
        id = "dynatrace-token"
        description = "Dynatrace token"
        regex = '''\b(dt0[a-zA-Z]\d{2}\.[A-Z0-9]{8,24}\.[A-Z0-9]{64})\b'''
        keywords = ["dt0"]

        [[rules]]
        id = "launchdarkly-key"
        description = "LaunchDarkly key"
        regex = '''\b((?:sdk|mob|api)-[A-Za-z0-9]{8}(?:-[A-Za-z0-9]{4}){3}-[A-Za-z0-9]{12})\b'''
        keywords = ["sdk-", "mob-", "api-"]

        [[rules]]
        id = "codecov-token"
        description = "Codecov token beside its name"
        regex = """\
        (?i:codecov)[\\w. -]{0,24}[\"'\\s]{0,4}(?:=>|[:=,(])[\\s\"'=>]{0,5}([a-z0-9-]{32,36})\\b"""
        keywords = ["codecov"]
        entropy = 3

        [[rules]]
        id = "travis-token"
        description = "Travis CI token beside its name"
        regex = """\
        (?i:travis)[\\w. -]{0,24}(?i:token|key)[\"'\\s]{0,4}(?:=>|[:=,(])[\\s\"'=>]{0,5}([A-Za-z\
        0-9_-]{22})\\b"""
        keywords = ["travis"]

        [[rules]]
        id = "algolia-key"
        description = "Algolia key beside its name"
        regex = """\
        (?i:algolia)[\\w. -]{0,24}[\"'\\s]{0,4}(?:=>|[:=,(])[\\s\"'=>]{0,5}([a-f0-9]{32})\\b"""
        keywords = ["algolia"]

        [[rules]]
        id = "jfrog-key"
        description = "JFrog key beside its name"
        regex = """\
        (?i:jfrog|artifactory|xray)[\\w. -]{0,24}[\"'\\s]{0,4}(?:=>|[:=,(])[\\s\"'=>]{0,5}([A-Za\
        -z0-9]{64,73})\\b"""
        keywords = ["jfrog", "artifactory", "xray"]
        """#
}
