/// Part of our rule file.
extension StandardRules {
    /// Payments and shops.
    static let money = #"""
        [[rules]]
        id = "stripe-key"
        description = "Stripe key"
        regex = '''\b((?:sk|rk)_(?:live|test|prod)_[A-Za-z0-9]{10,250})\b'''
        keywords = ["sk_live", "sk_test", "sk_prod", "rk_live", "rk_test", "rk_prod"]

        [[rules]]
        id = "stripe-webhook-secret"
        description = "Stripe webhook secret"
        regex = '''\b(whsec_[A-Za-z0-9+/=]{24,64})'''
        keywords = ["whsec_"]

        [[rules]]
        id = "square-token"
        description = "Square token"
        regex = '''\b(sq0[a-z]{3}-[A-Za-z0-9_-]{22,43}|EAAA[A-Za-z0-9_-]{60})'''
        keywords = ["sq0", "eaaa"]

        [[rules]]
        id = "shopify-token"
        description = "Shopify token"
        regex = '''\b(shp(?:at|ca|pa|ss|ua|tka)_[A-Za-z0-9]{32})\b'''
        keywords = ["shpat_", "shpca_", "shppa_", "shpss_", "shpua_", "shptka_"]

        [[rules]]
        id = "paypal-token"
        description = "PayPal or Braintree token"
        regex = '''(access_token\$(?:production|sandbox)\$[a-z0-9]{16}\$[A-Za-z0-9]{32})'''
        keywords = ["access_token$"]

        [[rules]]
        id = "plaid-token"
        description = "Plaid token"
        regex = """\
        \\b((?:access|link)-(?:sandbox|development|production)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0\
        -9a-f]{12})\\b"""
        keywords = ["-sandbox-", "-development-", "-production-"]

        [[rules]]
        id = "razorpay-key"
        description = "Razorpay key"
        regex = '''\b(rzp_(?:live|test)_[A-Za-z0-9]{14,24})\b'''
        keywords = ["rzp_"]

        [[rules]]
        id = "flutterwave-key"
        description = "Flutterwave key"
        regex = '''\b(FLWSECK(?:_TEST)?-[A-Za-z0-9]{12,40}(?:-X)?)\b'''
        keywords = ["flwseck"]

        [[rules]]
        id = "adyen-key"
        description = "Adyen key beside its name"
        regex = """\
        (?i:adyen)[\\w. -]{0,24}[\"'\\s]{0,4}(?:=>|[:=,(])[\\s\"'=>]{0,5}(AQE[A-Za-z0-9+/=_-]{60\
        ,200})"""
        keywords = ["adyen"]

        [[rules]]
        id = "coinbase-key"
        description = "Coinbase key beside its name"
        regex = """\
        (?i:coinbase)[\\w. -]{0,24}[\"'\\s]{0,4}(?:=>|[:=,(])[\\s\"'=>]{0,5}([A-Za-z0-9_-]{64})\
        \\b"""
        keywords = ["coinbase"]

        [[rules]]
        id = "gocardless-token"
        description = "GoCardless token"
        regex = '''\b(live_[A-Za-z0-9_=-]{40})\b'''
        keywords = ["live_"]

        [[rules]]
        id = "lob-key"
        description = "Lob key"
        regex = '''\b((?:live|test)_(?:pub_)?[a-f0-9]{31,35})\b'''
        keywords = ["live_", "test_"]

        [[rules]]
        id = "bitcoin-private-key"
        description = "Extended private key of a wallet"
        regex = '''\b([xyzt]prv[1-9A-HJ-NP-Za-km-z]{107,108})\b'''
        keywords = ["xprv", "yprv", "zprv", "tprv"]
        """#
}
