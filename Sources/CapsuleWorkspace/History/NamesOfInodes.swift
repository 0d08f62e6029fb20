import CapsuleStore
import Glibc

/// Paths of inodes in one state after another. To find a name takes a look at every entry, so
/// it is first looked for where it was in the state before.
struct NamesOfInodes {
    private var known: [UInt64: (parent: UInt64, name: [UInt8])] = [:]

    /// A path of an inode, from the root; nil where it has no name there.
    mutating func path(
        of number: UInt64, in tables: StateTables
    ) throws(StoreError) -> [UInt8]? {
        var path: [UInt8] = []
        var number = number
        // No path has more parts; parents that went in a circle would be damage.
        for _ in 0..<Int(PATH_MAX) where number != Inode.root {
            guard let place = try place(of: number, in: tables) else { return nil }
            path = place.name + (path.isEmpty ? [] : [UInt8(ascii: "/")] + path)
            number = place.parent
        }
        return number == Inode.root ? path : nil
    }

    private mutating func place(
        of number: UInt64, in tables: StateTables
    ) throws(StoreError) -> (parent: UInt64, name: [UInt8])? {
        if let place = known[number],
            try tables.child(place.name, of: place.parent) == number
        {
            return place
        }
        known[number] = try tables.name(of: number)
        return known[number]
    }
}
