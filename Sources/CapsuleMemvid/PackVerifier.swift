import CapsuleBytes
import CapsuleCrypto
import CapsuleFormat
import MemvidFormat

/// Whether a packed folder is as it was packed, and what its signatures are made over.
public struct PackVerifier {
    /// What was found.
    public struct Report: Sendable {
        /// Whether it was packed at all: only then is there a root.
        public var isPacked = false
        /// Payloads that cannot be read or do not fit their checksums.
        public var faults: [MemvidError] = []
        /// The root that the record states and the signatures are over.
        public var statedRoot = Digest32.zero
        /// The root of what is there.
        public var actualRoot = Digest32.zero
        /// SSHSIG blobs.
        public var signatures: [[UInt8]] = []
        /// Active documents that were not packed.
        public var addedCount = 0
        /// Payloads read.
        public var payloadCount = 0
        /// Bytes of them.
        public var byteCount: UInt64 = 0
    }

    private let file: MemvidFile
    private let progress: (UInt64) -> Void

    /// A verifier of an opened file.
    public init(_ file: MemvidFile, progress: @escaping (UInt64) -> Void = { _ in }) {
        self.file = file
        self.progress = progress
    }

    /// What is signed: two lines, each ended by a line feed.
    public static func statement(_ root: Digest32) -> [UInt8] { PackRoot.statement(root) }

    /// Reads every payload.
    public func verify() -> Report {
        var report = Report()
        var hash = PackRoot()
        var record: FrameSummary?
        for frame in file.frames where frame.status == .active {
            check(frame, &report)
            guard frame.role == .document else { continue }
            if frame.retained[PackedTree.markKey] == PackedTree.mark {
                record = frame
            } else if let entry = frame.retained[PackedEntry.key] {
                hash.add(entry, frame.checksum)
            } else {
                report.addedCount += 1
            }
        }
        guard let record else { return report }
        report.isPacked = true
        do throws(MemvidError) {
            let extra = try file.frame(record.id).extraMetadata
            let manifest = extra[PackedTree.manifestKey] ?? ""
            report.actualRoot = hash.root(record: record.checksum, manifest: manifest)
            guard let stated = extra[PackedTree.rootKey].flatMap({ Digest32(hex: $0) }) else {
                throw MemvidError(.damaged, "the tree record states no root")
            }
            report.statedRoot = stated
            var number = 1
            while let text = extra["\(PackedTree.signatureKey)\(number)"] {
                report.signatures.append(Text.unbase64(text) ?? [])
                number += 1
            }
        } catch {
            report.faults.append(error)
        }
        return report
    }

    private func check(_ frame: FrameSummary, _ report: inout Report) {
        guard frame.payloadLength > 0 else { return }
        do throws(MemvidError) {
            _ = try file.payload(frame.id)
        } catch {
            report.faults.append(error)
        }
        report.payloadCount += 1
        report.byteCount += frame.payloadLength
        progress(frame.payloadLength)
    }
}
