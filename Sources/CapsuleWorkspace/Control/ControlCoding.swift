import Glibc

// How what verbs take and give looks on the socket.

extension ControlMessage {
    mutating func add(_ state: WorkspaceState) {
        add(state.epoch)
        add(state.name)
        add(state.seconds)
        add(state.kind.rawValue)
        add(state.tag)
        add(state.branch)
    }

    mutating func state() throws(WorkspaceError) -> WorkspaceState {
        WorkspaceState(
            epoch: try number(), name: try text(), seconds: try number(),
            kind: WorkspaceState.Kind(rawValue: try number()) ?? .named, tag: try text(),
            branch: try text())
    }

    mutating func add(_ branch: WorkspaceBranch) {
        add(branch.name)
        add(branch.isCurrent)
        add(branch.state)
    }

    mutating func branch() throws(WorkspaceError) -> WorkspaceBranch {
        WorkspaceBranch(name: try text(), isCurrent: try flag(), state: try text())
    }

    mutating func add(_ version: FileVersion) {
        add(Int64(version.mode))
        add(version.size)
        add(version.modified.seconds)
        add(Int64(version.modified.nanoseconds))
        add(version.path ?? [])
        add(version.states)
    }

    mutating func version() throws(WorkspaceError) -> FileVersion {
        let mode = UInt32(truncatingIfNeeded: try number())
        let size = try unsigned()
        let modified = FileTime(
            seconds: try number(), nanoseconds: UInt32(truncatingIfNeeded: try number()))
        let path = try bytes()
        return FileVersion(
            mode: mode, size: size, modified: modified, path: path.isEmpty ? nil : path,
            states: try texts())
    }

    mutating func add(_ rule: RetentionRule) {
        for (_, field) in RetentionRule.fields { add(rule[keyPath: field]) }
        add(rule.tags)
    }

    mutating func rule() throws(WorkspaceError) -> RetentionRule {
        var rule = RetentionRule()
        for (_, field) in RetentionRule.fields { rule[keyPath: field] = try number() }
        rule.tags = try texts()
        return rule
    }

    mutating func add(_ report: RestoreReport) {
        add(report.inodes)
        add(report.bytes)
        add(report.before)
    }

    mutating func restoreReport() throws(WorkspaceError) -> RestoreReport {
        var report = RestoreReport()
        report.inodes = try number()
        report.bytes = try unsigned()
        report.before = try text()
        return report
    }

    mutating func add(_ report: ForgetReport) {
        add(report.inodes)
        add(report.kept)
        add(report.freed)
    }

    mutating func forgetReport() throws(WorkspaceError) -> ForgetReport {
        var report = ForgetReport()
        report.inodes = try number()
        report.kept = try number()
        report.freed = try unsigned()
        return report
    }

    mutating func add(_ report: ReclaimReport) {
        add(report.stored)
        add(report.live)
        add(report.segments)
        add(report.freed)
        add(report.moved)
    }

    mutating func reclaimReport() throws(WorkspaceError) -> ReclaimReport {
        var report = ReclaimReport()
        report.stored = try unsigned()
        report.live = try unsigned()
        report.segments = try number()
        report.freed = try unsigned()
        report.moved = try unsigned()
        return report
    }

    mutating func add(_ details: [String: EventValue]) {
        add(Int64(details.count))
        for (key, value) in details {
            add(key)
            add(value)
        }
    }

    private mutating func add(_ value: EventValue) {
        switch value {
        case .text(let text):
            add(Int64(0))
            add(text)
        case .number(let number):
            add(Int64(1))
            add(number)
        case .flag(let flag):
            add(Int64(2))
            add(flag)
        case .object(let members):
            add(Int64(3))
            add(members)
        case .list(let items):
            add(Int64(4))
            add(Int64(items.count))
            for item in items { add(item) }
        }
    }

    mutating func details() throws(WorkspaceError) -> [String: EventValue] {
        try details(depth: 0)
    }

    /// Values lie within each other so deep at most.
    private static let depthMax = 8

    private mutating func details(depth: Int) throws(WorkspaceError) -> [String: EventValue] {
        let pairs = try list {
            message throws(WorkspaceError) -> (String, EventValue) in
            (try message.text(), try message.value(depth: depth))
        }
        return Dictionary(pairs) { first, _ in first }
    }

    private mutating func value(depth: Int) throws(WorkspaceError) -> EventValue {
        guard depth < Self.depthMax else {
            throw WorkspaceError.refusal(EINVAL, "an event's particulars lie too deep")
        }
        switch try number() {
        case 0: return .text(try text())
        case 1: return .number(try number())
        case 2: return .flag(try flag())
        case 3: return .object(try details(depth: depth + 1))
        default:
            return .list(
                try list { message throws(WorkspaceError) in try message.value(depth: depth + 1) })
        }
    }
}
