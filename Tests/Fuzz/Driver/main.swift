// The fuzz targets as a program: libFuzzer's main loop around the target that FUZZ_TARGET names.
//
// With `--targets` it prints the names; with `--seeds DIR` it writes the target's seeds there.

import Glibc

/// Says something on standard error.
private func tell(_ message: String) {
    let text = Array("\(message)\n".utf8)
    _ = write(STDERR_FILENO, text, text.count)
}

private func stop(_ message: String) -> Never {
    tell(message)
    exit(1)
}

/// As compiler-rt's fuzzer library declares it.
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

/// The target, looked up once: it is asked for at every input.
private enum Chosen {
    static let target: FuzzTarget = {
        let name = getenv("FUZZ_TARGET").map { String(cString: $0) } ?? ""
        guard let target = FuzzTarget.all.first(where: { $0.name == name }) else {
            stop("FUZZ_TARGET names no target: '\(name)'")
        }
        return target
    }()
}

private func writeSeeds(to directory: String) throws {
    for (number, seed) in try Chosen.target.seeds().enumerated() {
        guard let file = fopen("\(directory)/seed-\(number)", "w"),
            fwrite(seed, 1, seed.count, file) == seed.count, fclose(file) == 0
        else { stop("cannot write the seeds to \(directory)") }
    }
}

let words = CommandLine.arguments
if words.contains("--targets") {
    for target in FuzzTarget.all { print(target.name) }
    exit(0)
}
if words.count == 3, words[1] == "--seeds" {
    try writeSeeds(to: words[2])
    exit(0)
}
var count = CommandLine.argc
var arguments = CommandLine.unsafeArgv
exit(
    runDriver(&count, &arguments) { bytes, count in
        do throws(Finding) {
            try Chosen.target.run([UInt8](UnsafeBufferPointer(start: bytes, count: count)))
        } catch {
            tell("broken rule: \(error)")
            abort()
        }
        return 0
    })
