import CapsuleCrypto
import CapsuleFormat
import CapsuleSystem
import Crypto
import Glibc

/// Capsules that were taken in: files of the workspace, encrypted as they came, whose keys lie in
/// the ledger.
extension Workspace {
    /// The directory of their files.
    public static let importsName = "imports"

    /// In front of the name of an import where the name of a state can stand. No state's name has a
    /// slash.
    public static let importPrefix = "imports/"

    /// What an import may keep in memory.
    private static let caches = Capsule.CacheSizes(
        content: 8 << 20, index: 4 << 20, nodes: 2 << 20)

    /// The imports, by name.
    public func imports() throws(WorkspaceError) -> [LedgerEntry] { try tree.ledger(.import) }

    /// Opens an import of a name. Throws ENOENT; EIO where its file or key is damaged.
    public func importedTree(named name: String) throws(WorkspaceError) -> Capsule {
        guard let entry = try imports().first(where: { $0.name == name }) else {
            throw WorkspaceError.refusal(ENOENT, "there is no import '\(name)'")
        }
        return try importedTree(entry)
    }

    /// Opens an import.
    public func importedTree(_ entry: LedgerEntry) throws(WorkspaceError) -> Capsule {
        guard entry.kind == .import, !entry.file.isEmpty, !entry.file.contains("/") else {
            throw WorkspaceError(EIO, "the import '\(entry.name)' names no file")
        }
        let storage = try called { () throws(SystemError) in
            try FileStorage(path: "\(absolutePath)/\(Self.importsName)/\(entry.file)")
        }
        let key = try tree.key(in: entry)
        guard key.count == 32 else {
            throw WorkspaceError(EIO, "the key of the import '\(entry.name)' has a wrong length")
        }
        do throws(FormatError) {
            let file = try CapsuleFile(storage)
            let keys = FileKeys(fileKey: SymmetricKey(data: key), salt: file.header.salt)
            return try Capsule(file, keys: keys, caches: Self.caches)
        } catch {
            throw WorkspaceError(
                EIO, "the import '\(entry.name)': \(error); import it again")
        }
    }

    /// In the place of a state's name: the present one.
    public static let present = ""

    /// The tree of a state, of the present one, or of an import.
    public func readableTree(at name: String) throws(WorkspaceError) -> any ReadableTree {
        if name == Self.present { return try StateTree(self, at: try tree.presentState()) }
        guard name.hasPrefix(Self.importPrefix) else {
            return try StateTree(self, at: try tree.state(named: name))
        }
        return try importedTree(named: String(name.dropFirst(Self.importPrefix.count)))
    }
}
