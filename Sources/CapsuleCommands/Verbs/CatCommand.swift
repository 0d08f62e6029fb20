import ArgumentParser
import CapsuleAccess
import CapsuleFormat
import Glibc

/// `capsule cat`.
struct CatCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cat", abstract: "Print files of a capsule.",
        discussion: "See capsule-cat(1).")

    @Argument(help: "The capsule.") var file: String
    @Argument(help: "Paths of files in it.") var paths: [String]
    @Flag(name: .long, help: "Of a Memvid file, also show what is only in its log.")
    var recover = false
    @OptionGroup var session: SessionOptions
    @OptionGroup var place: WorkspaceOptions

    func run() throws {
        let tree = try session.openTree(file, recoversLog: recover, of: place).tree
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
        defer { buffer.deallocate() }
        for text in paths {
            do {
                let entry = try regularFile(tree, text)
                var offset: UInt64 = 0
                while offset < entry.size {
                    let count = try tree.read(entry, at: offset, into: buffer)
                    try Output.bytes(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                    offset += UInt64(count)
                }
            } catch let error as FormatError {
                throw AccessError(error, path: "\(file): \(text)")
            }
        }
    }

    private func regularFile(_ tree: any ReadableTree, _ text: String) throws -> Entry {
        guard let found = try tree.resolve(try CapsulePath.components(text)) else {
            throw AccessError(.usage, code: "not_found", "\(file): there is no '\(text)' in it")
        }
        let inode = try tree.inode(of: found.entry, found.ordinal)
        guard inode.entry.isRegular else {
            throw AccessError(
                .usage, code: "not_a_file", "\(file): '\(text)' is not a regular file")
        }
        return inode.entry
    }
}
