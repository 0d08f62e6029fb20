/// A stream of sealed blocks. Each has its own key and its own hash tree.
public struct StreamID: RawRepresentable, Hashable, Sendable {
    /// The number in the file.
    public let rawValue: UInt16

    /// A value from its number in the file.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// The contents of all files, in the order of the directory walk.
    public static let content = StreamID(rawValue: 1)
    /// Directory entries, extents, link targets, extended attributes.
    public static let index = StreamID(rawValue: 2)
    /// The manifest: canonical JSON.
    public static let manifest = StreamID(rawValue: 3)

    /// The purpose string of the stream's key, and its name for people.
    public var name: String {
        switch self {
        case .content: "content"
        case .index: "index"
        case .manifest: "manifest"
        default: "reserved-\(rawValue)"
        }
    }
}
