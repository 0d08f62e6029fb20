/// Every bound of the format: checked before a number from a file sizes anything.
public enum Limits {
    /// The header, in bytes.
    public static let headerLength = 4096
    /// The trailer, in bytes.
    public static let trailerLength = 1024
    /// Streams in the trailer's table.
    public static let streamCount = 8
    /// The length of a slot area or a signature area: a multiple of 4096.
    public static let areaLength: ClosedRange<Int> = 4096...(1 << 20)
    /// Slots in a capsule.
    public static let slotCount = 256
    /// Slots that cost an Argon2id run each.
    public static let argonSlotCount = 16
    /// Signatures in a capsule.
    public static let signatureCount = 64
    /// One stored signature, in bytes.
    public static let signatureLength = 16 * 1024
    /// Signers that a header can commit to.
    public static let expectedSignerCount = 16
    /// The public label and the public hint, in bytes of UTF-8.
    public static let labelLength = 255
    /// Plaintext of one block, in bytes.
    public static let blockLength = 1 << 20
    /// Plaintext of one content block, as an option of the writer.
    public static let blockSizeOption: ClosedRange<Int> = 4096...(1 << 20)
    /// Blocks in one stream: what 2^40 blocks of 1 MiB hold is an exbibyte.
    public static let blockCount: UInt64 = 1 << 40
    /// Plaintext in one stream, in bytes.
    public static let streamLength: UInt64 = 1 << 60
    /// Entries of a tree node.
    public static let nodeEntryCount = 256
    /// Levels of nodes above the blocks.
    public static let treeLevels = 6
    /// Directory entries of a capsule.
    public static let entryCount: UInt64 = (1 << 32) - 2
    /// Entries of an index page.
    public static let entriesPerPage = 256
    /// A name, in bytes.
    public static let nameLength = 255
    /// The target of a symbolic link, in bytes: PATH_MAX with its NUL.
    public static let targetLength = 4095
    /// All extended attributes of one inode, in bytes, with their names.
    public static let attributesLength = 4 << 20
    /// The value of one extended attribute: Linux's XATTR_SIZE_MAX.
    public static let attributeValueLength = 65536
    /// The fence of one directory, in bytes.
    public static let fenceLength = 60 * 1024
    /// The manifest, in bytes.
    public static let manifestLength: UInt64 = 16 << 20
    /// Directories above an entry.
    public static let depth = 4096
}
