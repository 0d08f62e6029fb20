// Tests of CBlake3 against the official vectors, of the kernels against each other, and of updates
// in pieces. They choose kernels for the whole process, hence run one after the other.

import CBlake3
import FoundationEssentials
import Testing

@Suite("BLAKE3", .serialized)
struct Blake3Tests {
    struct Vectors: Decodable {
        struct Case: Decodable {
            let input_len: Int
            let hash: String
            let keyed_hash: String
            let derive_key: String

            func expected(_ mode: Mode) -> String {
                switch mode {
                case .hash: hash
                case .keyedHash: keyed_hash
                case .deriveKey: derive_key
                }
            }
        }

        let key: String
        let context_string: String
        let cases: [Case]

        static func load() throws -> Vectors {
            let folder = #filePath.split(separator: "/").dropLast().joined(separator: "/")
            let file = URL(filePath: "/\(folder)/Vectors/test_vectors.json")
            return try JSONDecoder().decode(Vectors.self, from: Data(contentsOf: file))
        }
    }

    @Test("official vectors", arguments: Kernel.supported, Mode.allCases)
    func officialVectors(kernel: Kernel, mode: Mode) throws {
        let vectors = try Vectors.load()
        #expect(vectors.cases.count == 35)
        #expect(vectors.key == Mode.key && vectors.context_string == Mode.context)
        kernel.use {
            for vector in vectors.cases {
                let expected = vector.expected(mode)
                patternedInput(vector.input_len).withUnsafeBytes { input in
                    let long = hashed(
                        input, prefix: input.count, mode: mode, outputLength: expected.count / 2)
                    #expect(hexadecimal(long) == expected, "length \(input.count)")
                    let usual = hashed(input, prefix: input.count, mode: mode)
                    #expect(usual == Array(long.prefix(32)), "length \(input.count)")
                }
            }
        }
    }

    /// Every length up to four chunks, and those around the widths of the kernels.
    static let comparedLengths: [Int] = {
        var lengths = Array(0...(4 * 1024 + 1))
        let chunkCounts = [
            5, 6, 7, 8, 9, 12, 15, 16, 17, 20, 24, 31, 32, 33, 48, 63, 64, 65, 255, 256, 257,
        ]
        for chunks in chunkCounts {
            for extra in [-65, -64, -1, 0, 1, 16, 63, 64, 65, 512] {
                lengths.append(chunks * 1024 + extra)
            }
        }
        return lengths
    }()

    @Test("kernels agree with the portable one")
    func kernelsAgree() {
        var generator = SeededGenerator(state: 1)
        let bytes = (0..<(258 * 1024)).map { _ in UInt8.random(in: 0...255, using: &generator) }
        bytes.withUnsafeBytes { input in
            let expected = Kernel.portable.use {
                Self.comparedLengths.map { hashed(input, prefix: $0) }
            }
            for kernel in Kernel.supported where kernel.number != Kernel.portable.number {
                let found = kernel.use {
                    Self.comparedLengths.map { hashed(input, prefix: $0) }
                }
                for (index, length) in Self.comparedLengths.enumerated()
                where found[index] != expected[index] {
                    Issue.record("\(kernel.name) differs at length \(length)")
                }
            }
        }
    }

    @Test("input in pieces", arguments: Kernel.supported)
    func pieces(kernel: Kernel) {
        var generator = SeededGenerator(state: 2)
        let bytes = (0..<(1 << 20)).map { _ in UInt8.random(in: 0...255, using: &generator) }
        bytes.withUnsafeBytes { input in
            for round in 0..<24 {
                // Lengths and pieces of all sizes alike: the bound itself is drawn at random.
                let length = Int.random(
                    in: 0...(1 << Int.random(in: 4...20, using: &generator)),
                    using: &generator)
                let longestPiece = 1 << Int.random(in: 3...18, using: &generator)
                let expected = Kernel.portable.use { hashed(input, prefix: length) }
                kernel.use {
                    var hasher = Mode.hash.makeHasher()
                    var start = 0
                    while start < length {
                        let piece = Swift.min(
                            length - start, Int.random(in: 0...longestPiece, using: &generator))
                        cblake3_update(&hasher, input.baseAddress! + start, piece)
                        start += piece
                    }
                    #expect(output(of: hasher) == expected, "round \(round), length \(length)")
                }
            }
        }
    }

    @Test("a large block and a short suffix", arguments: Kernel.supported)
    func largeBlockThenSuffix(kernel: Kernel) {
        patternedInput(300 * 1024).withUnsafeBytes { input in
            for first in [1008, 1024, 2048, 3072, 4096, 32_768, 32_784, 65_536, 131_072, 262_144] {
                for suffix in [1, 16, 64, 1024, 1040, 2048, 32_784] {
                    let expected = Kernel.portable.use { hashed(input, prefix: first + suffix) }
                    kernel.use {
                        var hasher = Mode.hash.makeHasher()
                        cblake3_update(&hasher, input.baseAddress, first)
                        cblake3_update(&hasher, input.baseAddress! + first, suffix)
                        #expect(output(of: hasher) == expected, "\(first) and \(suffix)")
                    }
                }
            }
        }
    }

    /// Sets the private counter as 4 TiB of input would, which no test has the time to hash.
    @Test("chunk counters around 32 bits", arguments: Kernel.supported)
    func largeCounters(kernel: Kernel) {
        let input = patternedInput(64 * 1024 + 16)
        for before: UInt64 in [(1 << 32) - 256, (1 << 32) - 16, (1 << 32) - 1, 1 << 32, 1 << 53] {
            func end() -> [UInt8] {
                var hasher = Mode.hash.makeHasher()
                hasher.chunk_count = before
                cblake3_update(&hasher, input, input.count)
                return output(of: hasher)
            }
            let found = kernel.use(end)
            #expect(found == Kernel.portable.use(end), "from chunk \(before)")
        }
    }

    @Test("input at any address", arguments: Kernel.supported)
    func unalignedInput(kernel: Kernel) {
        let length = 33 * 1024 + 7
        let plain = patternedInput(length)
        let expected = Kernel.portable.use { plain.withUnsafeBytes { hashed($0, prefix: length) } }
        kernel.use {
            for offset in 1..<8 {
                let shifted = [UInt8](repeating: 0, count: offset) + plain
                let found = shifted.withUnsafeBytes {
                    hashed(UnsafeRawBufferPointer(rebasing: $0[offset...]), prefix: length)
                }
                #expect(found == expected, "offset \(offset)")
            }
        }
    }

    @Test("the output does not end the hash, and a copy goes its own way")
    func outputAndCopies() {
        let input = patternedInput(5000)
        var hasher = Mode.keyedHash.makeHasher()
        cblake3_update(&hasher, nil, 0)
        cblake3_update(&hasher, input, 3000)
        var copy = hasher
        let early = output(of: hasher)
        #expect(output(of: hasher) == early)
        input.withUnsafeBytes { bytes in
            cblake3_update(&hasher, bytes.baseAddress! + 3000, 2000)
            #expect(output(of: hasher) == hashed(bytes, prefix: 5000, mode: .keyedHash))
            #expect(output(of: copy) == hashed(bytes, prefix: 3000, mode: .keyedHash))
            cblake3_update(&copy, bytes.baseAddress! + 3000, 2000)
            #expect(output(of: copy) == output(of: hasher))
        }
    }

    @Test("shorter outputs are prefixes of longer ones")
    func outputLengths() {
        for length in [0, 1, 64, 1024, 1025, 4096] {
            patternedInput(length).withUnsafeBytes { input in
                let long = hashed(input, prefix: length, outputLength: 1000)
                for outputLength in [0, 1, 31, 32, 33, 63, 64, 65, 128, 999] {
                    let short = hashed(input, prefix: length, outputLength: outputLength)
                    #expect(short == Array(long.prefix(outputLength)))
                }
            }
        }
    }

    @Test("the choice of kernels")
    func kernelChoice() {
        #expect(cblake3_kernel_supported(Kernel.portable.number) == 1)
        for kernel in Kernel.supported {
            kernel.use { #expect(cblake3_kernel_selected() == kernel.number) }
        }
        let before = cblake3_kernel_selected()
        for unknown: CInt in [-1, CInt(CBLAKE3_KERNEL_COUNT), 1000] {
            #expect(cblake3_kernel_supported(unknown) == 0)
            #expect(cblake3_select_kernel(unknown) == 0)
            #expect(String(cString: cblake3_kernel_name(unknown)) == "unknown")
        }
        #expect(cblake3_kernel_selected() == before)
    }
}
