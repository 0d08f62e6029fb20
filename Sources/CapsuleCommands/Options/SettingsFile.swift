import CapsuleAccess
import CapsulePolicy
import CapsuleSystem
import Glibc

/// The project's settings: the file that CAPSULE_CONFIG names, else `.capsule.toml` at the top of
/// the git work tree or in the current directory, else `capsulefs/config.toml` in the user's
/// configuration directory, else the defaults.
struct SettingsFile {
    /// Where they are, or nil: the defaults.
    let path: String?
    /// What they say.
    let settings: Settings

    private static let name = ".capsule.toml"

    /// Finds and reads them. Throws `AccessError`.
    static func find() throws(AccessError) -> SettingsFile {
        if let named = Environment.variable("CAPSULE_CONFIG") {
            return try read(String(decoding: named, as: UTF8.self))
        }
        let candidates = [
            "\(ProjectTop.path)/\(name)", home("XDG_CONFIG_HOME", or: ".config"),
        ]
        for path in candidates.compactMap(\.self) where access(path, F_OK) == 0 {
            return try read(path)
        }
        return SettingsFile(path: nil, settings: Settings())
    }

    private static func home(_ variable: String, or folder: String) -> String? {
        let file = "capsulefs/config.toml"
        if let value = Environment.variable(variable), !value.isEmpty {
            return "\(String(decoding: value, as: UTF8.self))/\(file)"
        }
        guard let home = Environment.variable("HOME") else { return nil }
        return "\(String(decoding: home, as: UTF8.self))/\(folder)/\(file)"
    }

    private static func read(_ path: String) throws(AccessError) -> SettingsFile {
        let bytes = try SmallFile.read(path)
        do throws(SettingsError) {
            return SettingsFile(path: path, settings: try Settings(toml: bytes))
        } catch {
            throw AccessError(.usage, code: "bad_setting", "\(path): \(error.message)")
        }
    }

    /// A path in the settings: from where they are, unless it is absolute.
    private func place(_ file: String) -> String {
        let directory = path.map { AtomicFile.split($0).directory } ?? "."
        return file.hasPrefix("/") ? file : "\(directory)/\(file)"
    }

    /// The path of the key that signs automatic exports.
    var signKey: String? { settings.signKey.map(place) }

    /// The redaction rules that are settled, or the standard ones.
    func rules() throws(AccessError) -> RedactionRules {
        guard let file = settings.rules else { return .standard }
        let path = place(file)
        let bytes = try SmallFile.read(path)
        do throws(RedactionError) {
            return try RedactionRules(toml: bytes)
        } catch {
            throw AccessError(.usage, code: "bad_rules", "\(path): \(error)")
        }
    }
}

/// Where the project that the user works in begins.
enum ProjectTop {
    /// The top of the git work tree, else the current directory.
    static var path: String {
        let start = Self.current
        var place = start
        while true {
            if access("\(place)/.git", F_OK) == 0 { return place }
            guard place != "/" else { return start }
            place = AtomicFile.split(place).directory
        }
    }

    /// The current directory.
    static var current: String {
        guard let text = getcwd(nil, 0) else { return "." }
        defer { free(text) }
        return String(cString: text)
    }

    /// A path as a pattern of gitignore(5) that means it and nothing else.
    static func pattern(_ path: String) -> String {
        path.reduce(into: "") { result, character in
            if "\\*?[!# ".contains(character) { result += "\\" }
            result.append(character)
        }
    }

    /// A path below the top as git names it, or nil; the top itself is empty, if asked for.
    static func relative(_ place: String, orTop: Bool = false) -> String? {
        guard let resolved = realpath(place, nil), let top = realpath(path, nil) else { return nil }
        defer {
            free(resolved)
            free(top)
        }
        let (absolute, prefix) = (String(cString: resolved), String(cString: top) + "/")
        if orTop, absolute + "/" == prefix { return "" }
        return absolute.hasPrefix(prefix) ? String(absolute.dropFirst(prefix.count)) : nil
    }

    /// The directory in which git keeps what all work trees share (gitrepository-layout(5)).
    private static var commonDirectory: String? {
        let git = "\(path)/.git"
        if access("\(git)/HEAD", F_OK) == 0 { return git }
        // Of a linked work tree, or of a submodule, a file says where it is.
        guard let line = firstLine(of: git), line.hasPrefix("gitdir: ") else { return nil }
        let own = absolute(String(line.dropFirst("gitdir: ".count)), from: path)
        guard let common = firstLine(of: "\(own)/commondir") else { return own }
        return absolute(common, from: own)
    }

    private static func absolute(_ place: String, from directory: String) -> String {
        place.hasPrefix("/") ? place : "\(directory)/\(place)"
    }

    private static func firstLine(of file: String) -> String? {
        guard let bytes = try? SmallFile.read(file) else { return nil }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").first.map(String.init)
    }

    /// Keeps a path out of git: a line in `.git/info/exclude`, unless one is there already. Does
    /// nothing outside of a work tree.
    static func exclude(_ patterns: [String]) {
        guard let common = commonDirectory else { return }
        let directory = "\(common)/info"
        mkdir(directory, 0o777)
        let file = "\(directory)/exclude"
        var present: [UInt8] = []
        if access(file, F_OK) == 0 {
            guard let found = try? SmallFile.read(file) else {
                return Output.warn("\(file): it cannot be read, so exports are not kept out of git")
            }
            present = found
        }
        let lines = Set(
            String(decoding: present, as: UTF8.self).split(separator: "\n").map(String.init))
        let missing = patterns.filter { !lines.contains($0) }
        guard !missing.isEmpty else { return }
        var text = present
        if let last = text.last, last != 10 { text.append(10) }
        text += Array(missing.map { $0 + "\n" }.joined().utf8)
        guard let output = try? AtomicFile(path: file, mode: 0o644),
            (try? output.write(text, at: 0)) != nil
        else { return }
        try? output.publish(replacing: true)
    }
}
