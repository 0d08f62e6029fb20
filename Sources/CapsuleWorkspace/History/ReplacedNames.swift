import Synchronization

/// What changed behind the kernel's back: names that stand for something else, and inodes whose
/// attributes or contents are others.
public struct ReplacedNames: Sendable {
    /// A name in a directory.
    public struct Name: Sendable {
        /// The directory's inode.
        public let parent: UInt64
        /// The name.
        public let name: [UInt8]
    }

    /// A file that goes on under its number as if it were another one.
    public struct Renewed: Sendable {
        /// Its inode.
        public let inode: UInt64
        /// A path at which it is found.
        public let path: [[UInt8]]
    }

    /// The names.
    public internal(set) var names: [Name] = []
    /// The inodes.
    public internal(set) var inodes: [UInt64] = []
    /// Files whose open descriptors are not to be used any more.
    public internal(set) var renewed: [Renewed] = []
    /// Names that states do not show any more.
    public internal(set) var pastNames: [Name] = []
    /// Inodes that states show with other attributes.
    public internal(set) var pastInodes: [UInt64] = []
}

/// Who has to hear of it: the mount.
final class ReplacedNamesListener: Sendable {
    let handler = Mutex<(@Sendable (ReplacedNames) -> Void)?>(nil)
}

extension LiveTree {
    /// Whoever keeps answers of this tree hears what is no longer so. Called without any lock held.
    public func onReplacement(_ handler: (@Sendable (ReplacedNames) -> Void)?) {
        replacementListener.handler.withLock { $0 = handler }
    }

    func tellReplaced(_ replaced: ReplacedNames) {
        replacementListener.handler.withLock { $0 }?(replaced)
    }
}
