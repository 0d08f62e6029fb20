import Glibc

/// A path as it can be recorded: whoever reads it is in another directory.
public enum AbsolutePath {
    /// The path from the root: without links, if there is such a file.
    public static func of(_ path: String) -> String {
        if let resolved = realpath(path, nil) {
            defer { free(resolved) }
            return String(cString: resolved)
        }
        guard !path.hasPrefix("/"), let directory = getcwd(nil, 0) else { return path }
        defer { free(directory) }
        return "\(String(cString: directory))/\(path)"
    }
}
