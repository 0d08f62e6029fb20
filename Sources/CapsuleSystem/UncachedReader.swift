import CLinux
import Glibc
import Synchronization

/// Reads a file from the medium and past the page cache (O_DIRECT of open(2)), where the file
/// system can do so; else as the file itself does.
///
/// For who reads a large file once: it neither waits for pages of memory nor takes them from
/// others. Reads from several threads at once are possible.
public final class UncachedReader: Storage {
    private let file: AtomicFile
    /// -1 where there is no such way.
    private let direct: Int32
    /// Memory that is aligned as the medium wants it, not in use at the moment.
    private let spare = Mutex<[Piece]>([])

    private static let page = 4096
    private static let pieceLength = 1 << 20

    /// Memory for one read.
    private final class Piece: @unchecked Sendable {
        // Sendable because one thread at a time has it.
        let memory = UnsafeMutableRawBufferPointer.allocate(
            byteCount: pieceLength, alignment: page)

        deinit { memory.deallocate() }
    }

    /// A reader of a file that was written and flushed.
    public init(_ file: AtomicFile) {
        self.file = file
        direct = clinux_openat(
            AT_FDCWD, "/proc/self/fd/\(file.descriptor)",
            O_RDONLY | O_CLOEXEC | clinux_O_DIRECT, 0)
    }

    deinit { if direct >= 0 { close(direct) } }

    /// As `Storage` says.
    public var name: String { file.name }

    /// As `Storage` says.
    public func length() throws(SystemError) -> UInt64 { try file.length() }

    /// As `Storage` says.
    public func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(SystemError) {
        try file.write(bytes, at: offset)
    }

    /// As `Storage` says.
    public func flush() throws(SystemError) { try file.flush() }

    /// As `Storage` says.
    public func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(SystemError) -> Int {
        let done = direct >= 0 ? readPages(into: buffer, at: offset) : 0
        guard done < buffer.count else { return done }
        // The end of the file, or something of which the other way says more.
        let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
        return done + (try file.read(into: rest, at: offset + UInt64(done)))
    }

    /// Whole pages, of which what was asked for is copied; returns how much.
    private func readPages(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) -> Int {
        let piece = spare.withLock { $0.popLast() } ?? Piece()
        defer { spare.withLock { $0.append(piece) } }
        var done = 0
        while done < buffer.count {
            let place = offset + UInt64(done)
            let before = Int(place % UInt64(Self.page))
            let wanted = min(
                Self.pieceLength,
                (before + buffer.count - done + Self.page - 1) / Self.page * Self.page)
            let count = pread(
                direct, piece.memory.baseAddress, wanted, off_t(place) - off_t(before))
            guard count > before else { return done }
            let taken = min(count - before, buffer.count - done)
            UnsafeMutableRawBufferPointer(rebasing: buffer[done..<done + taken])
                .copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: piece.memory[before..<before + taken]))
            done += taken
            if count < wanted { return done }
        }
        return done
    }
}
