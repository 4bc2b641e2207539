// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

import Testing
import World

@Suite struct CivilTimeTests {
    @Test(arguments: [
        // Seconds since 1970, as HTTP and as logs write them. Checked with `date -u -d @N`.
        (0, "Thu, 01 Jan 1970 00:00:00 GMT", "1970-01-01T00:00:00Z"),
        (-1, "Wed, 31 Dec 1969 23:59:59 GMT", "1969-12-31T23:59:59Z"),
        (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z"),
        (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT", "2000-02-29T00:00:00Z"),
        (951_868_799, "Tue, 29 Feb 2000 23:59:59 GMT", "2000-02-29T23:59:59Z"),
        (951_868_800, "Wed, 01 Mar 2000 00:00:00 GMT", "2000-03-01T00:00:00Z"),
        (1_709_164_800, "Thu, 29 Feb 2024 00:00:00 GMT", "2024-02-29T00:00:00Z"),
        (1_735_689_599, "Tue, 31 Dec 2024 23:59:59 GMT", "2024-12-31T23:59:59Z"),
        (2_147_483_648, "Tue, 19 Jan 2038 03:14:08 GMT", "2038-01-19T03:14:08Z"),
        (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT", "2100-03-01T00:00:00Z"),
        (-2_208_988_800, "Mon, 01 Jan 1900 00:00:00 GMT", "1900-01-01T00:00:00Z"),
        (-2_203_891_201, "Wed, 28 Feb 1900 23:59:59 GMT", "1900-02-28T23:59:59Z"),
        (-2_203_891_200, "Thu, 01 Mar 1900 00:00:00 GMT", "1900-03-01T00:00:00Z"),
        (-12_219_292_800, "Fri, 15 Oct 1582 00:00:00 GMT", "1582-10-15T00:00:00Z"),
        (-62_135_596_800, "Mon, 01 Jan 0001 00:00:00 GMT", "0001-01-01T00:00:00Z"),
        (-62_135_596_801, "Sun, 31 Dec 0000 23:59:59 GMT", "0000-12-31T23:59:59Z"),
        (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT", "9999-12-31T23:59:59Z"),
    ])
    func `a moment is written as its date`(seconds: Int64, http: String, log: String) {
        let time = CivilTime(secondsSinceEpoch: seconds)
        #expect(time.httpDate == http)
        #expect(time.rfc3339 == log)
    }

    @Test func `days follow one another for 1600 years`() {
        var before = CivilTime(secondsSinceEpoch: -800 * 365 * 86_400)
        for day in (-800 * 365 + 1)...(800 * 365) {
            let time = CivilTime(secondsSinceEpoch: Int64(day) * 86_400)
            #expect(time.weekday == (before.weekday + 1) % 7)
            let isNextDay = time.day == before.day + 1 && time.month == before.month && time.year == before.year
            let isNextMonth = time.day == 1 && time.month == before.month + 1 && time.year == before.year
            let isNextYear = time.day == 1 && time.month == 1 && before.month == 12 && time.year == before.year + 1
            guard isNextDay || isNextMonth || isNextYear else {
                Issue.record("\(before) is followed by \(time)")
                return
            }
            before = time
        }
    }

    @Test(arguments: [Int64.min, .max, -(1 << 53) - 1, 1 << 53])
    func `no moment traps`(seconds: Int64) {
        let time = CivilTime(secondsSinceEpoch: seconds)
        #expect((0..<24).contains(time.hour) && (0..<60).contains(time.minute) && (0..<60).contains(time.second))
        #expect((1...12).contains(time.month) && (1...31).contains(time.day) && (0..<7).contains(time.weekday))
    }

    @Test func `the system's date is a date of our time`() {
        let year = CivilTime(secondsSinceEpoch: RealWallClock().secondsSinceEpoch).year
        #expect((2024..<2200).contains(year))
    }
}
