import CLinux
import CapsuleFormat
import CapsuleSystem
import Glibc

/// Where a file has holes.
enum SparseMap {
    /// The runs of data of an open file with holes; nil for a file without any.
    static func runs(
        of file: borrowing Descriptor, _ status: stat
    ) throws(SystemError) -> [Extent]? {
        let size = UInt64(status.st_size)
        guard UInt64(status.st_blocks) * 512 < size else { return nil }
        let runs = try dataRuns(file, size: size)
        return runs.count == 1 && runs[0].length == size ? nil : runs
    }

    /// The runs of a file that are not holes.
    private static func dataRuns(
        _ file: borrowing Descriptor, size: UInt64
    ) throws(SystemError) -> [Extent] {
        var runs: [Extent] = []
        var position: UInt64 = 0
        while position < size {
            let data = lseek(file.raw, off_t(position), clinux_SEEK_DATA)
            if data < 0 {
                if errno == ENXIO { break }
                if errno == EINVAL || errno == EOPNOTSUPP {
                    return [Extent(fileOffset: 0, length: size, streamOffset: 0)]
                }
                throw SystemError.last("find the data of", "")
            }
            let hole = lseek(file.raw, data, clinux_SEEK_HOLE)
            if hole <= data { break }
            let end = min(UInt64(hole), size)
            runs.append(
                Extent(
                    fileOffset: UInt64(data), length: end - UInt64(data), streamOffset: 0))
            position = end
        }
        return runs
    }
}
