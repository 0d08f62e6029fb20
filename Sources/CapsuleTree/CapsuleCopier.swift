import CapsuleBytes
import CapsuleCrypto
import CapsuleFormat
import CapsuleSystem
import Synchronization

/// Seals the content of one capsule again under a fresh file key and fresh slots: `capsule rekey`.
///
/// Removing a slot leaves the key that old copies of the file still give away; a new key does not.
public struct CapsuleCopier {
    private let capsule: Capsule
    private let request: SealRequest
    private let progress: SealProgress

    /// A copier; of the request, only destination, slots, signers, label, hint, level and block
    /// size count.
    public init(
        _ capsule: Capsule, request: SealRequest, progress: SealProgress = SealProgress()
    ) {
        self.capsule = capsule
        self.request = request
        self.progress = progress
    }

    /// Writes the new capsule, reads it again and publishes it.
    public func copy(sign: ([UInt8]) throws -> [[UInt8]]) throws -> SealResult {
        try TreeSealer(request, progress: progress).publish(sign: sign) { writer, id, _ in
            progress.entries.store(Int(capsule.index.entryCount), ordering: .relaxed)
            let content = writer.contentStream(
                StreamSealer.Shape(
                    unitLength: request.blockSize, rawBlockLength: SealRequest.rawBlockSize,
                    level: request.level))
            try capsule.content.forEachBlock { bytes in
                content.append(bytes)
                progress.bytesRead.add(UInt64(bytes.count), ordering: .relaxed)
            }
            try writer.finish(content)
            let index = writer.indexStream(uniform: request.level == 0)
            try capsule.index.forEachBlock { bytes in
                index.append(bytes)
                index.endUnit()
            }
            try writer.finish(index)
            var manifest = try capsule.manifest()
            if let lineage = request.lineage { manifest.lineage = lineage }
            manifest.capsuleID = Text.hex(id)
            manifest.toolVersion = request.toolVersion
            manifest.createdAt = request.createdAt
            try writer.writeManifest(manifest.encoded, uniform: request.level == 0)
            return manifest
        }
    }
}
