import CSQLite3
import CapsuleSystem
import Glibc

/// The functions that SQLite calls: each turns raw arguments into a call of `SealedVFS` or of a
/// `VirtualFile`, and errors into SQLite's numbers.
enum VFSMethods {
    /// The table of functions of a file system, without name and owner.
    static var vfs: sqlite3_vfs {
        var vfs = sqlite3_vfs()
        vfs.iVersion = 1
        vfs.szOsFile = Int32(MemoryLayout<OpenFile>.size)
        vfs.mxPathname = 255
        vfs.xOpen = { vfs, path, file, flags, outFlags in
            openFile(vfs, path, file, flags, outFlags)
        }
        vfs.xDelete = { vfs, path, _ in
            serve(vfs) { target throws(StoreError) in
                try target.remove(text(path))
            }
        }
        vfs.xAccess = { vfs, path, _, result in
            serve(vfs) { target throws(StoreError) in
                result?.pointee = try target.contains(text(path)) ? 1 : 0
            }
        }
        vfs.xFullPathname = { _, path, count, target in
            guard let path, let target, strlen(path) < Int(count) else { return SQLITE_CANTOPEN }
            strcpy(target, path)
            return SQLITE_OK
        }
        vfs.xRandomness = { _, count, target in
            let bytes = Environment.random(Int(count))
            target?.withMemoryRebound(to: UInt8.self, capacity: Int(count)) {
                $0.update(from: bytes, count: bytes.count)
            }
            return count
        }
        vfs.xSleep = { _, microseconds in
            usleep(UInt32(microseconds))
            return microseconds
        }
        vfs.xCurrentTime = { _, days in
            let now = Environment.wallClock()
            // The Julian day of 1970-01-01 00:00 UTC.
            days?.pointee = Double(now.seconds) / 86400 + 2440587.5
            return SQLITE_OK
        }
        vfs.xGetLastError = { _, _, _ in 0 }
        return vfs
    }

    /// What SQLite keeps for each open file, as C sees it: a `sqlite3_file` and our object.
    struct OpenFile {
        var methods: UnsafePointer<sqlite3_io_methods>?
        var object: UnsafeMutableRawPointer?
        var owner: UnsafeMutableRawPointer?
    }

    /// The table of functions of every open file; never freed, as SQLite holds on to it.
    nonisolated(unsafe) static let files: UnsafePointer<sqlite3_io_methods> = {
        var methods = sqlite3_io_methods()
        // Version 1 has no shared memory: the log is only used with an exclusive lock.
        methods.iVersion = 1
        methods.xClose = { file in closeFile(file) }
        methods.xRead = { file, buffer, count, offset in
            readFile(file, buffer, count, offset)
        }
        methods.xWrite = { file, bytes, count, offset in
            serve(file) { target throws(StoreError) in
                try target.write(
                    UnsafeRawBufferPointer(start: bytes, count: Int(count)), at: UInt64(offset))
            }
        }
        methods.xTruncate = { file, length in
            serve(file) { target throws(StoreError) in
                try target.truncate(to: UInt64(length))
            }
        }
        methods.xSync = { file, _ in
            serve(file) { target throws(StoreError) in
                try target.flush()
            }
        }
        methods.xFileSize = { file, length in
            serve(file) { target throws(StoreError) in
                length?.pointee = sqlite3_int64(try target.length())
            }
        }
        // The workspace has its own lock.
        methods.xLock = { _, _ in SQLITE_OK }
        methods.xUnlock = { _, _ in SQLITE_OK }
        methods.xCheckReservedLock = { _, result in
            result?.pointee = 0
            return SQLITE_OK
        }
        methods.xFileControl = { _, _, _ in SQLITE_NOTFOUND }
        // One sealed block; and a write may damage the rest of its sector, so that SQLite pads
        // commits in the log.
        methods.xSectorSize = { _ in Int32(SealedBlocks.length) }
        methods.xDeviceCharacteristics = { _ in 0 }
        let pointer = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
        pointer.initialize(to: methods)
        return UnsafePointer(pointer)
    }()
}

// Free functions: a C function pointer cannot carry the context that a method is.

private func text(_ path: UnsafePointer<CChar>?) -> String {
    path.map { String(cString: $0) } ?? ""
}

private func owner(_ pointer: UnsafeMutableRawPointer?) -> SealedVFS {
    guard let pointer else { preconditionFailure("a file system has its owner") }
    return Unmanaged<SealedVFS>.fromOpaque(pointer).takeUnretainedValue()
}

/// SQLite's number for an error of ours.
private func number(_ error: StoreError) -> Int32 {
    error.errno == ENOSPC || error.errno == EDQUOT ? SQLITE_FULL : SQLITE_IOERR
}

private func serve(
    _ vfs: UnsafeMutablePointer<sqlite3_vfs>?,
    _ body: (SealedVFS) throws(StoreError) -> Void
) -> Int32 {
    let target = owner(vfs?.pointee.pAppData)
    do throws(StoreError) {
        try body(target)
        return SQLITE_OK
    } catch {
        target.lastFailure = error
        return number(error)
    }
}

private func openFiles(
    _ file: UnsafeMutablePointer<sqlite3_file>?
) -> UnsafeMutablePointer<VFSMethods.OpenFile> {
    guard let file else { preconditionFailure("a callback has its file") }
    return UnsafeMutableRawPointer(file).assumingMemoryBound(to: VFSMethods.OpenFile.self)
}

private func serve(
    _ file: UnsafeMutablePointer<sqlite3_file>?,
    _ body: (any VirtualFile) throws(StoreError) -> Void
) -> Int32 {
    let open = openFiles(file).pointee
    guard let object = open.object else { preconditionFailure("a file has its object") }
    let target = Unmanaged<FileBox>.fromOpaque(object).takeUnretainedValue().file
    do throws(StoreError) {
        try body(target)
        return SQLITE_OK
    } catch {
        owner(open.owner).lastFailure = error
        return number(error)
    }
}

private final class FileBox {
    let file: any VirtualFile
    init(_ file: any VirtualFile) { self.file = file }
}

private func openFile(
    _ vfs: UnsafeMutablePointer<sqlite3_vfs>?, _ path: UnsafePointer<CChar>?,
    _ file: UnsafeMutablePointer<sqlite3_file>?, _ flags: Int32,
    _ outFlags: UnsafeMutablePointer<Int32>?
) -> Int32 {
    let place = openFiles(file)
    // SQLite closes a file whose open failed if this is set.
    place.pointee = VFSMethods.OpenFile()
    return serve(vfs) { target throws(StoreError) in
        let opened = try target.open(text(path), creates: flags & SQLITE_OPEN_CREATE != 0)
        place.pointee = VFSMethods.OpenFile(
            methods: VFSMethods.files,
            object: Unmanaged.passRetained(FileBox(opened)).toOpaque(),
            owner: Unmanaged.passUnretained(target).toOpaque())
        // Of a log that cannot be written SQLite has to know, or it would checkpoint it.
        let writing = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
        outFlags?.pointee =
            target.isWritable ? flags : flags & ~writing | SQLITE_OPEN_READONLY
    }
}

private func closeFile(_ file: UnsafeMutablePointer<sqlite3_file>?) -> Int32 {
    let place = openFiles(file)
    if let object = place.pointee.object {
        Unmanaged<FileBox>.fromOpaque(object).release()
    }
    place.pointee = VFSMethods.OpenFile()
    return SQLITE_OK
}

private func readFile(
    _ file: UnsafeMutablePointer<sqlite3_file>?, _ buffer: UnsafeMutableRawPointer?,
    _ count: Int32, _ offset: sqlite3_int64
) -> Int32 {
    let target = UnsafeMutableRawBufferPointer(start: buffer, count: Int(count))
    var done = 0
    let status = serve(file) { source throws(StoreError) in
        done = try source.read(into: target, at: UInt64(offset))
    }
    guard status == SQLITE_OK else { return status }
    if done == target.count { return SQLITE_OK }
    // SQLite wants the rest to be zeros.
    target[done...].initializeMemory(as: UInt8.self, repeating: 0)
    return capsule_SQLITE_IOERR_SHORT_READ
}
