import CapsuleFormat
import CapsuleSystem
import CapsuleTree
import CapsuleWorkspace
import FoundationEssentials
import Glibc

/// A folder in the clear that appears whole, or not at all.
struct FolderOutput {
    private let path: String
    private let parent: String
    private let temporary: String

    /// One at an absolute path, where there is nothing or an empty folder.
    init(_ path: String) {
        self.path = path
        parent = AtomicFile.split(path).directory
        temporary = "\(parent)/\(AtomicFile.temporaryName(for: path))"
    }

    /// Writes a tree, flushes it and gives it its name. Throws EEXIST for a folder with something
    /// in it; whatever fails, nothing of the tree stays.
    func write(_ tree: any ReadableTree) throws {
        if access(path, F_OK) == 0, try !FileDirectory(path: path).names().isEmpty {
            throw SystemError(errno: EEXIST, operation: "create", object: path)
        }
        guard mkdir(temporary, 0o700) == 0 else { throw SystemError.last("create", path) }
        do {
            _ = try TreeExtractor(tree, options: TreeExtractor.Options())
                .extract(paths: [], to: temporary)
            try FileDirectory(path: temporary).flushFileSystem()
            guard rename(temporary, path) == 0 else { throw SystemError.last("rename", path) }
        } catch {
            try? FileManager.default.removeItem(atPath: temporary)
            throw error
        }
        do {
            try FileDirectory(path: parent).flush()
        } catch {
            try? FileManager.default.removeItem(atPath: path)
            throw error
        }
    }
}
