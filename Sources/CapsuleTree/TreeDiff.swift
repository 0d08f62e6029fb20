import CapsuleFormat
import CapsuleSystem
import Glibc

/// Compares two trees, each a capsule or a directory.
public struct TreeDiff {
    /// One tree.
    public enum Side {
        case sealed(any ReadableTree)
        case directory(String)
    }

    /// One difference.
    public struct Difference: Sendable {
        /// What kind it is.
        public enum Kind: String, Sendable {
            case added
            case removed
            case changed
        }

        /// The kind, seen from the first tree to the second.
        public let kind: Kind
        /// The path from the root.
        public let path: [UInt8]
        /// Of a change, what differs: type, content, mode, owner, time, target, attributes, links.
        public let aspects: [String]
    }

    /// Hands every difference to `found`, in the order of the walk; where there are `paths`, only
    /// those at and below them.
    public static func compare(
        _ first: Side, _ second: Side, paths: [[UInt8]] = [],
        found: @escaping (Difference) -> Void
    ) throws {
        try DeepStack.run {
            switch (first, second) {
            case (.sealed(let a), .sealed(let b)):
                try Walk(SealedView(a), SealedView(b), paths, found).run()
            case (.sealed(let a), .directory(let b)):
                try Walk(SealedView(a), DirectoryView(b), paths, found).run()
            case (.directory(let a), .sealed(let b)):
                try Walk(DirectoryView(a), SealedView(b), paths, found).run()
            case (.directory(let a), .directory(let b)):
                try Walk(DirectoryView(a), DirectoryView(b), paths, found).run()
            }
        }
    }

    private final class Walk<First: TreeView, Second: TreeView> {
        private let first: First
        private let second: Second
        private let found: (Difference) -> Void
        private let buffers = (
            UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096),
            UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
        )
        /// For each inode of the first tree with several names, the second tree's.
        private var links: [UInt64: UInt64] = [:]

        private let paths: [[UInt8]]

        init(
            _ first: First, _ second: Second, _ paths: [[UInt8]],
            _ found: @escaping (Difference) -> Void
        ) {
            self.paths = paths
            self.first = first
            self.second = second
            self.found = found
        }

        deinit {
            buffers.0.deallocate()
            buffers.1.deallocate()
        }

        func run() throws {
            try compare(try first.rootNode, try second.rootNode, path: [])
        }

        private var depth = 0

        private func compare(_ one: First.Node, _ two: Second.Node, path: [UInt8]) throws {
            depth += 1
            defer { depth -= 1 }
            guard depth <= Limits.depth + 1 else {
                throw TreeError(path: path, "it lies deeper than \(Limits.depth) directories")
            }
            let (a, b) = (try first.object(one), try second.object(two))
            var aspects: [String] = []
            let type = a.mode & 0o170000
            if type != b.mode & 0o170000 {
                aspects.append("type")
            } else {
                aspects = try differences(one, a, two, b)
            }
            if !aspects.isEmpty, isWanted(path) {
                found(Difference(kind: .changed, path: path, aspects: aspects))
            }
            if type == 0o040000, !aspects.contains("type") {
                try compareChildren(one, two, path: path)
            }
        }

        private func differences(
            _ one: First.Node, _ a: TreeObject, _ two: Second.Node, _ b: TreeObject
        ) throws -> [String] {
            var aspects: [String] = []
            switch a.mode & 0o170000 {
            case 0o100000:
                if try a.size != b.size || !haveEqualBytes(one, two, size: a.size) {
                    aspects.append("content")
                }
            case 0o120000:
                if try first.target(one) != second.target(two) { aspects.append("target") }
            case 0o020000, 0o060000:
                if a.device != b.device { aspects.append("device") }
            default: break
            }
            if a.mode & 0o7777 != b.mode & 0o7777 { aspects.append("mode") }
            if a.uid != b.uid || a.gid != b.gid { aspects.append("owner") }
            if a.seconds != b.seconds || a.nanoseconds != b.nanoseconds { aspects.append("time") }
            if try first.attributes(one) != second.attributes(two) { aspects.append("attributes") }
            if a.mode & 0o170000 != 0o040000, a.linkCount > 1 || b.linkCount > 1 {
                if links[a.inode, default: b.inode] != b.inode { aspects.append("links") }
                links[a.inode] = b.inode
            }
            return aspects
        }

        private func haveEqualBytes(
            _ one: First.Node, _ two: Second.Node, size: UInt64
        ) throws -> Bool {
            var offset: UInt64 = 0
            while offset < size {
                let count = try first.read(one, at: offset, into: buffers.0)
                guard try second.read(two, at: offset, into: buffers.1) == count, count > 0,
                    let a = buffers.0.baseAddress, let b = buffers.1.baseAddress,
                    memcmp(a, b, count) == 0
                else { return false }
                offset += UInt64(count)
            }
            return true
        }

        private func compareChildren(
            _ one: First.Node, _ two: Second.Node, path: [UInt8]
        ) throws {
            var left = try first.children(one)[...]
            var right = try second.children(two)[...]
            while left.first != nil || right.first != nil {
                let (a, b) = (left.first, right.first)
                if let a, let b, a.name == b.name {
                    let below = join(path, a.name)
                    if isWanted(below) || leadsToWanted(below) {
                        try compare(a.node, b.node, path: below)
                    }
                    left.removeFirst()
                    right.removeFirst()
                } else if let a, b.map({ a.name.lexicographicallyPrecedes($0.name) }) ?? true {
                    report(.removed, join(path, a.name))
                    left.removeFirst()
                } else if let b {
                    report(.added, join(path, b.name))
                    right.removeFirst()
                }
            }
        }

        private func report(_ kind: Difference.Kind, _ path: [UInt8]) {
            guard isWanted(path) || leadsToWanted(path) else { return }
            found(Difference(kind: kind, path: path, aspects: []))
        }

        /// Whether a path is one of those asked for, or below one.
        private func isWanted(_ path: [UInt8]) -> Bool {
            paths.isEmpty || paths.contains { path == $0 || path.starts(with: $0 + [47]) }
        }

        /// Whether one of those asked for is below a path.
        private func leadsToWanted(_ path: [UInt8]) -> Bool {
            paths.contains { $0.starts(with: path + [47]) }
        }

        private func join(_ path: [UInt8], _ name: [UInt8]) -> [UInt8] {
            path.isEmpty ? name : path + [47] + name
        }
    }
}
