/// Whether a run that ends is exported by itself, and why: the risk rule of SPEC-KIT-974, D16.
public struct ExportTrigger: Equatable, Sendable {
    /// What is known of the run.
    public struct Facts: Equatable, Sendable {
        /// The work item.
        public var spec: String
        /// Whether its start said so.
        public var wasStartedAsHighRisk: Bool
        /// Whether the Judge has asked for an export.
        public var judgeRequested: Bool
        /// Whether a gate decision at Unlock requires an audit handoff.
        public var gateRequiresHandoff: Bool

        /// The facts.
        public init(
            spec: String, wasStartedAsHighRisk: Bool, judgeRequested: Bool,
            gateRequiresHandoff: Bool
        ) {
            self.spec = spec
            self.wasStartedAsHighRisk = wasStartedAsHighRisk
            self.judgeRequested = judgeRequested
            self.gateRequiresHandoff = gateRequiresHandoff
        }
    }

    /// Whether there is an export.
    public let isDue: Bool
    /// Why, or why not: words for the log.
    public let reasons: [String]

    /// Decides for a run that ends with unlock.
    public init(_ facts: Facts, settings: Settings) {
        guard settings.hasExportTriggers else {
            (isDue, reasons) = (false, ["features.export_triggers is off"])
            return
        }
        var reasons: [String] = []
        if facts.wasStartedAsHighRisk { reasons.append("the run was started as of high risk") }
        if settings.highRiskSpecs.contains(facts.spec) || settings.isHighRisk {
            reasons.append("the settings call the spec one of high risk")
        }
        if facts.judgeRequested { reasons.append("the Judge requested an export") }
        if facts.gateRequiresHandoff || settings.requiresAuditHandoff {
            reasons.append("Unlock requires an audit handoff")
        }
        switch settings.exportMode {
        case .manual: (isDue, self.reasons) = (false, ["capsule.export.mode is manual"])
        case .always: (isDue, self.reasons) = (true, ["capsule.export.mode is always"])
        case .risk:
            isDue = !reasons.isEmpty
            self.reasons = reasons.isEmpty ? ["no risk condition holds"] : reasons
        }
    }
}
