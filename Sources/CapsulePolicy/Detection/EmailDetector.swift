/// Finds mail addresses.
enum EmailDetector {
    /// Ends of file names and units that follow a host name's rules.
    private static let noDomains: Set<String> = [
        "png", "jpg", "jpeg", "gif", "svg", "webp", "ico", "bmp", "css", "scss", "js", "mjs", "jsx",
        "tsx", "json", "html", "htm", "xml", "yml", "yaml", "toml", "txt", "java", "swift", "cpp",
        "service", "socket", "timer", "target", "mount", "slice", "scope", "device", "local_",
        "tgz", "gz", "tar", "zip", "jar", "whl", "dll", "exe", "so", "git", "lock", "log", "conf",
        "x", "ko", "deb", "rpm",
    ]

    private static func isLocal(_ byte: UInt8) -> Bool {
        ASCII.isAlphanumeric(byte) || "._+-'".utf8.contains(byte)
    }

    /// The address around the `@` at `index`.
    static func find(_ text: UnsafeBufferPointer<UInt8>, at index: Int) -> Range<Int>? {
        var start = index
        while start > 0, index - start < 65, isLocal(text[start - 1]) { start -= 1 }
        while start < index, !ASCII.isWord(text[start]) { start += 1 }
        guard start < index, index - start <= 64, text[index - 1] != UInt8(ascii: ".") else {
            return nil
        }
        // The user and the password of a URL, and the remote of a repository, are no mailbox.
        if start >= 3, text[start - 1] == UInt8(ascii: "/"), text[start - 2] == UInt8(ascii: "/"),
            text[start - 3] == UInt8(ascii: ":")
        {
            return nil
        }
        guard let end = domain(text, from: index + 1) else { return nil }
        let local = UnsafeBufferPointer(rebasing: text[start..<index])
        if end < text.count, text[end] == UInt8(ascii: ":"), end + 1 < text.count,
            ASCII.isLetter(text[end + 1]), local.elementsEqual("git".utf8)
        {
            return nil
        }
        return start..<end
    }

    /// The end of a host name with a top-level domain that begins at `start`.
    private static func domain(_ text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
        var end = start
        let last = min(text.count, start + 254)
        while end < last {
            let byte = text[end]
            guard ASCII.isAlphanumeric(byte) || byte == 45 || byte == 46 else { break }
            end += 1
        }
        // A sentence's full stop or a dash after the name.
        while end > start, !ASCII.isAlphanumeric(text[end - 1]) { end -= 1 }
        guard end < last || last == text.count, end > start, ASCII.isAlphanumeric(text[start])
        else { return nil }
        if end < text.count, ASCII.isWord(text[end]) || text[end] == UInt8(ascii: "@") {
            return nil
        }
        // What follows may be the suffix of a file: the labels before it are looked at, too.
        while true {
            var top = end
            while top > start, text[top - 1] != 46 { top -= 1 }
            let name = UnsafeBufferPointer(rebasing: text[top..<end])
            guard top > start + 1, (2...18).contains(name.count), name.allSatisfy(ASCII.isLetter),
                text[top - 2] != 46
            else { return nil }
            let word = String(decoding: name.map(ASCII.lowercased), as: UTF8.self)
            if !noDomains.contains(word) { return end }
            end = top - 1
            // Only after a whole domain: `logo@2x.png` and `user@host.service` have none.
            guard text[start..<end].contains(46) else { return nil }
        }
    }
}
