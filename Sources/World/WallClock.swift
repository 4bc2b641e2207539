// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

/// The date as people know it. It may jump; intervals are measured on `eventLoop.now` instead.
package protocol WallClock: Sendable {
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    var nanosecondsSinceEpoch: Int64 { get }
}

extension WallClock {
    /// Whole seconds since 1970-01-01T00:00:00Z.
    package var secondsSinceEpoch: Int64 { nanosecondsSinceEpoch / 1_000_000_000 }
}

/// A moment of the proleptic Gregorian calendar in UTC.
package struct CivilTime: Hashable, Sendable {
    package var year, month, day, hour, minute, second: Int
    /// 0 is Sunday.
    package var weekday: Int

    /// - Parameter secondsSinceEpoch: seconds since 1970-01-01T00:00:00Z, also negative.
    package init(secondsSinceEpoch seconds: Int64) {
        var (days, rest) = Int(seconds).quotientAndRemainder(dividingBy: 86_400)
        if rest < 0 { (days, rest) = (days - 1, rest + 86_400) }
        (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60)
        weekday = ((days + 4) % 7 + 7) % 7
        // Days are counted from 0000-03-01, so that the leap day ends a year (Howard Hinnant's civil_from_days).
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// As HTTP writes dates (RFC 9110 section 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`.
    package var httpDate: String {
        let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        return "\(weekdays[weekday]), \(twoDigits(day)) \(months[month - 1]) \(fourDigits(year)) "
            + "\(twoDigits(hour)):\(twoDigits(minute)):\(twoDigits(second)) GMT"
    }

    /// As logs write dates (RFC 3339): `1994-11-06T08:49:37Z`.
    package var rfc3339: String {
        "\(fourDigits(year))-\(twoDigits(month))-\(twoDigits(day))"
            + "T\(twoDigits(hour)):\(twoDigits(minute)):\(twoDigits(second))Z"
    }

    private func twoDigits(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }

    private func fourDigits(_ year: Int) -> String {
        let digits = String(year.magnitude)
        return (year < 0 ? "-" : "") + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
