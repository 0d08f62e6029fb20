/// Entries with names, in directories; 0 is the root.
public protocol NamedTree: AnyObject, Sendable {
    /// The entry of an ordinal.
    func entry(_ ordinal: Ordinal) throws(FormatError) -> Entry

    /// The entry and the name of an ordinal.
    func namedEntry(_ ordinal: Ordinal) throws(FormatError) -> (entry: Entry, name: [UInt8])

    /// The entry of a name in a directory, or nil.
    func lookup(
        _ name: UnsafeRawBufferPointer, in directory: Ordinal, _ record: Entry
    ) throws(FormatError) -> (ordinal: Ordinal, entry: Entry)?
}

extension NamedTree {
    /// The ordinal and entry at a path of names, from the root. Nil where nothing is.
    public func resolve(
        _ components: [[UInt8]]
    ) throws(FormatError) -> (ordinal: Ordinal, entry: Entry)? {
        guard components.count <= Limits.depth + 1 else {
            throw FormatError(
                .limitExceeded, "a path leads deeper than \(Limits.depth) directories")
        }
        var (ordinal, entry) = (Ordinal(0), try entry(0))
        for component in components {
            guard entry.isDirectory else { return nil }
            var found: (ordinal: Ordinal, entry: Entry)?
            var failure: FormatError?
            component.withUnsafeBytes { name in
                do throws(FormatError) {
                    found = try lookup(name, in: ordinal, entry)
                } catch {
                    failure = error
                }
            }
            if let failure { throw failure }
            guard let found else { return nil }
            (ordinal, entry) = (found.ordinal, found.entry)
        }
        return (ordinal, entry)
    }

    /// The path of an entry from the root, without a leading slash.
    public func path(of ordinal: Ordinal) throws(FormatError) -> [UInt8] {
        var components: [[UInt8]] = []
        var current = ordinal
        // A directory may lie as deep as the limit, and other things in it.
        let countMax = try entry(ordinal).isDirectory ? Limits.depth : Limits.depth + 1
        while current != 0 {
            guard components.count < countMax else {
                throw .damaged("entry \(ordinal) of the index lies too deep")
            }
            let (entry, name) = try namedEntry(current)
            components.append(name)
            current = entry.parent
        }
        return Array(components.reversed().joined(separator: [UInt8(ascii: "/")]))
    }
}
