use super::*;
use crate::clocks::tests::Tz;
use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

fn calendar(lines: &str) -> Component {
    let text = format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\n{lines}\nEND:VEVENT\nEND:VCALENDAR");
    Component::read(text.as_bytes()).unwrap()
}

fn told(when: When) -> String {
    format!("{} {}", crate::stamp::utc(when.start), (when.end - when.start).num_minutes())
}

/// Start, and length in minutes; days and floating times on New York's clock.
fn at(lines: &str) -> Result<String, Unreadable> {
    let calendar = calendar(lines);
    let clocks = Clocks::new(&calendar, &Tz, Clock::Known("America/New_York".to_owned()));
    when(&calendar.parts[0], &clocks).map(told)
}

#[test]
fn days_are_nominal_and_hours_exact() {
    for (lines, expected) in [
        ("DTSTART;TZID=Europe/Warsaw:20300705T110000\nDURATION:PT45M", "20300705T090000Z 45"),
        (
            "DTSTART;TZID=Europe/Warsaw:20300105T110000\nDTEND;TZID=Europe/Warsaw:20300105T120000",
            "20300105T100000Z 60",
        ),
        ("DTSTART:20300105T110000Z", "20300105T110000Z 0"),
        // Over the end of summer time, on 7 November 2027, and its beginning, on 14 March.
        ("DTSTART;TZID=America/New_York:20271106T120000\nDURATION:P1D", "20271106T160000Z 1500"),
        ("DTSTART;TZID=America/New_York:20271106T120000\nDURATION:P1DT2H", "20271106T160000Z 1620"),
        ("DTSTART;TZID=America/New_York:20271106T120000\nDURATION:PT24H", "20271106T160000Z 1440"),
        ("DTSTART;TZID=America/New_York:20271031T120000\nDURATION:P1W", "20271031T160000Z 10140"),
        ("DTSTART;VALUE=DATE:20271107", "20271107T040000Z 1500"),
        ("DTSTART;VALUE=DATE:20270314", "20270314T050000Z 1380"),
        ("DTSTART;VALUE=DATE:20271107\nDTEND;VALUE=DATE:20271107", "20271107T040000Z 1500"),
        ("DTSTART;VALUE=DATE:20271107\nDURATION:P2D", "20271107T040000Z 2940"),
        ("DTSTART;VALUE=DATE:20271107\nDTEND;VALUE=DATE:20271109 ", "20271107T040000Z 2940"),
        (
            "DTSTART;TZID=Eastern Standard Time:20261215T100000\nDTEND;TZID=Eastern Standard Time:20261215T110000",
            "20261215T150000Z 60",
        ),
        ("DTSTART:20300105T110000\nDTEND;VALUE=DATE:20300106", "20300105T160000Z 780"),
    ] {
        assert_eq!(at(lines).as_deref(), Ok(expected), "{lines}");
    }
}

#[test]
fn what_cannot_be_read_has_its_reason_and_its_known_part() {
    let start = "DTSTART:20300105T110000Z";
    for (lines, expected, known) in [
        ("SUMMARY:x", Unreadable::NoStart, Err(Unreadable::NoStart)),
        ("DTSTART:soon", Unreadable::Start, Err(Unreadable::Start)),
        ("DTSTART;TZID=Mars:20300105T110000", Unreadable::Zone, Err(Unreadable::Zone)),
        (&format!("{start}\nDURATION:PT"), Unreadable::Duration, Ok("20300105T110000Z 60")),
        (&format!("{start}\nDURATION:"), Unreadable::Duration, Ok("20300105T110000Z 60")),
        (&format!("{start}\nDURATION:-PT1H"), Unreadable::EndsFirst, Ok("20300105T110000Z 60")),
        (&format!("{start}\nDTEND:"), Unreadable::End, Ok("20300105T110000Z 60")),
        (&format!("{start}\nDTEND:20300105T100000Z"), Unreadable::EndsFirst, Ok("20300105T110000Z 60")),
        (&format!("{start}\nDTEND;TZID=Mars:20300105T100000"), Unreadable::Zone, Ok("20300105T110000Z 60")),
        ("DTSTART;VALUE=DATE:20300105\nDURATION:PT", Unreadable::Duration, Ok("20300105T050000Z 1440")),
    ] {
        assert_eq!(at(lines), Err(expected), "{lines}");
        let calendar = calendar(lines);
        let clocks = Clocks::new(&calendar, &Tz, Clock::Known("America/New_York".to_owned()));
        let part = Extent::known_part(&calendar.parts[0], &clocks);
        let part = part.map(|extent| told(extent.at(extent.start, &clocks).unwrap()));
        assert_eq!(part.as_deref(), known.as_ref().copied(), "{lines}");
    }
}

#[test]
fn whole_days_of_every_dialect() {
    let days = |lines: &str| {
        whole_days(&calendar(lines).parts[0])
            .map(|days| days.map(|days| format!("{} {}", days.first.format("%d"), days.last.format("%d"))))
    };
    let midnights =
        "DTSTART;TZID=America/New_York:20261225T000000\nDTEND;TZID=America/New_York:20261226T000000";
    for (lines, expected) in [
        ("DTSTART;VALUE=DATE:20261225", Some("25 25")),
        ("DTSTART:20261225 ", Some("25 25")),
        ("DTSTART;VALUE=DATE:20261225\nDTEND;VALUE=DATE:20261225", Some("25 25")),
        ("DTSTART;VALUE=DATE:20261225\nDTEND;VALUE=DATE:20261227 ", Some("25 26")),
        ("DTSTART;VALUE=DATE:20261224\nDURATION:P3D", Some("24 26")),
        ("DTSTART;VALUE=DATE:20261224\nDURATION:PT48H", Some("24 25")),
        ("DTSTART;VALUE=DATE:20261224\nDURATION:P1W", Some("24 30")),
        ("DTSTART;VALUE=DATE:20261224\nDURATION:P0D", Some("24 24")),
        ("DTSTART;VALUE=DATE:20261224T000000\nDTEND;VALUE=DATE:20261225T000000", Some("24 24")),
        (midnights, None),
        (&format!("{midnights}\nX-MICROSOFT-CDO-ALLDAYEVENT:TRUE"), Some("25 25")),
        ("DTSTART:20261225T090000Z\nX-MICROSOFT-CDO-ALLDAYEVENT:TRUE", None),
        ("DTSTART:20261225T090000Z", None),
    ] {
        assert_eq!(days(lines), Ok(expected.map(str::to_owned)), "{lines}");
    }
    for (lines, expected) in [
        ("DTEND;VALUE=DATE:20261225", Unreadable::NoStart),
        ("DTSTART;VALUE=DATE:20261325", Unreadable::Start),
        ("DTSTART;VALUE=DATE:20261225\nDTEND;VALUE=DATE:20261224", Unreadable::EndsFirst),
        ("DTSTART;VALUE=DATE:20261225\nDTEND:20261225T120000", Unreadable::End),
        ("DTSTART;VALUE=DATE:20261225\nDURATION:PT", Unreadable::Duration),
        ("DTSTART;VALUE=DATE:20261225\nDURATION:PT1H", Unreadable::Duration),
        ("DTSTART;VALUE=DATE:20261225\nDURATION:-P1D", Unreadable::EndsFirst),
        ("DTSTART;VALUE=DATE:20261225\nDURATION:P999999999D", Unreadable::Beyond),
    ] {
        assert_eq!(days(lines), Err(expected), "{lines}");
    }
}

#[test]
fn versions_are_in_their_order() {
    let version = |lines: &str| Version::of(&calendar(lines).parts[0]);
    let (none, odd) = (version("UID:a"), version("SEQUENCE:soon"));
    let (later, second) = (version("LAST-MODIFIED:20260101T000000Z"), version("SEQUENCE:1 "));
    assert!(none == odd && none < later && later < second);
}

proptest! {
    /// On every clock a day begins and ends with midnights, and days follow one another.
    #[test]
    fn a_day_ends_where_the_next_begins(zone in 0..chrono_tz::TZ_VARIANTS.len(), day in 0..36_500_i64, days in 1..40_i64) {
        let calendar = calendar("UID:a");
        let zone = chrono_tz::TZ_VARIANTS[zone].name();
        let clocks = Clocks::new(&calendar, &Tz, Clock::Known(zone.to_owned()));
        let of_days = |days| Extent { start: NaiveDateTime::default(), clock: clocks.floating.clone(), is_day: true, length: Length::of_days(days) };
        let start = Length::of_days(day).after_days(NaiveDateTime::default()).unwrap();
        let one = of_days(days).at(start, &clocks).unwrap();
        let next = of_days(1).at(Length::of_days(days).after_days(start).unwrap(), &clocks).unwrap();
        prop_assert_eq!(one.end, next.start);
        prop_assert!(one.start <= one.end);
        let exact = Extent { length: Length::of_seconds(86_400), ..of_days(0) }.at(start, &clocks).unwrap();
        prop_assert_eq!((exact.end - exact.start).num_seconds(), 86_400);
    }
}
