/// Part of our rule file.
extension StandardRules {
    /// Keys and tokens of standards.
    static let keys = #"""
        [[rules]]
        id = "private-key"
        description = "Private key in PEM"
        regex = """\
        (-----BEGIN (?:[A-Z0-9]+ ){0,4}PRIVATE KEY-----(?:[^.-]|-[^-]|\\.[^.])+?-----END (?:[A-Z\
        0-9]+ ){0,4}PRIVATE KEY-----|-----BEGIN (?:[A-Z0-9]+ ){0,4}PRIVATE KEY-----(?:(?:\\s|\\\
        \\[rn]|[\"'+,>#*;]| {1,3})*[A-Za-z0-9+/=:, -]{20,})+)"""
        keywords = ["private key-----"]

        [[rules]]
        id = "pgp-private-key"
        description = "PGP private key"
        regex = """\
        (-----BEGIN PGP PRIVATE KEY BLOCK-----[\\s\\S]+?-----END PGP PRIVATE KEY BLOCK-----|----\
        -BEGIN PGP PRIVATE KEY BLOCK-----(?:\\s*[A-Za-z0-9+/=:. -]{16,})+)"""
        keywords = ["pgp private key"]

        [[rules]]
        id = "base64-private-key"
        description = "Private key in base64 without armor"
        regex = """\
        (?i)priv(?:ate)?[_.-]?key[\\w.-]{0,12}[\"'\\]]{0,2}\\s{0,4}(?:=>|:=|[:=,(])\\s{0,4}[\"']\
        ?(MI[A-Za-z0-9+/\\\\\\s\"'+]{100,}={0,2})"""
        keywords = ["priv"]

        [[rules]]
        id = "encoded-private-key"
        description = "Private key in base64 by its first bytes"
        regex = """\
        \\b(MII[A-Za-z0-9+/]{0,5}(?:IBADAN|IBADCB|AIBADA|IBAAKC|AIBAAK|QAwg)[A-Za-z0-9+/\\\\]{60\
        ,}={0,2})"""
        keywords = ["mii"]

        [[rules]]
        id = "ntlm-message"
        description = "Credentials in a message of NTLM"
        regex = '''\b(TlRMTVNTUAAD[A-Za-z0-9+/]{40,}={0,2})'''
        keywords = ["tlrmtvntuaad"]

        [[rules]]
        id = "openvpn-static-key"
        description = "OpenVPN static key"
        regex = """\
        (-----BEGIN OpenVPN Static key V1-----[\\s\\S]+?-----END OpenVPN Static key V1-----)"""
        keywords = ["openvpn static key"]

        [[rules]]
        id = "putty-private-key"
        description = "PuTTY private key"
        regex = """\
        (?s)PuTTY-User-Key-File-\\d:.{0,900}?Private-Lines: \\d+\\r?\\n((?:[A-Za-z0-9+/=]{1,64}\
        \\r?\\n?)+)"""
        keywords = ["putty-user-key-file"]

        [[rules]]
        id = "age-secret-key"
        description = "Identity of age"
        regex = '''\b(AGE-SECRET-KEY-(?:PQ-)?1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58,100})'''
        keywords = ["age-secret-key-"]

        [[rules]]
        id = "jwt"
        description = "JSON Web Token"
        regex = """\
        \\b(eyJ[A-Za-z0-9_-]{8,}\\.eyJ[A-Za-z0-9_-]{8,}(?:\\.[A-Za-z0-9_-]*)?|eyJ[A-Za-z0-9_-]{1\
        5,}(?:\\.[A-Za-z0-9_-]*){4})"""
        keywords = ["eyj"]

        [[rules]]
        id = "wireguard-key"
        description = "WireGuard key"
        regex = '''(?i:private_?key|preshared_?key)\s{0,3}[=:]\s{0,3}["']?([A-Za-z0-9+/]{43}=)'''
        keywords = ["privatekey", "private_key", "presharedkey", "preshared_key"]

        [[rules]]
        id = "password-hash"
        description = "Hash of a password"
        regex = """\
        (\\$(?:2[abxy]\\$\\d\\d\\$[./A-Za-z0-9]{53}|[15678y]\\$(?:rounds=\\d{1,9}\\$|[^\\s:$]{0,\
        64}\\$)?[^\\s:$]{0,64}\\$[./A-Za-z0-9]{22,90}|apr1\\$[./A-Za-z0-9]{1,8}\\$[./A-Za-z0-9]{\
        22}|argon2(?:id|i|d)\\$[\\w=,$+/.-]{40,200}|pbkdf2[\\w-]{0,12}\\$[\\w=,$+/.-]{30,200}|P\
        \\$[./A-Za-z0-9]{31}))"""
        keywords = [
            "$1$", "$5$", "$6$", "$y$", "$7$", "$8$", "$2a$", "$2b$", "$2y$", "$2x$", "$apr1$",
            "$argon2", "$pbkdf2", "$p$",
        ]

        [[rules]]
        id = "kubeconfig-key"
        description = "Client key of a kubeconfig"
        regex = """\
        (?:client-key-data|token|client-certificate-data)[\"']?:\\s{0,2}[\"']?([A-Za-z0-9+/]{100\
        ,}={0,2})"""
        keywords = ["client-key-data", "client-certificate-data"]
        """#
}
