/// Texts by key, in the order of the keys' bytes.
///
/// Not a dictionary of strings: two of those are equal in Swift when they only differ in how they
/// compose their characters, and Memvid keeps both.
public struct TextMap: Equatable, Sendable {
    /// One entry.
    public struct Entry: Equatable, Sendable {
        /// The key.
        public let key: String
        /// The text.
        public var value: String

        /// By bytes.
        public static func == (first: Entry, second: Entry) -> Bool {
            first.key.utf8.elementsEqual(second.key.utf8)
                && first.value.utf8.elementsEqual(second.value.utf8)
        }
    }

    /// The entries, by key.
    public private(set) var entries: [Entry] = []

    /// Without entries.
    public init() {}

    /// Whether there are none.
    public var isEmpty: Bool { entries.isEmpty }

    /// The place of a key, or where it belongs.
    private func place(of key: String) -> (index: Int, isThere: Bool) {
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].key.utf8.lexicographicallyPrecedes(key.utf8) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        let isThere = low < entries.count && entries[low].key.utf8.elementsEqual(key.utf8)
        return (low, isThere)
    }

    /// The text of a key; nil takes it out.
    public subscript(key: String) -> String? {
        get {
            let place = place(of: key)
            return place.isThere ? entries[place.index].value : nil
        }
        set {
            let place = place(of: key)
            switch (newValue, place.isThere) {
            case (let value?, true): entries[place.index].value = value
            case (let value?, false):
                entries.insert(Entry(key: key, value: value), at: place.index)
            case (nil, true): entries.remove(at: place.index)
            case (nil, false): break
            }
        }
    }
}
