import CapsuleSystem

/// A point in time, as stat(2) shows it.
public struct FileTime: Equatable, Sendable {
    /// Seconds since 1970.
    public var seconds: Int64
    /// Nanoseconds, below 10^9.
    public var nanoseconds: UInt32

    /// A time.
    public init(seconds: Int64, nanoseconds: UInt32) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    /// The present time, as the kernel has it for files.
    public static var now: FileTime {
        let clock = Environment.tickClock()
        return FileTime(seconds: clock.seconds, nanoseconds: clock.nanoseconds)
    }
}

/// An inode of the live tree: one row.
public struct Inode: Equatable, Sendable {
    /// Its number: never used again for another.
    public internal(set) var number: UInt64
    /// The epoch in which this row came to be.
    var born: Int64
    /// Type and permission bits, as in stat(2).
    public var mode: UInt32
    /// The owner.
    public var uid: UInt32
    /// The group.
    public var gid: UInt32
    /// Names; of a directory, 2 and its subdirectories. 0 while it is only open.
    public var linkCount: UInt32
    /// Bytes of a file or of a link's target.
    public var size: UInt64
    /// Bytes in extents.
    public var storedSize: UInt64
    /// The device number, as makedev(3) builds it.
    public var device: UInt64
    /// Of a directory, the one it is in.
    public var parent: UInt64
    /// Last access, as far as it is recorded.
    public var accessed: FileTime
    /// Last change of the content.
    public var modified: FileTime
    /// Last change of anything.
    public var changed: FileTime
    /// Whether it has extended attributes.
    public var hasAttributes: Bool

    /// The types, as stat(2) has them.
    public enum Kind {
        /// The bits of `mode` that are the type.
        public static let mask: UInt32 = 0o170000
        /// A directory.
        public static let directory: UInt32 = 0o040000
        /// A regular file.
        public static let regular: UInt32 = 0o100000
        /// A symbolic link.
        public static let symbolicLink: UInt32 = 0o120000
    }

    /// Whether it is a directory.
    public var isDirectory: Bool { mode & Kind.mask == Kind.directory }
    /// Whether it is a regular file.
    public var isRegular: Bool { mode & Kind.mask == Kind.regular }
    /// Whether it is a symbolic link.
    public var isSymbolicLink: Bool { mode & Kind.mask == Kind.symbolicLink }

    /// The root directory's number.
    public static let root: UInt64 = 1
}
