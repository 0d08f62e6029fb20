import Glibc

/// A moment in UTC, as texts.
public struct Timestamp {
    private let fields: tm

    /// A moment in seconds since 1970.
    public init(seconds: Int64) {
        var time = time_t(seconds)
        var fields = tm()
        gmtime_r(&time, &fields)
        self.fields = fields
    }

    /// The present moment.
    public static var now: Timestamp { Timestamp(seconds: Environment.wallClock().seconds) }

    private func padded(_ number: Int32, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    private var date: [String] {
        [
            padded(fields.tm_year + 1900, 4), padded(fields.tm_mon + 1, 2),
            padded(fields.tm_mday, 2),
        ]
    }

    private var time: [String] {
        [padded(fields.tm_hour, 2), padded(fields.tm_min, 2), padded(fields.tm_sec, 2)]
    }

    /// `YYYY-MM-DDTHH:MM:SSZ` (RFC 3339).
    public var rfc3339: String {
        date.joined(separator: "-") + "T" + time.joined(separator: ":") + "Z"
    }

    /// `YYYY-MM-DD HH:MM`.
    public var short: String {
        date.joined(separator: "-") + " " + time[..<2].joined(separator: ":")
    }

    /// `YYYYMMDDHHMMSS`.
    public var compact: String { (date + time).joined() }
}
