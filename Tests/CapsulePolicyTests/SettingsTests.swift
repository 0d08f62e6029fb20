// What a settings file may say, and what follows for a run that ends.

import CapsulePolicy
import Testing

@Suite("Settings")
struct SettingsTests {
    private static func settings(_ text: String) throws -> Settings {
        try Settings(toml: Array(text.utf8))
    }

    @Test("an empty file has the defaults of the specification")
    func defaults() throws {
        let settings = try Self.settings("")
        #expect(settings == Settings())
        #expect(settings.exportMode == .risk && settings.retentionDays == 30)
        #expect(settings.keepsPinned && !settings.commitsExports)
    }

    @Test(
        "unknown keys and values are errors that name them",
        arguments: [
            ("[capsule.export]\nmode = \"sometimes\"", "mode"),
            ("[capsule.export]\nretention = 3", "capsule.export.retention"),
            ("[capsule.export]\nretention_days = -1", "retention_days"),
            ("[capsule.export]\nkeep_pinned = 1", "keep_pinned"),
            ("[capture]\nmode = \"all\"", "capture.mode"), ("[capsule]\nx = 1", "capsule.x"),
            ("[specs.S]\nrisk = true", "specs.S.risk"), ("[features]\nmagic = true", "magic"),
            ("surprise = 1", "surprise"), ("[capsule", "line 1"),
        ])
    func refused(_ text: String, _ named: String) {
        let error = #expect(throws: SettingsError.self) { _ = try Self.settings(text) }
        #expect(error?.message.contains(named) == true)
    }

    private static func trigger(
        _ mode: Settings.ExportMode, _ change: (inout ExportTrigger.Facts) -> Void = { _ in },
        settings: (inout Settings) -> Void = { _ in }
    ) -> ExportTrigger {
        var facts = ExportTrigger.Facts(
            spec: "S", wasStartedAsHighRisk: false, judgeRequested: false,
            gateRequiresHandoff: false)
        change(&facts)
        var all = Settings()
        all.exportMode = mode
        settings(&all)
        return ExportTrigger(facts, settings: all)
    }

    @Test("risk exports for each of its conditions and for nothing else")
    func risk() {
        #expect(!Self.trigger(.risk).isDue)
        #expect(Self.trigger(.risk) { $0.wasStartedAsHighRisk = true }.isDue)
        #expect(Self.trigger(.risk) { $0.judgeRequested = true }.isDue)
        #expect(Self.trigger(.risk) { $0.gateRequiresHandoff = true }.isDue)
        #expect(Self.trigger(.risk, settings: { $0.highRiskSpecs = ["S"] }).isDue)
        #expect(!Self.trigger(.risk, settings: { $0.highRiskSpecs = ["T"] }).isDue)
    }

    @Test("manual never exports, always does, and the feature flag turns all off")
    func modes() {
        #expect(!Self.trigger(.manual) { $0.judgeRequested = true }.isDue)
        #expect(Self.trigger(.always).isDue)
        #expect(!Self.trigger(.always, settings: { $0.hasExportTriggers = false }).isDue)
        for mode in Settings.ExportMode.allCases { #expect(!Self.trigger(mode).reasons.isEmpty) }
    }
}
