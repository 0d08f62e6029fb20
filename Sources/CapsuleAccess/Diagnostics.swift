import CapsuleBytes
import Glibc

/// Warnings of whichever program is running, on standard error.
public enum Diagnostics {
    /// One line, in one write.
    public static func warn(_ text: String) {
        let line = "\(programName): warning: \(Text.tame(text))\n"
        _ = write(2, line, line.utf8.count)
    }

    private static var programName: String {
        let path = CommandLine.arguments.first ?? "capsule"
        return String(path.split(separator: "/").last ?? "capsule")
    }
}
