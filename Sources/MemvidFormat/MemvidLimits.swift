/// Every bound that is checked before a number from a file sizes anything. Where Memvid has one, it
/// is Memvid's own.
public enum MemvidLimits {
    /// The table of contents, in bytes.
    public static let tableLength: UInt64 = 512 << 20
    /// Frames of a file.
    public static let frameCount: UInt64 = 10_000_000
    /// One payload, stored or decoded, in bytes.
    public static let payloadLength: UInt64 = 256 << 20
    /// Tags, labels and dates of a frame, each.
    public static let listCount: UInt64 = 1024
    /// Entries of a frame's extra metadata.
    public static let extraCount: UInt64 = 4096
    /// An encrypted file with a single tag: it has to fit into memory whole.
    public static let oneShotLength: UInt64 = 256 << 20
    /// Records of the log.
    public static let recordCount = 1 << 20
    /// Bytes hashed in the search for an older footer, as a multiple of the file's length.
    public static let salvageWork: UInt64 = 4
}
