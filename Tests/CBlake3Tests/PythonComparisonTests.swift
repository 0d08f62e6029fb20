// Comparison of CBlake3 with PyPI's blake3 package, for lengths and modes beyond the vectors.

import CBlake3
import Testing

extension Blake3Tests {
    @Test(
        "agrees with PyPI's blake3",
        .enabled(if: PythonBlake3.isAvailable, "the Python package blake3 is not importable"),
        arguments: Kernel.supported)
    func agreesWithPackage(kernel: Kernel) throws {
        let lengths = [
            0, 1, 1023, 1024, 1025, 16_384, 32_768, 32_784, 32_800, 65_536, 131_072,
            199_999, 1 << 20, (1 << 20) + 16,
        ]
        let program = """
            from blake3 import blake3
            key = b"\(Mode.key)"
            context = "\(Mode.context)"
            for length in \(lengths):
                data = (bytes(range(251)) * (length // 251 + 1))[:length]
                print(blake3(data).hexdigest(100))
                print(blake3(data, key=key).hexdigest(100))
                print(blake3(data, derive_key_context=context).hexdigest(100))
            """
        let expected = try PythonBlake3.run(program).get().split(separator: "\n").map(String.init)
        var found: [String] = []
        kernel.use {
            for length in lengths {
                patternedInput(length).withUnsafeBytes { input in
                    for mode in Mode.allCases {
                        found.append(
                            hexadecimal(
                                hashed(input, prefix: length, mode: mode, outputLength: 100)))
                    }
                }
            }
        }
        #expect(found == expected)
    }
}
