// Parsers of untrusted bytes, each with the rules that hold whatever the bytes are.

/// A rule that an input broke.
struct Finding: Error, CustomStringConvertible {
    let description: String
}

/// Throws a `Finding` where `rule` does not hold.
func require(_ isKept: Bool, _ rule: @autoclosure () -> String) throws(Finding) {
    if !isKept { throw Finding(description: rule()) }
}

/// One parser: what it is fed with, and inputs from which to begin.
///
/// Where a checksum, a hash or a MAC stands before a parser, the target puts a right one there:
/// whoever seals a capsule can do so too. The input is what that sealer chooses.
struct FuzzTarget: Sendable, CustomStringConvertible {
    /// The name at the command line, and of the folder of kept inputs.
    let name: String
    /// Inputs as an honest writer makes them, and some that are nearly so.
    let seeds: @Sendable () throws -> [[UInt8]]
    /// Parses an input and uses everything that was parsed.
    let run: @Sendable ([UInt8]) throws(Finding) -> Void

    var description: String { name }

    init(
        _ name: String, _ run: @escaping @Sendable ([UInt8]) throws(Finding) -> Void,
        seeds: @escaping @Sendable () throws -> [[UInt8]]
    ) {
        (self.name, self.run, self.seeds) = (name, run, seeds)
    }

    /// All targets, those that need no key first.
    static let all: [FuzzTarget] =
        ClearParts.targets + Signatures.targets + HashTree.targets + IndexParts.targets
        + Sections.targets + Texts.targets + KeyTexts.targets + Memvid.targets + Policies.targets
        + Records.targets
}

/// Takes numbers and pieces off the front of an input; behind its end there are zeros.
struct FuzzInput {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    var isEmpty: Bool { rest.isEmpty }

    /// The next little-endian number.
    mutating func number<T: FixedWidthInteger>(_ type: T.Type = T.self) -> T {
        let part = rest.prefix(T.bitWidth / 8)
        rest = rest.dropFirst(part.count)
        return part.reversed().reduce(0) { $0 << 8 | T(truncatingIfNeeded: $1) }
    }

    /// The next bytes, fewer at the end.
    mutating func bytes(_ count: Int) -> [UInt8] {
        let part = Array(rest.prefix(count))
        rest = rest.dropFirst(count)
        return part
    }

    /// A length of two bytes and as many bytes.
    mutating func piece() -> [UInt8] { bytes(Int(number(UInt16.self))) }

    /// Everything that is left.
    mutating func remainder() -> [UInt8] { bytes(rest.count) }
}

extension [UInt8] {
    /// Cut off, or filled with zeros, to a length.
    func fitted(to length: Int) -> [UInt8] {
        prefix(length) + [UInt8](repeating: 0, count: Swift.max(0, length - count))
    }

    /// A little-endian number; zero behind the end.
    func number<T: FixedWidthInteger>(at offset: Int, _ type: T.Type = T.self) -> T {
        var input = FuzzInput(Array(dropFirst(offset)))
        return input.number()
    }

    /// A piece as `FuzzInput.piece` takes it.
    var asPiece: [UInt8] {
        [UInt8(truncatingIfNeeded: count), UInt8(truncatingIfNeeded: count >> 8)] + self
    }
}
