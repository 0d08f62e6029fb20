// The kept inputs of the fuzz targets, and the seeds, through the same functions as tools/fuzz.

import FoundationEssentials
import Testing

@Suite("Kept inputs of the fuzz targets")
struct ReplayTests {
    private static let corpus = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Corpus")

    private static func names(_ directory: URL) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted()
    }

    @Test("no input breaks a rule", arguments: FuzzTarget.all)
    func replay(target: FuzzTarget) throws {
        for (number, seed) in ([[]] + (try target.seeds())).enumerated() {
            #expect(throws: Never.self, "seed \(number)") { try target.run(seed) }
        }
        let directory = Self.corpus.appending(path: target.name)
        // A folder that git has nothing to keep in does not exist.
        for name in (try? Self.names(directory)) ?? [] {
            let input = try [UInt8](Data(contentsOf: directory.appending(path: name)))
            #expect(throws: Never.self, "\(target.name)/\(name)") { try target.run(input) }
        }
    }

    @Test("each folder of kept inputs has its target")
    func folders() throws {
        let folders = try Self.names(Self.corpus)
        #expect(!folders.isEmpty && Set(folders).isSubset(of: FuzzTarget.all.map(\.name)))
    }
}
