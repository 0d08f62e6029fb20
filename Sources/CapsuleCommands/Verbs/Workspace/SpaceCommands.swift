import ArgumentParser
import CapsuleAccess
import CapsuleWorkspace

/// `capsule forget`.
struct ForgetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forget", abstract: "Take what is at a path out of the states that are kept.",
        discussion: "It cannot be brought back. See capsule-forget(1).")

    @Argument(help: "The path in the workspace.") var path: String
    @Flag(name: .long, help: "Out of the present state, too.") var allStates = false
    @OptionGroup var place: WorkspaceOptions
    @OptionGroup(title: "Secrets") var opening: OpeningOptions
    @OptionGroup var outputOptions: OutputOptions

    private struct Result: Encodable {
        let inodes: Int64
        let kept: Int64
        let freedBytes: UInt64

        private enum CodingKeys: String, CodingKey {
            case inodes, kept
            case freedBytes = "freed_bytes"
        }
    }

    func run() throws {
        let components = try place.components(path)
        let report = try place.withService(opening) {
            try $0.forget(components, fromPresent: allStates)
        }
        if report.kept > 0 {
            Output.warn("\(report.kept) entries stay, as they have names elsewhere, too")
        }
        if outputOptions.json {
            return Output.json(
                Result(inodes: report.inodes, kept: report.kept, freedBytes: report.freed))
        }
        Output.line("forgot \(report.inodes) entries; gave back \(Human.bytes(report.freed))")
    }
}

/// `capsule reclaim`.
struct ReclaimCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reclaim", abstract: "Give back the space of what nothing shows any more.",
        discussion: "See capsule-reclaim(1).")

    @Flag(name: .long, help: "Say what it would do.") var dryRun = false
    @OptionGroup var place: WorkspaceOptions
    @OptionGroup(title: "Secrets") var opening: OpeningOptions
    @OptionGroup var outputOptions: OutputOptions

    private struct Result: Encodable {
        let storedBytes: UInt64
        let liveBytes: UInt64
        let segments: Int64
        let freedBytes: UInt64
        let movedBytes: UInt64

        private enum CodingKeys: String, CodingKey {
            case segments
            case storedBytes = "stored_bytes"
            case liveBytes = "live_bytes"
            case freedBytes = "freed_bytes"
            case movedBytes = "moved_bytes"
        }
    }

    func run() throws {
        let report = try place.withService(opening, isReadOnly: dryRun) {
            try $0.reclaim(isDry: dryRun)
        }
        if outputOptions.json {
            return Output.json(
                Result(
                    storedBytes: report.stored, liveBytes: report.live, segments: report.segments,
                    freedBytes: report.freed, movedBytes: report.moved))
        }
        let verb = dryRun ? "would give" : "gave"
        Output.line(
            "\(verb) back \(Human.bytes(report.freed)) of \(Human.bytes(report.stored)) in "
                + "\(report.segments) segments")
    }
}

/// `capsule retention`.
struct RetentionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retention",
        abstract: "Show, or set, which states without a name of their own stay.",
        discussion: "Any option sets the whole rule. See capsule-retention(1).")

    @Option(name: .long, help: "Keep the newest N.") var keepLast: Int64?
    @Option(name: .long, help: "Keep the newest of each of the last N hours.")
    var keepHourly: Int64?
    @Option(name: .long, help: "... days.") var keepDaily: Int64?
    @Option(name: .long, help: "... weeks.") var keepWeekly: Int64?
    @Option(name: .long, help: "... months.") var keepMonthly: Int64?
    @Option(name: .long, help: "... years.") var keepYearly: Int64?
    @Option(name: .long, help: "Keep every state with tag T.") var keepTag: [String] = []
    @OptionGroup var place: WorkspaceOptions
    @OptionGroup(title: "Secrets") var opening: OpeningOptions
    @OptionGroup var outputOptions: OutputOptions

    private var numbers: [Int64?] {
        [keepLast, keepHourly, keepDaily, keepWeekly, keepMonthly, keepYearly]
    }

    mutating func validate() throws {
        guard numbers.allSatisfy({ (0...1_000_000).contains($0 ?? 0) }) else {
            throw ValidationError("--keep-* take numbers from 0 to 1000000")
        }
        guard keepTag.allSatisfy(LiveTree.isValidStateName) else {
            throw ValidationError("--keep-tag takes a word without a blank or a slash")
        }
    }

    private struct Result: Encodable {
        let keepLast: Int64
        let keepHourly: Int64
        let keepDaily: Int64
        let keepWeekly: Int64
        let keepMonthly: Int64
        let keepYearly: Int64
        let keepTags: [String]
        let forgotten: [String]

        private enum CodingKeys: String, CodingKey {
            case forgotten
            case keepLast = "keep_last"
            case keepHourly = "keep_hourly"
            case keepDaily = "keep_daily"
            case keepWeekly = "keep_weekly"
            case keepMonthly = "keep_monthly"
            case keepYearly = "keep_yearly"
            case keepTags = "keep_tags"
        }
    }

    /// The rule that the options say; nil without any.
    private var wanted: RetentionRule? {
        guard numbers.contains(where: { $0 != nil }) || !keepTag.isEmpty else { return nil }
        var rule = RetentionRule()
        rule.last = keepLast ?? 0
        rule.hourly = keepHourly ?? 0
        rule.daily = keepDaily ?? 0
        rule.weekly = keepWeekly ?? 0
        rule.monthly = keepMonthly ?? 0
        rule.yearly = keepYearly ?? 0
        rule.tags = keepTag
        return rule
    }

    func run() throws {
        let wanted = wanted
        let (rule, forgotten) = try place.withService(opening, isReadOnly: wanted == nil) {
            service -> (RetentionRule, [String]) in
            let forgotten = try wanted.map { try service.setRetention($0) } ?? []
            return (try service.retention(), forgotten)
        }
        if outputOptions.json {
            return Output.json(
                Result(
                    keepLast: rule.last, keepHourly: rule.hourly, keepDaily: rule.daily,
                    keepWeekly: rule.weekly, keepMonthly: rule.monthly, keepYearly: rule.yearly,
                    keepTags: rule.tags, forgotten: forgotten))
        }
        var table = Table(rightAligned: [1])
        table.add("last", "\(rule.last)")
        table.add("hourly", "\(rule.hourly)")
        table.add("daily", "\(rule.daily)")
        table.add("weekly", "\(rule.weekly)")
        table.add("monthly", "\(rule.monthly)")
        table.add("yearly", "\(rule.yearly)")
        for tag in rule.tags { table.add("tag", tag) }
        table.print()
        for name in forgotten { Output.line("forgot @\(name)") }
    }
}
