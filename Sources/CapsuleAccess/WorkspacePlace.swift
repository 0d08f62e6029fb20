import CapsuleSystem
import CapsuleWorkspace
import Glibc

/// Where a workspace must not lie: the database needs locks and flushes that mean what they say,
/// and nobody else who copies, or changes, single files of it.
enum WorkspacePlace {
    /// File systems of other machines, as mount(8) calls them.
    private static let networkTypes: Set = [
        "nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "9p", "afs", "ceph", "lustre", "glusterfs",
        "fuse.sshfs", "fuse.rclone", "fuse.s3fs", "fuse.gcsfuse", "fuse.glusterfs", "fuse.davfs",
        "fuse.curlftpfs", "fuse.google-drive-ocamlfuse", "fuse.ceph", "fuse.juicefs", "davfs",
    ]
    /// What programs that keep folders of several machines alike put into them.
    private static let syncMarkers = [
        (file: ".stfolder", program: "Syncthing"), (file: ".dropbox", program: "Dropbox"),
        (file: ".dropbox.cache", program: "Dropbox"),
        (file: ".owncloudsync.log", program: "ownCloud or Nextcloud"),
        (file: ".nextcloudsync.log", program: "Nextcloud"),
        (file: ".sync", program: "Resilio Sync"),
    ]

    static func isNetwork(_ type: String) -> Bool { networkTypes.contains(type) }

    /// Throws `AccessError` where a workspace cannot be written to safely.
    static func check(_ path: String) throws(AccessError) {
        let (directory, name) = AtomicFile.split(path)
        let place = resolved(path) ?? resolved(directory).map { "\($0)/\(name)" } ?? path
        let remedy =
            "; keep it on a local disk, and send states of it with 'capsule seal @NAME OUT.mv2e'"
        if let type = MountTable.type(of: place), isNetwork(type) {
            throw AccessError(
                .usage, code: "unusable_path",
                "\(path): it lies in a network file system (\(type)), whose locks and flushes "
                    + "cannot be relied on\(remedy)")
        }
        var above = place
        while above != "/", !above.isEmpty {
            above = AtomicFile.split(above).directory
            for marker in syncMarkers
            where access("\(above == "/" ? "" : above)/\(marker.file)", F_OK) == 0 {
                throw AccessError(
                    .usage, code: "unusable_path",
                    "\(path): \(marker.program) keeps \(above) alike on several machines, file by "
                        + "file, which would tear the workspace apart\(remedy)")
            }
        }
    }

    /// Throws `AccessError` where a new workspace would lie among the files of another.
    static func checkNew(_ path: String) throws(AccessError) {
        var above = resolved(AtomicFile.split(path).directory) ?? ""
        while above != "/", !above.isEmpty {
            if Workspace.isWorkspace(above) {
                throw AccessError(
                    .usage, code: "unusable_path",
                    "\(path): it lies in the workspace \(above), which keeps its own files there; "
                        + "choose a place outside of it")
            }
            above = AtomicFile.split(above).directory
        }
    }

    private static func resolved(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
