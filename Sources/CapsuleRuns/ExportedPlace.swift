import CapsuleSystem
import CapsuleTree
import Glibc

/// What stands now where an export was put.
public enum ExportedPlace: Equatable, Sendable {
    /// Nothing.
    case missing
    /// What was exported.
    case unchanged
    /// Something else, or the same through a link, which is somebody else's.
    case changed

    /// Looks, and reads it to its end. Throws `SystemError` for what cannot be read.
    public init(of record: ExportRecord) throws {
        var facts = stat()
        // Recorded without links; one that came since leads to somebody else's.
        let parent = AtomicFile.split(record.path).directory
        guard AbsolutePath.of(parent) == parent else {
            self = .changed
            return
        }
        guard lstat(record.path, &facts) == 0 else {
            let error = SystemError.last("look at", record.path)
            guard error.errno == ENOENT || error.errno == ENOTDIR else { throw error }
            self = .missing
            return
        }
        switch facts.st_mode & S_IFMT {
        case S_IFREG where !record.isFolder:
            let found = try RunExporter.digest(try FileStorage(path: record.path)).hex
            self = found == record.fileDigest ? .unchanged : .changed
        case S_IFDIR where record.isFolder:
            let found = try? TreeFingerprint.of(try DirectoryTree(record.path))
            self = found == record.contentDigest ? .unchanged : .changed
        default: self = .changed
        }
    }
}
