import CapsuleWorkspace
import FuseKit
import Glibc
import Synchronization

/// Files of `.capsule` that are written when somebody looks them up.
///
/// Each rendering has a node of its own and never changes, so whoever has it open reads one text
/// from end to end. The log only grows: its node is its length.
final class GeneratedFiles: Sendable {
    private static let logName = Array("audit.jsonl".utf8)
    private static let statisticsName = Array("stats.json".utf8)
    /// Bits above the length of the log, or the number of a rendering, in a node.
    private static let kindShift: UInt64 = 44
    private static let log = StateViews.madeUp | 1 << kindShift
    private static let statistics = StateViews.madeUp | 2 << kindShift
    private static let numberMask: UInt64 = 1 << kindShift - 1
    /// Renderings that are kept for those who have them open.
    private static let renderingCountMax: UInt64 = 64

    private struct Renderings {
        var texts: [UInt64: [UInt8]] = [:]
        var next: UInt64 = 0
    }

    private let tree: LiveTree
    private let renderings = Mutex(Renderings())

    init(_ tree: LiveTree) { self.tree = tree }

    private static func attributes(_ node: UInt64, size: UInt64) -> FuseAttributes {
        var attributes = FuseAttributes()
        attributes.inode = node
        attributes.mode = Inode.Kind.regular | 0o444
        attributes.linkCount = 1
        attributes.size = size
        attributes.blocks = (size + 511) / 512
        return attributes
    }

    private func entry(_ node: UInt64, size: UInt64) -> FuseEntry {
        // The next lookup may find a newer one.
        FuseEntry(node: node, attributes: Self.attributes(node, size: size), timeout: 0)
    }

    /// The present rendering of a file, or nil.
    func entry(_ name: UnsafeRawBufferPointer) throws(WorkspaceError) -> FuseEntry? {
        if name.elementsEqual(Self.logName) {
            let length = try tree.auditEnd().length
            return entry(Self.log | min(length, Self.numberMask), size: length)
        }
        guard name.elementsEqual(Self.statisticsName) else { return nil }
        let text = try tree.statistics().line
        let number = renderings.withLock { renderings in
            if let same = renderings.texts.first(where: { $0.value == text }) { return same.key }
            defer { renderings.next += 1 }
            renderings.texts[renderings.next] = text
            if renderings.next >= Self.renderingCountMax {
                renderings.texts[renderings.next - Self.renderingCountMax] = nil
            }
            return renderings.next
        }
        return entry(Self.statistics | number, size: UInt64(text.count))
    }

    /// Both, for a listing: not rendered, as nobody may want them.
    func entries() throws(WorkspaceError) -> [(name: [UInt8], entry: FuseEntry)] {
        let length = try tree.auditEnd().length
        return [
            (Self.logName, entry(Self.log | min(length, Self.numberMask), size: length)),
            (Self.statisticsName, entry(Self.statistics | Self.numberMask, size: 0)),
        ]
    }

    /// What stat(2) shows of a rendering, or nil for another node.
    func attributes(of node: UInt64) -> FuseAttributes? {
        if node & ~Self.numberMask == Self.log {
            return Self.attributes(node, size: node & Self.numberMask)
        }
        guard node & ~Self.numberMask == Self.statistics else { return nil }
        let size = renderings.withLock { $0.texts[node & Self.numberMask]?.count }
        return Self.attributes(node, size: UInt64(size ?? 0))
    }

    /// Answers a read; nil for a node that is no rendering.
    func read(_ node: UInt64, size: Int, offset: UInt64) throws(WorkspaceError) -> [UInt8]? {
        if node & ~Self.numberMask == Self.log {
            let end = node & Self.numberMask
            guard offset < end else { return [] }
            return try tree.auditText(offset..<min(end, offset + UInt64(size)))
        }
        guard node & ~Self.numberMask == Self.statistics else { return nil }
        let text = renderings.withLock { $0.texts[node & Self.numberMask] }
        guard let text else { throw WorkspaceError(ESTALE) }
        return Array(text.dropFirst(Int(clamping: offset)).prefix(size))
    }
}
