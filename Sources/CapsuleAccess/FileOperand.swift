import CapsuleWorkspace
import Glibc

/// An operand that stands for one file: a capsule, or what a capsule can be made of.
enum FileOperand {
    /// Throws `AccessError` for a state, a workspace or another directory, with what to do instead.
    static func check(_ path: String) throws(AccessError) {
        if path.hasPrefix("@") {
            throw AccessError(
                .usage, code: "usage",
                "'\(path)' is a state of a workspace, and this takes a file: './\(path)' is a file "
                    + "of that name, and 'capsule seal \(path) FILE' makes a capsule of the state")
        }
        if Workspace.isWorkspace(path) {
            throw AccessError(
                .usage, code: "usage",
                "\(path) is a workspace, and this takes a capsule: 'capsule doctor' examines a "
                    + "workspace, and 'capsule seal @STATE FILE -w \(path)' makes a capsule of it")
        }
        var facts = stat()
        if stat(path, &facts) == 0, facts.st_mode & S_IFMT == S_IFDIR {
            throw AccessError(
                .usage, code: "unusable_path",
                "\(path): it is a directory, and this takes a file: 'capsule seal' makes a capsule "
                    + "of a folder")
        }
    }
}
