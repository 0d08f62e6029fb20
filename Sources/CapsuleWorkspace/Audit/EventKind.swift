import FoundationEssentials

/// What the audit log records; the text is the CloudEvents type.
public enum EventKind: String, Sendable, CaseIterable {
    case created = "capsulefs.workspace.created"
    case opened = "capsulefs.workspace.opened"
    case openFailed = "capsulefs.workspace.open.failed"
    case mounted = "capsulefs.mount.started"
    case unmounted = "capsulefs.mount.ended"
    case uncleanUnmount = "capsulefs.mount.UncleanUnmount"
    case slotAdded = "capsulefs.slot.added"
    case slotRemoved = "capsulefs.slot.removed"
    case snapshotCreated = "capsulefs.snapshot.created"
    case snapshotDeleted = "capsulefs.snapshot.deleted"
    case statesThinned = "capsulefs.timeline.thinned"
    case retentionChanged = "capsulefs.retention.changed"
    case branchCreated = "capsulefs.branch.created"
    case branchDeleted = "capsulefs.branch.deleted"
    case branchSwitched = "capsulefs.branch.switched"
    case restored = "capsulefs.path.restored"
    case forgotten = "capsulefs.path.forgotten"
    case reclaimed = "capsulefs.space.reclaimed"
    case sealed = "capsulefs.capsule.sealed"
    case examined = "capsulefs.doctor.finished"
    case runStarted = "capsulefs.run.started"
    case runMarked = "capsulefs.run.checkpoint"
    case runFinished = "capsulefs.run.finished"
    case runShown = "capsulefs.run.shown.raw"
    case exportDecided = "capsulefs.export.decided"
    case exportTakenOver = "capsulefs.export.taken"
    case exportIntended = "capsulefs.export.intended"
    case exportAnnounced = "capsulefs.export.announced"
    case exported = "capsulefs.export.CapsuleExported"
    case exportFailed = "capsulefs.export.ExportFailed"
    case exportPinned = "capsulefs.export.pinned"
    case exportUnpinned = "capsulefs.export.unpinned"
    case deletionIntended = "capsulefs.gc.intended"
    case exportDeleted = "capsulefs.gc.deleted"
    case imported = "capsulefs.import.CapsuleImported"
    case importRefused = "capsulefs.import.refused"
    case importRemoved = "capsulefs.import.removed"
    case goldenChanged = "capsulefs.golden.changed"
    case memorySwitched = "capsulefs.memory.switched"
    case fileOpened = "capsulefs.file.opened"
    case fileCreated = "capsulefs.file.created"
    case fileRemoved = "capsulefs.file.removed"
}

extension EventKind {
    /// Whether the event leaves the machine, in a capsule: it must not say who and where.
    var isPublic: Bool { self == .exportAnnounced }
}

/// A value in an event.
public enum EventValue: Encodable, Equatable, Sendable {
    case text(String)
    case number(Int64)
    case flag(Bool)
    case object([String: EventValue])
    case list([EventValue])

    /// As JSON.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .text(let text): try container.encode(text)
        case .number(let number): try container.encode(number)
        case .flag(let flag): try container.encode(flag)
        case .object(let members): try container.encode(members)
        case .list(let items): try container.encode(items)
        }
    }

    /// The value as one line of JSON with sorted keys.
    public var line: [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(self) else {
            preconditionFailure("texts and numbers can be encoded")
        }
        return Array(data)
    }
}
