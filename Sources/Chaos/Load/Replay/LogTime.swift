// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Document

/// A moment of a log, in the forms that servers write.
struct LogTime: Hashable {
    /// Since 1970-01-01T00:00:00Z.
    private(set) var nanoseconds: Int64
    /// The text had no fraction, so that the moment is known to the second.
    private(set) var isWholeSecond: Bool

    /// A number of seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by its size, or a text.
    init?(_ value: JSONValue) {
        if let text = value.stringValue {
            if let number = Double(text) {
                self.init(number: number, hasFraction: text.contains("."))
            } else {
                self.init(text: text[...])
            }
        } else if let number = value.doubleValue {
            self.init(number: number, hasFraction: value.intValue == nil)
        } else {
            return nil
        }
    }

    /// `10/Oct/2000:13:55:36 -0700`.
    init?(combined text: Substring) {
        let parts = text.split(separator: " ")
        guard parts.count <= 2, let stamp = parts.first else { return nil }
        let fields = stamp.split { $0 == "/" || $0 == ":" }
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        guard fields.count == 6, let month = months.firstIndex(of: String(fields[1])),
            let zone = parts.count == 2 ? Self.zone(parts[1]) : 0
        else { return nil }
        self.init(
            year: Int(fields[2]), month: month + 1, day: Int(fields[0]), hour: Int(fields[3]), minute: Int(fields[4]),
            second: fields[5], zone: zone)
    }

    /// `2024-05-01T12:00:00.123Z`, `2024-05-01 12:00:00+02:00`, or the combined form.
    private init?(text: Substring) {
        if text.contains("/") {
            self.init(combined: text)
            return
        }
        guard let divider = text.firstIndex(where: { $0 == "T" || $0 == "t" || $0 == " " }) else { return nil }
        let date = text[..<divider].split(separator: "-")
        let rest = text[text.index(after: divider)...]
        let end = rest.firstIndex { "Zz+- ".contains($0) } ?? rest.endIndex
        let clock = rest[..<end].split(separator: ":")
        let zoneText = rest[end...].drop { $0 == " " }
        guard date.count == 3, clock.count == 3,
            let zone = zoneText.isEmpty || zoneText.lowercased() == "z" ? 0 : Self.zone(zoneText)
        else { return nil }
        self.init(
            year: Int(date[0]), month: Int(date[1]), day: Int(date[2]), hour: Int(clock[0]), minute: Int(clock[1]),
            second: clock[2], zone: zone)
    }

    private init?(number: Double, hasFraction: Bool) {
        guard number.isFinite, number >= 0, number < 9e18 else { return nil }
        // Seconds reach 1e11 in the year 5138, so what is larger counts smaller parts.
        let unit: Double = number < 1e11 ? 1e9 : number < 1e14 ? 1e6 : number < 1e17 ? 1e3 : 1
        guard number * unit < 9e18 else { return nil }
        nanoseconds = Int64((number * unit).rounded())
        isWholeSecond = unit == 1e9 && !hasFraction
    }

    private init?(year: Int?, month: Int?, day: Int?, hour: Int?, minute: Int?, second: Substring, zone: Int) {
        let parts = second.split(separator: ".", omittingEmptySubsequences: false)
        guard let year, let month, let day, let hour, let minute, let whole = parts.first.flatMap({ Int($0) }),
            (1970...2200).contains(year), (1...12).contains(month), (1...31).contains(day), (0...23).contains(hour),
            (0...59).contains(minute), (0...60).contains(whole), parts.count <= 2
        else { return nil }
        var fraction: Int64 = 0
        if parts.count == 2 {
            guard let digits = Int64((parts[1] + "000000000").prefix(9)) else { return nil }
            fraction = digits
        }
        let seconds = Self.days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + whole - zone
        nanoseconds = Int64(seconds) * 1_000_000_000 + fraction
        isWholeSecond = parts.count == 1
    }

    /// Days since 1970-01-01 (Howard Hinnant's days_from_civil).
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let year = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = year.quotientAndRemainder(dividingBy: 400)
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// `-0700` or `+02:00`, in seconds east of Greenwich.
    private static func zone(_ text: Substring) -> Int? {
        guard let sign = text.first, sign == "+" || sign == "-" else { return nil }
        let digits = text.dropFirst().filter { $0 != ":" }
        guard digits.count == 4, let number = Int(digits) else { return nil }
        return (sign == "-" ? -1 : 1) * (number / 100 * 3600 + number % 100 * 60)
    }

    mutating func subtract(_ duration: Nanoseconds) {
        guard duration > .zero else { return }
        nanoseconds = (Nanoseconds(nanoseconds) - duration).count
        isWholeSecond = false
    }
}
