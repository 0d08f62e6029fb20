import CapsuleAccess
import CapsulePolicy
import CapsuleSystem
import Glibc

/// What is masked in an export: what the settings say, and where things are on this machine.
enum ExportRules {
    /// The rules for exports of the workspace in a directory.
    static func of(_ settings: SettingsFile, workspace: String) throws -> RedactionRules {
        // A directory of a single name says little of a machine, unless it is somebody's home.
        let places = ([workspace, ProjectTop.path] + MountTable.mountPoints(of: workspace))
            .filter { $0.split(separator: "/").count > 1 }
        let known = homes + places
        return try settings.rules().masking(directories: known + known.map(AbsolutePath.of))
    }

    private static var homes: [String] {
        var homes: [String] = []
        if let home = Environment.variable("HOME") {
            homes.append(String(decoding: home, as: UTF8.self))
        }
        if let entry = getpwuid(geteuid()), let home = entry.pointee.pw_dir {
            homes.append(String(cString: home))
        }
        return homes
    }
}
