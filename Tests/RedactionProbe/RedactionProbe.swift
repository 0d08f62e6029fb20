// Scans files for tools/redaction-bench and tools/redaction-quality. It prints kinds and places.

import CapsulePolicy
import Glibc

/// The two programs in one.
@main
enum RedactionProbe {
    static func main() {
        var arguments = CommandLine.arguments.dropFirst()
        switch arguments.popFirst() {
        case "bench": bench(Array(arguments))
        case "scan": scan()
        case "check": check(Array(arguments))
        default: print("usage: RedactionProbe bench FILE... | scan <LIST | check RULES...")
        }
    }

    /// Masks each file several times and prints the best rate.
    private static func bench(_ paths: [String]) {
        let start = now()
        _ = Redactor().scan(Array("start".utf8))
        print("rules ready in \((now() - start) / 1_000_000) ms")
        var (allBytes, allTime) = (0.0, 0.0)
        for path in paths {
            guard let bytes = contents(path) else { continue }
            var best = Double.infinity
            var found = 0
            for _ in 0..<3 {
                let redactor = Redactor()
                let start = now()
                found = redactor.mask(bytes, path: path).findings.count
                best = min(best, Double(now() - start) / 1e9)
            }
            allBytes += Double(bytes.count)
            allTime += best
            report(path, Double(bytes.count), best, found)
        }
        report("all", allBytes, allTime, 0)
    }

    private static func report(_ name: String, _ bytes: Double, _ time: Double, _ found: Int) {
        let rate = (bytes / 1e6 / time * 10).rounded() / 10
        print("\(name): \(rate) MB/s, \(found) findings")
    }

    /// Scans the files whose paths are the lines of standard input.
    private static func scan() {
        while let path = readLine() {
            guard let bytes = contents(path) else { continue }
            for finding in Redactor().scan(bytes, path: path) {
                print(
                    "\(path)\t\(finding.line)\t\(finding.range.lowerBound)"
                        + "\t\(finding.range.upperBound)\t\(finding.kind)\t\(finding.ruleID)")
            }
        }
    }

    /// Says of each rule file what is wrong with it.
    private static func check(_ paths: [String]) {
        for path in paths {
            guard let bytes = contents(path) else { continue }
            do {
                print("\(path): \(try RedactionRules(toml: bytes).ruleIDs.count) rules")
            } catch {
                print("\(path): \(error)")
            }
        }
    }

    private static func contents(_ path: String) -> [UInt8]? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        fseek(file, 0, SEEK_END)
        let size = ftell(file)
        rewind(file)
        return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            count = fread(buffer.baseAddress, 1, size, file)
        }
    }

    private static func now() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }
}
