import CapsuleBytes
import CapsuleCrypto
import CapsuleFormat
import CapsuleSystem
import Crypto
import Glibc
import Synchronization

/// What shall be sealed, and how.
public struct SealRequest: Sendable {
    /// A secret that shall open the capsule, and a label that only its users see.
    public struct Slot: Sendable {
        /// The secret.
        public var secret: KeySlot.NewSecret
        /// The label.
        public var label: String

        /// A slot to be made.
        public init(_ secret: KeySlot.NewSecret, label: String) {
            self.secret = secret
            self.label = label
        }
    }

    /// The folder.
    public var source: String
    /// The file to be written.
    public var destination: String
    /// At least one way to open it.
    public var slots: [Slot]
    /// SHA-256 fingerprints of the keys whose signatures `sign` will deliver.
    public var expectedSigners: [[UInt8]] = []
    /// The public label.
    public var label = ""
    /// The public hint.
    public var hint = ""
    /// zstd's level; 0 stores uncompressed.
    public var level = 3
    /// Plaintext of a compressed block, in bytes.
    public var blockSize = SealRequest.defaultBlockSize
    /// Uniform block sizes and a rounded total, so that sizes identify nothing.
    public var pads = false
    /// What is left out.
    public var excludes: [ExcludePattern] = []
    /// The place in a series of versions; nil begins one, which is named after its first capsule.
    public var lineage: Manifest.Lineage?
    /// Of what is sealed from a workspace, the signed checkpoint of its audit log.
    public var auditCheckpoint: String?
    /// Whether the lineage is written into the clear header.
    public var publishesLineage = false
    /// The manifest's creator and tool.
    public var creator: String
    /// The program and its version.
    public var toolVersion: String
    /// The time of sealing, RFC 3339, UTC.
    public var createdAt: String
    /// Whether an existing file is replaced.
    public var replaces = false
    /// Whether the result depends on nothing but the folder and the one secret.
    public var isReproducible = false

    /// The default of `blockSize`, chosen by measurement; see capsule-format(5).
    public static let defaultBlockSize = 128 << 10
    /// Plaintext of a block that does not compress.
    public static let rawBlockSize = 32 << 10

    /// A request with defaults for the rest.
    public init(
        source: String, destination: String, slots: [Slot], lineage: Manifest.Lineage?,
        creator: String, toolVersion: String, createdAt: String
    ) {
        self.source = source
        self.destination = destination
        self.slots = slots
        self.lineage = lineage
        self.creator = creator
        self.toolVersion = toolVersion
        self.createdAt = createdAt
    }
}

/// What was sealed.
public struct SealResult: Sendable {
    /// The trailer with the root.
    public let trailer: Trailer
    /// The manifest.
    public let manifest: Manifest
}

/// How far sealing has come; updated from several threads.
public final class SealProgress: Sendable {
    /// Bytes read from the folder.
    public let bytesRead = Atomic<UInt64>(0)
    /// Entries found.
    public let entries = Atomic<Int>(0)
    /// Bytes of the finished file that were read again and checked.
    public let bytesChecked = Atomic<UInt64>(0)
    /// Bytes that will be checked; 0 while sealing.
    public let bytesToCheck = Atomic<UInt64>(0)

    /// Nothing done yet.
    public init() {}
}

/// Seals a folder into one file that appears whole or not at all.
public struct TreeSealer: Sendable {
    let request: SealRequest
    private let workerCount: Int
    let progress: SealProgress

    /// A sealer for one request.
    public init(
        _ request: SealRequest, workerCount: Int = Environment.processorCount,
        progress: SealProgress = SealProgress()
    ) {
        self.request = request
        self.workerCount = workerCount
        self.progress = progress
    }

    /// Seals. `sign` gets the statement and returns SSHSIG blobs; it runs after the file has been
    /// written, read again and checked, and before it gets its name.
    public func seal(sign: ([UInt8]) throws -> [[UInt8]]) throws -> SealResult {
        Environment.raiseOpenFileLimit()
        return try publish(sign: sign) { [self] writer, id, output in
            try writeStreams(writer, id: id, output: output).manifest
        }
    }

    /// Everything about a new capsule but its streams: keys, check, signatures, name.
    func publish(
        hooks: SealHooks = SealHooks(), sign: ([UInt8]) throws -> [[UInt8]],
        streams: (CapsuleWriter, [UInt8], AtomicFile) throws -> Manifest
    ) throws -> SealResult {
        if !request.replaces, access(request.destination, F_OK) == 0 {
            throw SystemError(errno: EEXIST, operation: "create", object: request.destination)
        }
        let output = try AtomicFile(path: request.destination)
        output.writePastCache()
        let material = try keyMaterial()
        let keys = FileKeys(fileKey: material.fileKey, salt: material.header.salt)
        let writer = try CapsuleWriter(
            storage: output, header: material.header, slots: material.slots,
            purpose: .seal(
                keys, capsuleID: material.header.id,
                takingFingerprint: material.fingerprint != nil), workerCount: workerCount,
            written: WritebackPacer(output).didWrite)
        let manifest = try streams(writer, material.header.id, output)
        if let expected = material.fingerprint {
            // The capsule's id follows from the fingerprint, so it was taken without it.
            var anonymous = manifest
            anonymous.capsuleID = ""
            if request.lineage == nil { anonymous.lineage.id = "" }
            guard expected == writer.fingerprint(replacingManifest: anonymous.encoded) else {
                throw TreeError(
                    path: Array(request.source.utf8), "the folder changed between the two passes")
            }
        }
        let trailer = try writer.finish()
        try check(output)
        try hooks.inspect { try Capsule(try CapsuleFile(output), keys: keys) }
        for signature in try sign(try CapsuleFile(output).statement) {
            try CapsuleFile(output).appendSignature(signature)
        }
        try hooks.willPublish(output)
        try output.publish(replacing: request.replaces)
        return SealResult(trailer: trailer, manifest: manifest)
    }

    // MARK: Keys

    struct KeyMaterial {
        let fileKey: SymmetricKey
        let header: Header
        let slots: [KeySlot]
        /// Of the first pass of reproducible sealing.
        let fingerprint: Digest32?
    }

    private func keyMaterial() throws -> KeyMaterial {
        if request.isReproducible {
            return try ReproducibleKeys(request: request, sealer: self).material()
        }
        return try makeMaterial(random: Environment.random, fingerprint: nil)
    }

    /// Makes keys, header and slots out of `random`, in a fixed order.
    func makeMaterial(
        random: (Int) -> [UInt8], fingerprint: Digest32?
    ) throws -> KeyMaterial {
        var key = random(32)
        defer { wipe(&key) }
        let fileKey = SymmetricKey(data: key)
        let id = random(16)
        let salt = random(32)
        var slots: [KeySlot] = []
        for slot in request.slots {
            slots.append(
                try KeySlot(
                    wrapping: fileKey, under: slot.secret, capsuleID: id,
                    label: Array(slot.label.utf8), salt: random(32)))
        }
        let keys = FileKeys(fileKey: fileKey, salt: salt)
        return KeyMaterial(
            fileKey: fileKey,
            header: makeHeader(id: id, salt: salt, commitment: keys.commitment, slots: slots),
            slots: slots, fingerprint: fingerprint)
    }

    private func makeHeader(
        id: [UInt8], salt: [UInt8], commitment: [UInt8], slots: [KeySlot]
    ) -> Header {
        // Room for as many slots again, and never less than 8 KiB.
        let slotBytes = slots.reduce(Area.capacity(length: 0) * -1) { $0 + $1.record.count * 2 }
        let slotAreaLength = max(8192, (slotBytes + 4095) / 4096 * 4096)
        return Header(
            id: id, salt: salt, keyCommitment: commitment,
            slotAreaLength: min(slotAreaLength, Limits.areaLength.upperBound),
            signatureAreaLength: 8192, expectedSigners: request.expectedSigners,
            label: request.label, hint: request.hint,
            lineage: request.publishesLineage ? publicLineage(id) : nil)
    }

    private func publicLineage(_ capsuleID: [UInt8]) -> Header.PublicLineage {
        let lineage = lineage(capsuleID)
        return Header.PublicLineage(
            id: CapsuleID(hex: lineage.id)?.bytes ?? capsuleID, version: lineage.version)
    }

    func lineage(_ capsuleID: [UInt8]) -> Manifest.Lineage {
        request.lineage
            ?? Manifest.Lineage(id: Text.hex(capsuleID), version: 1, parentRoot: nil)
    }

    // MARK: Passes

    /// The first pass of reproducible sealing: what would be sealed, as one hash.
    func fingerprint() throws -> Digest32 {
        let empty = [UInt8](repeating: 0, count: 32)
        let header = Header(
            id: Array(empty[..<16]), salt: empty, keyCommitment: empty, slotAreaLength: 8192,
            signatureAreaLength: 8192)
        let writer = try CapsuleWriter(
            storage: DiscardingStorage(), header: header, slots: [], purpose: .fingerprint,
            workerCount: workerCount)
        return try writeStreams(writer, id: header.id, output: nil).fingerprint
    }

    /// The file being written and the one being replaced may lie in the folder: neither is part of
    /// itself.
    private func skipped(_ output: AtomicFile?) -> Set<TreeScanner.FileIdentity> {
        var skipped: Set<TreeScanner.FileIdentity> = []
        var status = stat()
        if stat(request.destination, &status) == 0 {
            skipped.insert(TreeScanner.FileIdentity(status))
        }
        if let output, fstat(output.descriptor, &status) == 0 {
            skipped.insert(TreeScanner.FileIdentity(status))
        }
        return skipped
    }

    private func writeStreams(
        _ writer: CapsuleWriter, id: [UInt8], output: AtomicFile?
    ) throws -> (manifest: Manifest, fingerprint: Digest32) {
        let level = request.pads ? 0 : request.level
        let stream = writer.contentStream(
            StreamSealer.Shape(
                unitLength: request.blockSize, rawBlockLength: SealRequest.rawBlockSize,
                level: level))
        let scanner = TreeScanner(
            stream: stream, excludes: request.excludes, skipped: skipped(output),
            alignsLargeFiles: level > 0,
            bytesRead: { [progress] in progress.bytesRead.add($0, ordering: .relaxed) },
            progress: { [progress] in progress.entries.add($0, ordering: .relaxed) })
        try DeepStack.run { try scanner.scan(root: request.source) }
        if request.pads { Padding.pad(stream) }
        try writer.finish(stream)
        var index = scanner.takeIndex()
        try writer.writeIndex(&index, uniform: level == 0)
        var manifest = Manifest(
            capsuleID: "", creator: request.creator, toolVersion: request.toolVersion,
            createdAt: request.createdAt,
            lineage: request.lineage ?? Manifest.Lineage(id: "", version: 1, parentRoot: nil),
            contentDigest: scanner.contentDigest.hex, entryCount: UInt64(index.count - 1),
            totalSize: index.totalSize, excluded: request.excludes.map(\.text),
            remarks: scanner.remarks)
        manifest.auditCheckpoint = request.auditCheckpoint
        let fingerprint = writer.fingerprint(replacingManifest: manifest.encoded)
        manifest.capsuleID = Text.hex(id)
        manifest.lineage = lineage(id)
        try writer.writeManifest(manifest.encoded, uniform: level == 0)
        return (manifest, fingerprint)
    }

    /// Reads the file again from the medium and checks every byte.
    private func check(_ output: AtomicFile) throws {
        try output.flush()
        output.startWriteback(0..<(try output.length()), wait: true)
        progress.bytesToCheck.store(try output.length(), ordering: .relaxed)
        let verifier = CapsuleVerifier(
            try CapsuleFile(output), storage: UncachedReader(output), workerCount: workerCount,
            progress: { [progress] in progress.bytesChecked.add($0, ordering: .relaxed) })
        if let fault = verifier.verify().faults.first {
            throw FormatError(
                fault.code, "the file just written reads back wrong: \(fault.message)",
                at: fault.offset)
        }
    }
}

/// Padding of the content stream (Padmé): the length reveals its magnitude and little more.
enum Padding {
    /// Appends zeros until the stream's length is rounded, at most 12 percent.
    static func pad(_ stream: StreamSealer) {
        let zeros = [UInt8](repeating: 0, count: 1 << 16)
        let length = roundedLength(stream.logicalOffset)
        zeros.withUnsafeBytes { bytes in
            while stream.logicalOffset < length {
                let count = Int(min(length - stream.logicalOffset, UInt64(bytes.count)))
                stream.append(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
            }
        }
    }

    /// Rounds up so that only the leading log2(log2(length)) bits of a length remain.
    static func roundedLength(_ length: UInt64) -> UInt64 {
        guard length > 2 else { return length }
        let exponent = UInt64(63 - length.leadingZeroBitCount)
        let kept = UInt64(64 - exponent.leadingZeroBitCount)
        let mask = (UInt64(1) << (exponent - min(kept, exponent))) - 1
        return (length + mask) & ~mask
    }
}

/// Storage that forgets.
private final class DiscardingStorage: Storage {
    let name = "nowhere"
    func length() throws(SystemError) -> UInt64 { 0 }
    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(SystemError) -> Int { 0 }
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(SystemError) {}
    func flush() throws(SystemError) {}
}

/// Keeps the medium busy while sealing: starts writing back as soon as a window is full.
private final class WritebackPacer: Sendable {
    private let file: AtomicFile
    private let started = Atomic<UInt64>(0)
    private static let window: UInt64 = 16 << 20

    init(_ file: AtomicFile) { self.file = file }

    func didWrite(_ position: UInt64) {
        let start = started.load(ordering: .relaxed)
        guard position - start >= Self.window else { return }
        file.startWriteback(start..<position, wait: false)
        started.store(position, ordering: .relaxed)
    }
}
