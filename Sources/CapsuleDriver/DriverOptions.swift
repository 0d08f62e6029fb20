import CapsuleAccess
import CapsuleBytes
import CapsuleCrypto
import CapsuleMount
import CapsuleWorkspace

/// What `capsulefs` was asked to do.
struct DriverOptions {
    var source = ""
    var mountPoint = ""
    var isForeground = false
    var isDebug = false
    var notifyDescriptor: Int32?
    var secrets = OpeningSecrets()
    var policy = MountPolicy()
    var expectedRoot: Digest32?
    var allowedSignersFile: String?
    var requiresVerified = false
    var allowsOther = false
    /// Whether a Memvid file is shown with what is only in its log.
    var recoversLog = false
    /// Whether a workspace is shown and not changed.
    var isReadOnly = false
    /// The state of a workspace that is shown instead of the present one.
    var state: String?
    /// Seconds of change after which a workspace keeps a point of its timeline; 0 keeps none.
    var pointInterval: Int64 = 900
    var allowsSuid = false
    var allowsDevices = false
    var cacheLength = 64 << 20
    var threadCount = 0
    var idleTimeoutSeconds: Double?
    /// Flags that go to the kernel as they are: noexec, noatime and the like.
    var kernelFlags: [String] = []

    /// What the command line asks for besides mounting.
    enum Request {
        case mount(DriverOptions)
        case help
        case version
    }

    /// Parses the arguments after the program's name. Throws `AccessError` of the kind `usage`.
    static func parse(_ arguments: [String]) throws(AccessError) -> Request {
        var options = DriverOptions()
        var operands: [String] = []
        var rest = arguments[...]
        while let word = rest.popFirst() {
            switch word {
            case "-h", "--help": return .help
            case "-V", "--version": return .version
            case "-f": options.isForeground = true
            case "-d":
                options.isDebug = true
                options.isForeground = true
            case "-o":
                guard let list = rest.popFirst() else { throw usage("-o needs a list of options") }
                try options.apply(list: list)
            case "--notify-fd":
                guard let number = rest.popFirst().flatMap({ Int32($0) }) else {
                    throw usage("--notify-fd needs a number")
                }
                options.notifyDescriptor = number
            case "--":
                operands += rest
                rest = []
            case _ where word.hasPrefix("-o") && word.count > 2:
                try options.apply(list: String(word.dropFirst(2)))
            case _ where word.hasPrefix("-") && word != "-":
                // mount(8) passes options of its own, such as -n, -s or -v.
                if word == "-r" { options.isReadOnly = true }
                guard ["-n", "-s", "-v", "-w", "-r"].contains(word) else {
                    throw usage("unknown option \(word)")
                }
            default: operands.append(word)
            }
        }
        guard operands.count == 2 else {
            throw usage("give a capsule or a workspace, and a mount point")
        }
        options.source = operands[0]
        options.mountPoint = operands[1]
        return .mount(options)
    }

    private static func usage(_ message: String) -> AccessError {
        AccessError(.usage, code: "usage", "\(message); see 'capsulefs --help' or capsulefs(8)")
    }

    /// Splits at commas; a backslash keeps the character after it.
    static func split(list: String) -> [String] {
        var words: [String] = [""]
        var isEscaped = false
        for character in list {
            if isEscaped {
                words[words.count - 1].append(character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if character == "," {
                words.append("")
            } else {
                words[words.count - 1].append(character)
            }
        }
        return words.filter { !$0.isEmpty }
    }

    private mutating func apply(list: String) throws(AccessError) {
        for word in Self.split(list: list) {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 {
                try apply(key: String(parts[0]), value: String(parts[1]))
            } else {
                try apply(flag: word)
            }
        }
    }

    private mutating func apply(flag: String) throws(AccessError) {
        switch flag {
        case "allow_other":
            allowsOther = true
            policy.enforcesPermissions = true
        case "default_permissions": policy.enforcesPermissions = true
        case "require-verified": requiresVerified = true
        case "allow-suid": allowsSuid = true
        case "allow-dev": allowsDevices = true
        case "recover": recoversLog = true
        case "ro": isReadOnly = true
        case "rw": isReadOnly = false
        case "redact": policy.redactsNames = true
        case "noexec", "noatime", "dirsync", "sync":
            kernelFlags.append(flag)
        case _ where Self.isIgnored(flag): break
        default: throw Self.usage("unknown mount option '\(flag)'")
        }
    }

    /// Options of mount(8), fstab(5) and systemd.mount(5) that do not concern the driver. `suid`
    /// and `dev` are among them: mount.fuse3 adds both for root, and a hostile capsule must not
    /// profit.
    private static func isIgnored(_ word: String) -> Bool {
        let known = [
            "suid", "nosuid", "dev", "nodev", "exec", "atime", "async", "defaults",
            "auto", "noauto", "nofail", "user", "nouser", "users", "owner", "group", "_netdev",
            "silent", "loud", "diratime", "norelatime", "nostrictatime", "mand", "nomand",
            // Which time of access is kept, libfuse cannot tell the kernel; we keep none but what
            // utimensat(2) sets.
            "nodiratime", "relatime", "strictatime", "lazytime",
        ]
        return known.contains(word) || word.hasPrefix("x-") || word.hasPrefix("X-")
            || word.hasPrefix("comment=")
    }

    private mutating func apply(key: String, value: String) throws(AccessError) {
        switch key {
        case "passphrase-file": secrets.passphraseFiles.append(value)
        case "passphrase-fd": secrets.passphraseDescriptors.append(try Self.number(key, value))
        case "passphrase-command": secrets.passphraseCommands.append(value)
        case "identity": secrets.identityFiles.append(value)
        case "key-file": secrets.keyFiles.append(value)
        case "recovery-phrase-file": secrets.recoveryPhraseFiles.append(value)
        case "recovery-phrase-fd":
            secrets.recoveryPhraseDescriptors.append(try Self.number(key, value))
        case "root":
            guard let root = Digest32(hex: value) else {
                throw Self.usage("root= takes 64 hexadecimal digits")
            }
            expectedRoot = root
        case "allowed-signers": allowedSignersFile = value
        case "at":
            guard value.hasPrefix("@"), value.count > 1 else {
                throw Self.usage("at= takes @ and the name of a state")
            }
            state = String(value.dropFirst())
        case "import":
            guard !value.isEmpty else { throw Self.usage("import= takes the name of an import") }
            state = Workspace.importPrefix + value
        case "timeline":
            pointInterval = Int64(try Self.number(key, value) as UInt32)
        case "uid": policy.uid = try Self.number(key, value)
        case "gid": policy.gid = try Self.number(key, value)
        case "umask":
            guard let mask = UInt32(value, radix: 8), mask <= 0o777 else {
                throw Self.usage("umask= takes octal digits")
            }
            policy.umask = mask
        case "cache": cacheLength = try Self.size(value)
        case "threads":
            threadCount = Int(try Self.number(key, value) as Int32)
            guard (1...64).contains(threadCount) else { throw Self.usage("threads= takes 1 to 64") }
        case "timeout":
            let seconds: UInt32 = try Self.number(key, value)
            idleTimeoutSeconds = seconds == 0 ? nil : Double(seconds)
        case "subdir":
            policy.subdirectory = value.utf8.split(separator: UInt8(ascii: "/")).map(Array.init)
                .filter { $0 != [UInt8(ascii: ".")] }
        case "fsname", "subtype": break
        case _ where Self.isIgnored(key + "="): break
        default: throw Self.usage("unknown mount option '\(key)'")
        }
    }

    private static func number<T: FixedWidthInteger>(
        _ key: String, _ value: String
    ) throws(AccessError) -> T {
        guard let number = T(value) else { throw usage("\(key)= takes a number") }
        return number
    }

    /// Bytes, or with a suffix K, M or G.
    static func size(_ text: String) throws(AccessError) -> Int {
        let factors: [Character: Int] = ["K": 1 << 10, "M": 1 << 20, "G": 1 << 30]
        let factor = text.last.flatMap { factors[Character($0.uppercased())] }
        let digits = factor == nil ? text[...] : text.dropLast()
        guard let count = Int(digits), count >= 0,
            let bytes = count.checkedMultiplied(by: factor ?? 1), bytes <= 1 << 40
        else { throw usage("'\(text)' is not a size; write 64M or 1G") }
        return bytes
    }
}
