import CapsuleAccess
import CapsuleCrypto
import CapsulePolicy
import CapsuleSystem
import CapsuleWorkspace
import Glibc

/// Looks for what an automatic export of a run would fail for: it has nobody to ask.
struct ExportRehearsal {
    private let file: SettingsFile
    private let run: RunName
    private let workspace: String

    init(_ run: RunName, settings: SettingsFile, workspace: String) {
        self.run = run
        self.workspace = workspace
        file = settings
    }

    /// Whether the settings, or the run's risk, can ask for an export of it.
    static func isLikely(_ run: RunStart, _ settings: Settings) -> Bool {
        guard settings.exportMode != .manual, settings.hasExportTriggers,
            settings.memoryBackend != .localMemory
        else { return false }
        return run.isHighRisk || settings.exportMode == .always || settings.isHighRisk
            || settings.highRiskSpecs.contains(run.name.spec) || settings.requiresAuditHandoff
    }

    /// What is wrong, in words for a person.
    func faults() -> [String] {
        [rules, key, secrets, place].compactMap { check in
            do {
                try check()
                return nil
            } catch {
                return Failure.message(of: error)
            }
        }
    }

    private func rules() throws { _ = try file.rules() }

    private func key() throws {
        guard let path = file.signKey else { return }
        let key = try SigningKey(path: path)
        guard key.needsSomebody else { return }
        throw AccessError(
            .usage, code: "missing_terminal",
            "\(path), capsule.export.sign_key: signing takes a passphrase or a touch, and nobody "
                + "is there; 'ssh-add' gives it to the agent")
    }

    private func secrets() throws {
        if file.settings.recipients.isEmpty {
            let value = Environment.variable("SPECKIT_MEMVID_PASSPHRASE")
            guard value?.isEmpty ?? true else { return }
            throw AccessError(
                .usage, code: "missing_secret",
                "nobody could open it: name capsule.export.recipients, or set "
                    + "SPECKIT_MEMVID_PASSPHRASE")
        }
        // The cost is that of passphrases, of which there is none.
        _ = try NewSlotOptions.recipients(file.settings.recipients)
    }

    private func place() throws {
        try ExportPlace(run, out: nil, settings: file).rehearse(against: workspace)
    }
}
