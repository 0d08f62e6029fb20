import CapsuleFormat
import CapsuleSystem

/// Opens files as capsules, with errors that name them.
public enum CapsuleOpener {
    /// Reads and checks the clear parts of the capsule at `path`.
    public static func open(path: String, writable: Bool = false) throws(AccessError) -> CapsuleFile
    {
        try FileOperand.check(path)
        let storage: FileStorage
        do throws(SystemError) {
            storage = try FileStorage(path: path, writable: writable)
            if writable { try storage.lock(exclusive: true, wait: true) }
        } catch {
            throw AccessError(error)
        }
        do throws(FormatError) {
            return try CapsuleFile(storage)
        } catch {
            if try MemvidOpener.storage(path: path) != nil {
                throw AccessError(
                    .usage, code: "memvid_file",
                    "\(path): it is a Memvid file and no capsule; "
                        + "'capsule convert' makes a capsule of it")
            }
            throw AccessError(error, path: path)
        }
    }
}
