import Glibc

/// Which run: the work item it is for, and its own id.
public struct RunName: Hashable, Sendable {
    /// The work item.
    public let spec: String
    /// The run's id, one of its kind within the work item.
    public let run: String

    /// The longest id, in bytes.
    public static let lengthMax = 64

    /// Whether an id can be a segment of a URI and the name of a directory.
    public static func isValid(_ id: String) -> Bool {
        let isPlain = id.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x5a).contains($0)
                || (0x61...0x7a).contains($0) || $0 == 0x2d || $0 == 0x2e || $0 == 0x5f
        }
        return isPlain && (1...lengthMax).contains(id.utf8.count) && !id.hasPrefix(".")
            && !id.hasPrefix("-")
    }

    /// A name of valid ids. Throws EINVAL.
    public init(spec: String, run: String) throws(WorkspaceError) {
        for id in [spec, run] where !Self.isValid(id) {
            throw WorkspaceError.refusal(
                EINVAL,
                "'\(id)' cannot name a spec or a run: letters, digits, '.', '_' and '-', at most "
                    + "\(Self.lengthMax), none of the last two first")
        }
        self.spec = spec
        self.run = run
    }

    static let statePrefix = "run:"

    /// The state that a checkpoint of the run keeps.
    public func stateName(_ label: String) -> String {
        Self.statePrefix + "\(spec):\(run):\(label)"
    }

    /// The directory of a run's files in the tree.
    public var directory: [[UInt8]] { ["runs", spec, run].map { Array($0.utf8) } }
}
