import CapsulePolicy
import CapsuleRuns
import CapsuleSystem
import CapsuleWorkspace
import Glibc

/// A file that is put among the files of a run. Paths are bytes: a name need not be UTF-8.
struct RunSource {
    /// Where it is; nil for standard input.
    private let path: [UInt8]?
    /// The parts of its name in the run.
    let name: [[UInt8]]

    private static let pieceLength = 1 << 20

    private init(_ path: [UInt8], as name: [[UInt8]]) {
        self.path = path
        self.name = name
    }

    /// What can be read from standard input.
    init(standardInputAs name: [[UInt8]]) {
        path = nil
        self.name = name
    }

    /// A file, or all regular files below a folder. Throws `RunError` for what is neither: nobody
    /// may ever write to a FIFO.
    static func all(at path: [UInt8], as name: [[UInt8]]) throws -> [RunSource] {
        var facts = stat()
        guard RawArgument.withPath(path, { stat($0, &facts) }) == 0 else {
            throw SystemError.last("open", shown(path))
        }
        switch facts.st_mode & S_IFMT {
        case S_IFREG: return [RunSource(path, as: name)]
        case S_IFDIR: break
        default: throw notRegular(path)
        }
        var sources: [RunSource] = []
        let directory = FileDirectory(try opened(path, O_DIRECTORY))
        for child in try directory.rawNames() {
            let below = path + [0x2f] + child
            var facts = stat()
            let status = RawArgument.withPath(below) { lstat($0, &facts) }
            guard status == 0 else { throw SystemError.last("open", shown(below)) }
            switch facts.st_mode & S_IFMT {
            case S_IFDIR, S_IFREG: sources += try all(at: below, as: name + [child])
            default: Output.warn("\(shown(below)): it is no regular file, and left out")
            }
        }
        return sources
    }

    private static func shown(_ path: [UInt8]) -> String { String(decoding: path, as: UTF8.self) }

    private static func opened(_ path: [UInt8], _ flags: Int32) throws -> Descriptor {
        let raw = RawArgument.withPath(path) { open($0, O_RDONLY | O_CLOEXEC | flags) }
        guard raw >= 0 else { throw SystemError.last("open", shown(path)) }
        return Descriptor(owning: raw, name: shown(path))
    }

    private static func notRegular(_ path: [UInt8]) -> RunError {
        RunError(
            .usage, "not_regular",
            "\(shown(path)): it is no regular file and no folder: give what can be read from it "
                + "on standard input, with '-' and --as NAME")
    }

    /// What errors call it.
    private var text: String { path.map(Self.shown) ?? "standard input" }

    /// Puts it among the files of a run, masked if there is a masker.
    func put(
        into track: RunTrack, of run: RunName, _ service: any RunRecorder, _ masker: TextMasker?
    ) throws {
        var mode: UInt32 = 0o644
        let descriptor: Descriptor
        if let path {
            // It may have become another file since it was looked at.
            descriptor = try Self.opened(path, O_NONBLOCK)
            let facts = try descriptor.status()
            guard facts.st_mode & S_IFMT == S_IFREG else { throw Self.notRegular(path) }
            mode = facts.st_mode & 0o777
        } else {
            descriptor = Descriptor(
                owning: try retrying("open", text) { dup(0) }, name: text)
        }
        let file = try service.makeFile(name, mode: mode, in: track, of: run)
        // What is masked is seen as a whole.
        var whole: [UInt8] = []
        while true {
            let piece = try next(of: descriptor.raw)
            if piece.isEmpty { break }
            if masker == nil { try file.append(piece) } else { whole += piece }
        }
        if let masker { try append(whole, to: file, masker) }
        try file.finish()
    }

    private func next(of descriptor: Int32) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: Self.pieceLength) { buffer, count in
            count = try retrying("read", text) {
                read(descriptor, buffer.baseAddress, Self.pieceLength)
            }
        }
    }

    private func append(
        _ bytes: [UInt8], to file: any RunFileSink, _ masker: TextMasker
    ) throws {
        guard ContentKind.classify(bytes.prefix(ContentKind.prefixSize)).canBeScanned else {
            throw RunError(
                .usage, "unscannable",
                "\(text): the run is sanitized, and this cannot be scanned: put it into another "
                    + "run, or as text")
        }
        let base = name.last.map { String(decoding: $0, as: UTF8.self) }
        if let kind = name.lazy.compactMap(masker.firstFinding).first {
            throw RunError(
                .usage, "bad_name",
                "\(text): the run is sanitized, and its name there would hold something that is "
                    + "masked (\(kind)): give it another with --as")
        }
        let masked = masker.mask(bytes, path: base)
        for start in stride(from: 0, to: masked.count, by: Self.pieceLength) {
            try file.append(Array(masked[start..<min(start + Self.pieceLength, masked.count)]))
        }
    }
}
