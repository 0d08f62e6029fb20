import CLinux
import CapsuleAccess
import CapsuleCrypto
import CapsuleFormat
import CapsuleMount
import CapsuleSystem
import CapsuleWorkspace
import FuseKit
import Glibc
import Synchronization

/// The program `capsulefs`: opens a capsule, mounts it, serves it.
public enum Driver {
    /// Runs with the process's arguments and returns the exit code.
    public static func main() -> Int32 {
        let arguments = Array(CommandLine.arguments.dropFirst())
        do throws(AccessError) {
            switch try DriverOptions.parse(arguments) {
            case .help:
                print(DriverHelp.text)
                return 0
            case .version:
                print("capsulefs \(ToolVersion.text)")
                return 0
            case .mount(let options):
                if options.isForeground || Readiness.isChild {
                    return try serve(try located(options))
                }
                return try Readiness.runInBackground(arguments)
            }
        } catch {
            Log.standardError("capsulefs: \(error.message)")
            return error.exitCode
        }
    }

    /// `@name` alone is a state of the workspace that the environment or the working directory
    /// names: as that workspace with `ro,at=@name`.
    private static func located(_ options: DriverOptions) throws(AccessError) -> DriverOptions {
        guard options.source.hasPrefix("@"), options.state == nil else { return options }
        var options = options
        options.state = String(options.source.dropFirst())
        do throws(AccessError) {
            options.source = try WorkspaceLocator.find(nil)
        } catch {
            guard error.code == "no_workspace" else { throw error }
            throw AccessError(
                .usage, code: "no_workspace",
                "no workspace is named: give its directory, with -o ro,at=\(options.source); or "
                    + "set CAPSULE_WORKSPACE, or go into one")
        }
        options.isReadOnly = true
        return options
    }

    private static func serve(_ options: DriverOptions) throws(AccessError) -> Int32 {
        clinux_forbid_core_dumps()
        try checkMountPoint(options.mountPoint)
        let source = absolutePath(options.source)
        let mountPoint = absolutePath(options.mountPoint)
        let log = Log(isForeground: options.isForeground)
        let opened = try open(options, log)
        let fileSystem = opened.fileSystem
        let readiness = Readiness(options)
        // Before any thread is started: they inherit the mask.
        let watcher = MountWatcher(
            mountPoint: mountPoint, fileSystem, options, report: { log.note($0) })
        let session: FuseSession
        do throws(FuseSession.StartError) {
            session = try FuseSession(
                fileSystem, options: kernelOptions(opened, options, source: source),
                debug: options.isDebug)
            try session.mount(at: mountPoint)
        } catch {
            throw AccessError(.system, code: "mount_failed", error.message)
        }
        watcher.start()
        // The first answer of the mount: only then has the kernel set what ReadAhead changes.
        _ = Worker {
            var status = stat()
            // Even an error is an answer: damage is for whoever reads.
            _ = stat(mountPoint, &status)
            ReadAhead.raise(mountPoint: mountPoint)
            readiness.announce()
            fileSystem.warmUp()
        }
        fileSystem.attach(session)
        let wanted = options.threadCount > 0 ? options.threadCount : defaultThreadCount
        // One thread may wait until another has answered what the kernel writes back.
        let count = opened.isWritable ? max(2, wanted) : wanted
        session.run(threadCount: count)
        return fileSystem.detach() ? 0 : 2
    }

    /// Two threads more than processors: some may wait for storage while the others work.
    private static var defaultThreadCount: Int { Environment.processorCount + 2 }

    /// What will be mounted, and whether it can be changed.
    private struct Opened {
        let fileSystem: any MountedFileSystem
        let isWritable: Bool
        let enforcesPermissions: Bool
    }

    private static func open(
        _ options: DriverOptions, _ log: Log
    ) throws(AccessError) -> Opened {
        if Workspace.isWorkspace(options.source), options.state == nil {
            var settings = Workspace.Options()
            settings.isReadOnly = options.isReadOnly
            settings.cacheLength = options.cacheLength
            settings.report = { log.error($0) }
            // The driver of a mount that was just taken away is still storing.
            settings.lockPatience = 3
            let workspace = try WorkspaceOpener.open(
                path: options.source, secrets: options.secrets, options: settings)
            return Opened(
                fileSystem: WorkspaceFileSystem(
                    workspace, mountPoint: absolutePath(options.mountPoint),
                    pointInterval: options.pointInterval), isWritable: !options.isReadOnly,
                enforcesPermissions: true)
        }
        let tree = try openTree(options)
        do {
            return Opened(
                fileSystem: try SealedFileSystem(
                    tree, policy: options.policy, report: { log.error($0) }), isWritable: false,
                enforcesPermissions: options.policy.enforcesPermissions)
        } catch let error as FormatError {
            throw AccessError(error, path: options.source)
        } catch {
            throw AccessError(
                .usage, code: "unusable_path", "\(options.source): no such directory in it")
        }
    }

    private static func openTree(
        _ options: DriverOptions
    ) throws(AccessError) -> any ReadableTree {
        if let state = options.state {
            // An import is as it came, and needs no `ro`.
            guard options.isReadOnly || state.hasPrefix(Workspace.importPrefix) else {
                throw AccessError(
                    .usage, code: "usage", "a state cannot be changed: mount it with -o ro,at=")
            }
            return try WorkspaceOpener.tree(
                path: options.source, state: state, secrets: options.secrets)
        }
        var demands = CapsuleSession.Demands()
        demands.root = options.expectedRoot
        demands.allowedSignersFile = options.allowedSignersFile
        demands.requiresVerified = options.requiresVerified
        return try OpenedTree.open(
            path: options.source, secrets: options.secrets, demands: demands,
            caches: Capsule.CacheSizes(content: options.cacheLength),
            recoversLog: options.recoversLog
        ).tree
    }

    private static func checkMountPoint(_ path: String) throws(AccessError) {
        var status = stat()
        // stat(2) may be answered from attributes that a dead mount left in the kernel; statvfs(3)
        // always asks.
        var facts = statvfs()
        guard stat(path, &status) == 0, statvfs(path, &facts) == 0 else {
            let error = SystemError.last("use the mount point", path)
            let hint =
                error.errno == ENOTCONN
                ? "; a dead mount is there: 'capsule umount' removes it" : ""
            throw AccessError(.usage, code: "unusable_path", "\(error)\(hint)")
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw AccessError(
                .usage, code: "unusable_path", "\(path): the mount point is not a directory")
        }
    }

    private static func absolutePath(_ path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    private static func kernelOptions(
        _ opened: Opened, _ options: DriverOptions, source: String
    ) -> [String] {
        var list = [
            opened.isWritable ? "rw" : "ro", "subtype=capsulefs", "fsname=\(source)",
        ]
        list.append(options.allowsSuid ? "suid" : "nosuid")
        list.append(options.allowsDevices ? "dev" : "nodev")
        if options.allowsOther { list.append("allow_other") }
        if opened.enforcesPermissions { list.append("default_permissions") }
        return list + options.kernelFlags
    }
}

extension AccessError {
    /// The exit code of every program here: 1 the user, 2 the system, 3 a validation.
    public var exitCode: Int32 {
        switch kind {
        case .usage: 1
        case .system: 2
        case .validation: 3
        }
    }
}
