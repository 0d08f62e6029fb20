import CapsuleBytes
import CapsuleCrypto

/// What doctor asks beyond reading.
extension MemvidFile {
    /// What the log holds.
    public struct LogReport: Sendable {
        /// Records that the table of contents does not contain.
        public var pendingCount = 0
        /// What is wrong with it: any of these keeps Memvid from opening the file.
        public var faults: [MemvidError] = []
    }

    /// Reads the whole log and checks every record.
    public func examineLog() -> LogReport {
        var report = LogReport()
        do throws(MemvidError) {
            let log = try MemvidLog(source, header)
            report.pendingCount = log.pending(header).count
            if let fault = log.fault { report.faults.append(fault) }
            for record in log.records {
                do throws(MemvidError) {
                    let payload = try MemvidLog.payload(record, source)
                    if record.sequence > header.logSequence {
                        _ = try LogEntry(payload, at: record.range.lowerBound)
                    }
                } catch {
                    report.faults.append(error)
                }
            }
        } catch {
            report.faults.append(error)
        }
        return report
    }

    /// Regions whose bytes do not fit their checksums. Undamaged files have some: Memvid overwrites
    /// old indexes and keeps naming them.
    public func staleRegions() -> [TableOfContents.Region] {
        table.regions.filter { region in
            guard let end = region.offset.checkedAdding(region.length), end <= length else {
                return true
            }
            let reader = BincodeReader(source, range: region.offset..<end, hashesAll: true)
            return (try? reader.finish()) != region.checksum
        }
    }
}
