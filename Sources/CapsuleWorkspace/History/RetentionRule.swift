import CapsuleSystem
import Glibc

/// Which of the states without a name of their own stay: the newest of each of the last so many
/// hours, days and so on in which there is one, as restic's `forget --keep-*` counts.
public struct RetentionRule: Equatable, Sendable {
    /// The newest ones.
    public var last: Int64 = 4
    /// Hours.
    public var hourly: Int64 = 24
    /// Days.
    public var daily: Int64 = 30
    /// Weeks, which begin on Monday (ISO 8601).
    public var weekly: Int64 = 0
    /// Months.
    public var monthly: Int64 = 0
    /// Years.
    public var yearly: Int64 = 0
    /// Tags whose states all stay.
    public var tags: [String] = []

    /// The rule of a new workspace: hourly for a day, daily for a month.
    public init() {}

    /// The names under which the numbers are kept, each with its place.
    static var fields: [(name: String, field: WritableKeyPath<RetentionRule, Int64>)] {
        [
            ("keep_last", \.last), ("keep_hourly", \.hourly), ("keep_daily", \.daily),
            ("keep_weekly", \.weekly), ("keep_monthly", \.monthly), ("keep_yearly", \.yearly),
        ]
    }

    private static let secondsPerDay: Int64 = 86400

    /// The numbers of the periods that a moment lies in: hour, day, week, month, year, in UTC.
    private static func periods(_ seconds: Int64) -> [Int64] {
        var time = time_t(seconds)
        var fields = tm()
        gmtime_r(&time, &fields)
        let day = seconds / secondsPerDay
        let year = Int64(fields.tm_year)
        // The first day of 1970 was a Thursday.
        return [seconds / 3600, day, (day + 3) / 7, year * 12 + Int64(fields.tm_mon), year]
    }

    /// The states that the rule does not keep. Those with a name of their own it leaves alone.
    public func expired(_ states: [WorkspaceState]) -> [WorkspaceState] {
        let limits = [hourly, daily, weekly, monthly, yearly]
        var kept = [Int64](repeating: 0, count: limits.count)
        var newest = [Int64?](repeating: nil, count: limits.count)
        var count: Int64 = 0
        var expired: [WorkspaceState] = []
        for state in states.reversed() where state.kind != .named {
            var stays = count < last || (!state.tag.isEmpty && tags.contains(state.tag))
            count += 1
            for (index, period) in Self.periods(state.seconds).enumerated()
            where newest[index] != period {
                newest[index] = period
                if kept[index] < limits[index] {
                    kept[index] += 1
                    stays = true
                }
            }
            if !stays { expired.append(state) }
        }
        return expired
    }
}
