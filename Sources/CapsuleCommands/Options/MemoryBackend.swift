import CapsuleAccess
import CapsulePolicy
import CapsuleRuns
import CapsuleSystem
import CapsuleWorkspace
import Glibc

/// Where runs are kept, by the settings. A switch loses nothing: what was recorded stays where it
/// is, and is there again after the next switch; and it is recorded once in each of the two.
struct MemoryBackend {
    /// The folder of plain files, or nil: the workspace.
    let folder: String?
    private let marker: String

    init(_ file: SettingsFile) throws {
        let settings = file.settings
        let top =
            settings.memoryFolder.hasPrefix("/")
            ? settings.memoryFolder : "\(ProjectTop.path)/\(settings.memoryFolder)"
        marker = "\(top)/backend.jsonl"
        folder = settings.memoryBackend == .localMemory ? top : nil
        if folder != nil { try noteLocal(top) }
    }

    /// The backend of the last line.
    private var last: String? {
        guard let bytes = try? SmallFile.read(marker), let line = bytes.split(separator: 10).last
        else { return nil }
        return (try? JSONValue(parsing: Array(line), marker))?["memory_backend"]?.text
    }

    private func append(_ backend: Settings.MemoryBackend) throws {
        let present = access(marker, F_OK) == 0 ? try SmallFile.read(marker) : []
        let line = JSONValue.object([
            "event_type": .text("MemoryBackendSwitched"),
            "memory_backend": .text(backend.rawValue),
            "timestamp": .text(Timestamp.now.rfc3339),
        ]).line
        let output = try AtomicFile(path: marker)
        try output.write(present + line + [10], at: 0)
        try output.publish(replacing: true)
    }

    private func noteLocal(_ top: String) throws {
        guard last != Settings.MemoryBackend.localMemory.rawValue else { return }
        _ = try LocalMemory(top)
        try append(.localMemory)
    }

    /// Records in the workspace that runs are kept there again.
    func noteSwitch(_ service: any WorkspaceService) throws {
        guard last == Settings.MemoryBackend.localMemory.rawValue else { return }
        try service.note(
            .memorySwitched, ["memory_backend": .text(Settings.MemoryBackend.memvid.rawValue)])
        try append(.memvid)
    }

    /// Throws where runs are plain files, of which no capsule is made.
    static func requireCapsules(_ file: SettingsFile) throws(AccessError) {
        guard file.settings.memoryBackend == .memvid else {
            throw AccessError(
                .usage, code: "turned_off",
                "capsules are turned off: memory_backend is local-memory in "
                    + "\(file.path ?? "the settings")")
        }
    }
}
