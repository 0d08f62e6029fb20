import CapsuleSystem

/// The files of a workspace beside its database and its segments whose bytes are known.
struct KnownFiles: Sendable {
    private let directory: any StorageDirectory
    private let reportHead: @Sendable () -> [UInt8]

    /// Those in the workspace's directory; `reportHead` is what the spool of reports begins with,
    /// which takes a multiplication on a curve that no open has to wait for.
    init(
        _ directory: any StorageDirectory, reportHead: @escaping @Sendable () -> [UInt8]
    ) {
        self.directory = directory
        self.reportHead = reportHead
    }

    /// What is wrong with them. One that is not there is made by the next open for writing.
    func faults() -> [WorkspaceFault] {
        var faults: [WorkspaceFault] = []
        let reportHead = reportHead()
        if let head = contents(of: ReportSpool.fileName, prefix: reportHead.count),
            head != reportHead
        {
            faults.append(
                WorkspaceFault(
                    .files,
                    "the head of \(ReportSpool.fileName), to which those report who have no "
                        + "secret, is damaged: the next open for writing makes it anew",
                    of: ReportSpool.fileName))
        }
        if let spare = contents(of: Reserve.fileName, prefix: Reserve.length + 1),
            spare != [UInt8](repeating: 0, count: Reserve.length)
        {
            faults.append(
                WorkspaceFault(
                    .files,
                    "\(Reserve.fileName), which only keeps space free, is not as it was made: "
                        + "remove it, and the next open for writing makes it anew",
                    of: Reserve.fileName))
        }
        return faults
    }

    /// The first `count` bytes of a file, or all; nil where it is not there or cannot be read.
    private func contents(of name: String, prefix count: Int) -> [UInt8]? {
        guard let file = try? directory.open(name, isWritable: false),
            let length = try? file.length()
        else { return nil }
        return try? file.bytes(min(count, Int(clamping: length)), at: 0)
    }
}
