/// The services whose keys their names give away, with the shapes of the keys as the services
/// document them.
enum ServiceTable {
    /// A line for each shape: an alphabet and a length, `u` for a UUID or `-` for no shape of its
    /// own, and then the services. Alphabets are `x`, hexadecimal digits, `a`, letters and digits,
    /// `w`, which adds `_` and `-`, and `p`, which adds what base64 has and full stops.
    static let shapes = """
        a12 kanban kanbantool parsehub uclassify
        a13 debounce luno
        a14 checkvist
        a15 eagleeyenetworks
        a16 alphavantage amadeus autodesk braintree coinlib confluent formcraft geoip maxmind \
        metrilo mite shutterstock thingspeak vonage
        a17 hive
        a18 runrunit
        a19 runrunit
        a20 gitlab appveyor artsy browserstack codacy companyhub easyinsight eraser eventbrite \
        finnhub freshdesk github invoiceocean noticeable papertrail pinata plivo pusher quandl \
        runrunit smartystreets statuscake tefter timezoneapi uploadcare
        a21 carboninterface databox
        a22 apollo bugherd godaddy honeycomb splunk
        a24 atlassian baidu bannerbear betterstack cexio clickhelp clientary clockwork enablex \
        etsy flightapi gandi happyscribe keen leancloud oanda onepagecrm razorpay replyio \
        ronin satismeter textanywhere vercel
        a25 cexio clientary ronin skybiometry twitter visualcrossing
        a26 cexio clientary mattermost ronin skybiometry timecamp
        a27 cexio glassnode miro
        a28 geocode pollsapi tradier
        a30 aliyun centralstation guru nimble nylas pushover scrapeowl textmagic twitch
        a31 bigcommerce weatherapi worldweather
        a32 abstract accuweather adobe adzuna agora alconost aletheiaapi algolia amadeus \
        apiflash apilayer apimetrics artsy assemblyai atera autodesk aviationstack axonaut \
        aylien battlenet bitbar bitbucket bitstamp bulbul calendarific censys chartmogul \
        checklyhq clarifai clinchpad cloudelements coinlayer copper countrylayer \
        currencyfreaks currencylayer currencyscoop dandelion delighted demio deputy detectify \
        detectlanguage diffbot dnscheck dnsimple droneci edamam exchangerates facebook feedier \
        financialmodelingprep fixer flickr flightstats formsite fullcontact geoapify \
        getresponse giphy goodday hive infura ip2location ipapi ipgeolocation ipquality \
        jotform knapsackpro languagelayer lark larksuite linkpreview liveagent magento \
        mailboxlayer mailerlite mailjet mapquest marketo marketstack meaningcloud mediastack \
        mistral moonclerk newsapi numverify nutritionix nytimes onfleet opencagedata openuv \
        openweather paydirtapp pdflayer pingdom pipedream pivotal podio polygon postageapp \
        pyxis rawg route4me satismeter scraperapi scraperbox scrapestack scrapfly scrapingant \
        securitytrails semaphore serpstack sheety sherpadesk shodan shopify shutterstock \
        signupgenius simfin sinch siteleaf soundcloud spoonacular statuspal sugester survey \
        survicate swell taxjar testingbot thousandeyes ticketmaster tinypng toggl tomorrow \
        tomtom travelpayouts twelvedata tyntec typetalk upcdatabase upwave userstack vatlayer \
        verimail veriphone vpnapi walkscore weatherbit weatherstack webscraping yousign \
        zerobounce zerotier zipapi
        a33 simvoly whoxy
        a34 bscscan etherscan
        a35 craftmypdf worldcoinindex
        a36 enablex sslmate vultr zonka
        a39 apitemplate
        a40 abyssale apideck beebole brandfetch buddyns buildkite buttercms calorieninja \
        cicero cohere deepgram diggernaut enigma geocodify getgeoapi helpscout humanity \
        instamojo jumpcloud juro loadmill lokalise oopspam owlbot pandadoc pipedrive powrbot \
        purestake qase quickbooks revamp shotstack simplesat sonar sonarcloud stockdata strava \
        teamgate tiingo todoist worksnaps
        a42 skrapp
        a43 bitcoinaverage bitfinex cloudelements hybiscus linenotify meistertask mindmeister \
        paralleldots
        a44 geckoboard intrinio paymoapp typeform
        a46 nuget voodoosms
        a48 clockify foursquare m3o neutrinoapi restpack rownd sigopt technicalanalysisapi
        a50 caspio dronahq guru lambdatest mashape signalwire tumblr twitter vyte
        a51 flowflu
        a52 azure dyspatch
        a56 pexels
        a60 clustdoc commodities dareboost serphouse sportsmonk tly webscraper workstack
        a62 planyo
        a64 softlayer alienvault allsports appsynergy binance campayn coinbase currencycloud \
        disqus freshbooks groove hasura hetzner html2pdf iconfinder ipinfodb keen mavenlink \
        mesibo moralis netsuite partnerstack peopledatalabs phrase pinata protocols qubole \
        scrutinizer sheety sumo tmetric typetalk unplugg webflow wistia zipcodeapi
        a76 jupiterone
        a80 abuseipdb crowdin fulcrum scraping[ _-]?bee scrapingbee teamgate
        a86 signaturit
        a91 airship
        a96 verifier
        a128 chatfuel flat instamojo
        p12 adobe
        p20 aeroworkflow fxmarket
        p24 d7network
        p25 nethunt revamp
        p26 nethunt revamp
        p27 nethunt revamp
        p28 cloverly nethunt revamp
        p29 bulksms nethunt revamp
        p30 mixpanel nethunt revamp
        p31 mixpanel shipday
        p32 mixpanel
        p33 mixpanel
        p34 mixpanel pushbullet
        p35 accuweather mixpanel
        p36 imagekit mixpanel nethunt
        p37 mixpanel
        p38 mixpanel
        p39 fileio mixpanel
        p40 fetchrss mixpanel
        p43 hereapi
        p44 fibery brandfetch gocanvas instabot onepagecrm tickettailor unify
        p46 beamer
        p48 stytch
        p51 asana
        p54 optimizely
        p56 kraken
        p58 easypost
        p62 wepay
        p64 capsulecrm confluent hellosign qualaroo salesforce
        p72 imagga
        p83 yandex
        p86 kraken
        p87 kraken
        p88 appointedd fullstory kraken mailjet
        p97 harvest
        p128 yelp
        u sauce binaryedge blazemeter blocknative braze bugsnag canny captaindata clicksend \
        cliengo coda codecov coinmarketcap collect2 cypress ditto docker dockerhub duply figma \
        findl guardian guru heroku hubspot intelx interseller keycloak kontent kucoin \
        launchdarkly logentries loggly loginradius logz magnetic moosend nftport okx onesignal \
        opsgenie postbacks postmark privacy railway refiner rownd runscope salesmate saucelabs \
        scaleway sendbird shortcut signalwire snyk squarespace tokeet transferwise victorops \
        zenscrape zipcodebase zoomeye
        w16 nexmo raven
        w18 getemails
        w20 alegra getemail hiveage
        w22 convertkit ethplorer freshworks mandrill proxycrawl ringcentral travis
        w24 atlassian bitmex confluence jira youtube
        w25 messagebird
        w26 getemails
        w27 cloudinary hypertrack
        w28 browshot fastforex roaring
        w29 userflow
        w30 cloudimage
        w32 airbrake alchemy apptivo audd autoklose azure chatbot cloudplan datadog \
        faceplusplus fastly fmfw ipifi loyverse manifest mixpanel netcore pastebin paymongo \
        pepipost positionstack prospect rebrandly salescookie screenshotlayer trello uplead
        w34 pixabay
        w35 clearbit godaddy iexapis iexcloud stitchdata
        w36 airvisual apacta appcues apptivo censys cloudmersive coinapi deepai dnscheck \
        exportsdk graphhopper holidayapi insightly kylas metabase mixmax selectpdf \
        smartystreets statuspage survey tatum urlscan vouchery zenserp
        w37 bulksms coveralls godaddy
        w39 appcues blitapp rocketreach youtube
        w40 airbrake bitly cloudflare datadog extractorapi getsandbox gitter hunter magicbell \
        plivo qiniu versioneye zendesk
        w43 bitfinex codemagic contentful gumroad gyazo leadfeeder luno netlify newscatcher \
        storecove supernotes unsplash
        w44 netlify
        w45 netlify salesflare
        w46 impala
        w48 bitmex commercejs currentsapi
        w49 stytch
        w50 dwolla overloop rapidapi
        w51 pandascore repairshopr
        w54 hypertrack
        w64 apimatic codequiry cryptocompare kickbox reachmail teletype
        w71 solarwinds
        w72 mailgun
        w73 stormglass
        w75 omnisend snipcart
        w80 surveybot
        w86 smooch
        w88 surveysparrow
        w96 elastic
        w128 dynalist
        x14 ipinfo
        x16 wunderground
        x24 exchangerate kucoin metaapi plaid sendbird umeng
        x30 plaid
        x32 hockeyapp softlayer amap amplitude anypoint api2cart autopilot billomat bmob \
        braintree cloze darksky elevenlabs fedex fitbit fossa gtmetrix haveibeenpwned hibp \
        honeycomb instagram ipstack iterable lastfm lemlist libraries.io logdna madkudu \
        memcachier namecheap opencage openexchangerates pardot pdfshift recurly rollbar \
        runrunit speechtext spotify streak taxjar theoddsapi thinkific tmdb vimeo websitepulse \
        wechat weixin
        x34 jenkins
        x37 cloudflare
        x38 cloudflare
        x39 cloudflare
        x40 circle circleci cloudflare cloudsmith codeclimate docparser giantbomb github imgur \
        kissmetrics klipfolio meraki monkeylearn nicereply parseur sendbird sparkpost \
        stormboard twist wandb zenrows
        x41 cloudflare
        x42 cloudflare
        x43 cloudflare
        x44 cloudflare ritekit
        x45 cloudflare
        x48 packagecloud
        x50 lunchmoney
        x64 ambee besnappy boostnote captaindata cryptocompare daily digitalocean dnsdb \
        holistic linode metaapi onelogin passivetotal percy prodpad riskiq sentry virustotal \
        webex whitesource withings youneedabudget
        x72 activecampaign
        x128 planview planviewleankit poloniex veracode
        w42 okta
        p77 ditto
        - ably adafruit admob adyen airtable aiven akamai alibaba alipay anthropic apiary \
        apifonica apify appdynamics appfollow applitools applovin appsflyer artifactory auth0 \
        avalara avaza ayrshare backblaze baremetrics besttime bing bitrise blackduck blogger \
        bombbomb bonsai borgbase branchio budibase bunny bybit caflou calendly cashboard \
        chargebee chargify chartbeat chartboost chatfuel checkmarx checkout chromatic clearml \
        clevercloud clickup cloudamqp cloudconvert conversiontools convertapi convier \
        couchbase courier criteo crossbrowsertesting customerio databricks deepseek \
        dependencytrack depsdev discord docusign doppler dotdigital dovico dropbox duffel \
        dynatrace ecostruxureit edenai eloqua envoy everhour exoscale fibery flagsmith \
        fleetbase flexport flutterwave flyio formbucket formio frameio gengo getui gitguardian \
        gocardless grafana graphcms greynoise hashicorp helpcrunch helpdesk hotjar huawei \
        huggingface huobi ifttt igdb integromat intercom ironsource jfrog jpush klaviyo \
        kobiton kochava langfuse langsmith lemonsqueezy lexigram lightstep livestorm \
        localytics locationiq logrocket mailchimp mailmodo mailsac mapbox meetup meilisearch \
        mockaroo mollie mrticktock mulesoft myintervals neptune netease newrelic ngrok \
        nightfall northflank nozbe octopusdeploy onedesk openai openrouter openvpn outbrain \
        pagerduty paperform parsely paystack perfecto pganalyze photoroom pinecone planetscale \
        porkbun portainer posthog postman prismic pubnub pulumi pushy raygun readme reddit \
        redislabs rentman requestfinance rootly rubygems saladcloud salesblink sanity scalingo \
        scalr searchly sendgrid sendinblue shippo simplynoted smartbear smartsheet snowflake \
        sonatype sourcegraph spectralops splitio squareup stoplight storyblok storychief \
        stripo sumologic supabase surveymonkey swaggerhub swiftype tableau taboola tailscale \
        tallyfy tapjoy teamwork teamworkcrm teamworkdesk teamworkspaces telegram telnyx \
        tencent terraform testrail twilio typesense ubidots unityads uptimerobot urbanairship \
        usps vbout viewneo voiceflow voicegain vungle wasabi weaviate web3storage whoisxmlapi \
        woopra workato wrike xero xiaomi zapier zenkit zeplin zipbooks zoho zulip zuora
        """

    /// Names that are words, too: what follows them must look like what assigns a key.
    static let words = """
        gitlab sauce ably abstract adobe agora airship apollo atlassian autopilot azure \
        binance bing \
        bunny calendarific canny chatbot cicero circle clearbit clockwork cloudflare coda \
        commodities confluence copper cypress daily dandelion datadog debounce delighted demio \
        deputy discord ditto docker elastic enigma envoy eraser exchangerate exchangerates \
        facebook fixer flat fulcrum geocode geoip github gitter groove guardian guru harvest \
        helpdesk heroku hive holidayapi holistic hubspot humanity hunter impala ipapi ipifi \
        jira juro kanban keen kraken lark linkpreview luno magnetic manifest meetup miro mite \
        mollie neptune netlify newsapi nimble noticeable nuget pagerduty parsehub percy phrase \
        pivotal plaid polygon postbacks prismic privacy prospect protocols pusher raven readme \
        reddit refiner revamp roaring ronin semaphore sentry shortcut sinch splunk strava \
        streak sumo survey swell tomorrow travis trello twitter unify vercel verifier verimail \
        vyte
        """
}
