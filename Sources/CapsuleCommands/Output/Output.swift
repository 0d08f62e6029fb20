import Glibc

/// The two places where text goes: results to standard output, everything else to standard error.
enum Output {
    /// A line of a result.
    static func line(_ text: String) { print(text) }

    /// A warning for a person.
    static func warn(_ text: String) { note("warning: \(text)") }

    /// A line for a person, in one write.
    static func note(_ text: String) {
        let line = "capsule: \(text)\n"
        _ = write(2, line, line.utf8.count)
    }
}
