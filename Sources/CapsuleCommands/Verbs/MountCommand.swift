import ArgumentParser
import CapsuleAccess
import CapsuleSystem
import Glibc

/// `capsule mount`.
struct MountCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mount", abstract: "Mount a capsule as a folder.",
        discussion: "A front of capsulefs(8), which has the options of -o. See capsule-mount(1).")

    @Argument(help: "The capsule, or @STATE of a workspace.") var file: String
    @Argument(help: "An empty directory.") var directory: String
    @Option(
        name: [.customShort("w"), .long],
        help: "The workspace of @STATE: its directory, or a mount of it.")
    var workspace: String?
    @Option(name: .customShort("o"), help: "Mount options, as capsulefs(8) takes them.")
    var options: [String] = []
    @Flag(name: [.customShort("f"), .long], help: "Stay in front.") var foreground = false
    @OptionGroup var session: SessionOptions

    func run() throws {
        var words = options
        func add(_ key: String, _ values: [String]) {
            for value in values {
                let escaped = value.flatMap { $0 == "," || $0 == "\\" ? ["\\", $0] : [$0] }
                words.append("\(key)=\(String(escaped))")
            }
        }
        let opening = session.opening
        guard opening.passphrase.isEmpty else {
            throw AccessError(
                .usage, code: "usage", "a mount takes no passphrase on the command line")
        }
        add("passphrase-file", opening.passphraseFile)
        add("passphrase-fd", opening.passphraseFd.map(String.init))
        add("passphrase-command", opening.passphraseCommand)
        add("identity", opening.identity)
        add("key-file", opening.keyFile)
        add("recovery-phrase-file", opening.recoveryPhraseFile)
        add("recovery-phrase-fd", opening.recoveryPhraseFd.map(String.init))
        let demands = session.demanding
        add("root", demands.root.map { [$0] } ?? [])
        add("allowed-signers", demands.allowedSigners.map { [$0] } ?? [])
        if demands.requireVerified { words.append("require-verified") }
        if file.hasPrefix("@") {
            add("at", [file])
            words.append("ro")
        } else if workspace != nil {
            throw AccessError(
                .usage, code: "usage", "-w says of which workspace @STATE is; \(file) is a file")
        }
        let source = file.hasPrefix("@") ? try WorkspaceLocator.find(workspace) : file
        var arguments = ["capsulefs", source, directory]
        if foreground { arguments.append("-f") }
        if !words.isEmpty { arguments += ["-o", words.joined(separator: ",")] }
        try replaceProcess(arguments)
    }

    /// Becomes `capsulefs`: the one beside this program, else the one in PATH.
    private func replaceProcess(_ arguments: [String]) throws {
        let argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        var own = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &own, own.count - 1)
        if count > 0 {
            let path = String(
                decoding: own[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
            execv(AtomicFile.split(path).directory + "/capsulefs", argv)
        }
        execvp("capsulefs", argv)
        throw AccessError(
            .system, code: "system", "capsulefs is neither beside this program nor in PATH")
    }
}

/// `capsule umount`.
struct UnmountCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "umount", abstract: "Unmount a capsule.",
        discussion: "See capsule-mount(1).")

    @Argument(help: "The mount point.") var directory: String
    @Flag(name: .long, help: "Detach now, although it is in use.") var lazy = false

    func run() throws {
        guard Unmounter.isCapsule(at: directory) else {
            throw AccessError(
                .usage, code: "not_mounted", "\(directory): no capsule is mounted there")
        }
        guard Unmounter.unmount(directory, lazily: lazy) else {
            let hint = lazy ? "" : "; it may be in use, and '--lazy' detaches it all the same"
            throw AccessError(
                .system, code: "unmount_failed", "\(directory): cannot unmount\(hint)")
        }
    }
}
