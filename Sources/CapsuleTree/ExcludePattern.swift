import Glibc

/// A shell pattern of what is left out.
///
/// A pattern without a slash is compared with the last component of every path; one with a slash
/// with the whole path from the root of the folder, and `*` then stops at slashes. A slash at the
/// end restricts it to directories.
public struct ExcludePattern: Sendable {
    /// The pattern as it was given.
    public let text: String
    private let pattern: String
    private let onlyDirectories: Bool
    private let matchesPath: Bool

    /// A pattern.
    public init(_ text: String) {
        self.text = text
        var body = Substring(text)
        onlyDirectories = body.hasSuffix("/")
        while body.hasSuffix("/") { body = body.dropLast() }
        matchesPath = body.contains("/")
        if body.hasPrefix("/") { body = body.dropFirst() }
        pattern = String(body)
    }

    /// Whether it matches a path from the root of the folder.
    func matches(path: [UInt8], isDirectory: Bool) -> Bool {
        if onlyDirectories && !isDirectory { return false }
        var subject = path[...]
        if !matchesPath, let slash = path.lastIndex(of: UInt8(ascii: "/")) {
            subject = path[(slash + 1)...]
        }
        let text = subject.map { CChar(bitPattern: $0) } + [0]
        return fnmatch(pattern, text, matchesPath ? Int32(FNM_PATHNAME) : 0) == 0
    }
}
