use super::*;
use proptest::prelude::{any, prop, prop_assert, proptest};

const FILE: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20261225\r\nDTEND;VALUE=DATE:20261227\r\nSUMMARY:Christmas\\, and\r\n  Boxing Day\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nDTSTART:20261231T180000Z\r\nSUMMARY:A party\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:ny\r\nDTSTART;VALUE=DATE:20270101\r\nRRULE:FREQ=YEARLY\r\nEXDATE;VALUE=DATE:20280101\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn read(octets: &[u8]) -> Result<ClosedDays, Problem> {
    closed_days(octets, day("2026-11-30"), &Budget::of(limits::ANSWER_STEPS_MAX))
}

fn file(events: &[&str]) -> String {
    let one = |lines: &&str| format!("BEGIN:VEVENT\n{lines}\nEND:VEVENT\n");
    let events: Vec<String> = events.iter().map(one).collect();
    format!("BEGIN:VCALENDAR\nVERSION:2.0\n{}END:VCALENDAR\n", events.concat())
}

/// What is closed, as `name first last`.
fn shown(closed: &ClosedDays) -> Vec<String> {
    let all = closed.by_uid.iter().flat_map(|of| &of.holidays);
    all.map(|h| format!("{} {} {}", h.name, h.date.format("%m%d"), h.last_date.unwrap().format("%m%d")))
        .collect()
}

fn days(events: &[&str]) -> Vec<String> {
    shown(&read(file(events).as_bytes()).unwrap())
}

fn reasons(events: &[&str]) -> Vec<String> {
    match read(file(events).as_bytes()) {
        Ok(closed) => closed.left_out.into_iter().map(|left| left.reason).collect(),
        Err(problem) => problem.errors.into_iter().map(|error| error.message).collect(),
    }
}

#[test]
fn whole_days_are_closed_and_the_rest_is_named() {
    let closed = read(FILE.as_bytes()).unwrap();
    let years: Vec<_> = closed.by_uid[1].holidays.iter().map(|h| h.date.year()).collect();
    assert_eq!(shown(&closed)[0], "Christmas, and Boxing Day 1225 1226");
    assert_eq!((years, closed.by_uid[1].recurs), (vec![2027, 2029, 2030, 2031], true));
    assert_eq!(closed.recurring_within, Some((day("2026-01-01"), day("2031-12-31"))));
    let party = LeftOut {
        line: Some(9),
        uid: None,
        summary: Some("A party".into()),
        reason: "has a time of day; only whole days are imported".into(),
    };
    assert_eq!((closed.left_out, closed.left_out_count), (vec![party], 1));
}

#[test]
fn dialects_of_real_files() {
    let christmas = "DTSTART;VALUE=DATE:20261225\nSUMMARY:Christmas";
    let midnights = "DTSTART;TZID=America/New_York:20261225T000000\nDTEND;TZID=America/New_York:20261226T000000\nX-MICROSOFT-CDO-ALLDAYEVENT:TRUE\nSUMMARY:Christmas";
    for lines in [
        "UID:1@x\nDTSTART;VALUE=DATE:20261225\nSUMMARY;ALTREP=\"cid:part1@example.org\":Christmas",
        "DTSTART;X-A=\"a:b;c\";VALUE=DATE:20261225\nSUMMARY:Christmas",
        &format!("{christmas}\nDTEND;VALUE=DATE:20261225"),
        "DTSTART;VALUE=DATE:20261225 \nDTEND;VALUE=DATE:20261226 \nSUMMARY:Christmas ",
        &format!(
            "{christmas}\nBEGIN:VALARM\nTRIGGER:-P1D\nSUMMARY:Alarm notification\nDTSTART:20200101\nEND:VALARM"
        ),
        &format!("{christmas}\nDURATION:P1D"),
        &format!("{christmas}\nTRANSP:TRANSPARENT"),
        midnights,
    ] {
        let text = file(&[lines]);
        for text in
            [text.clone(), text.replace('\n', "\r\n"), text.replace('\n', "\r"), format!("\u{feff}{text}")]
        {
            assert_eq!(shown(&read(text.as_bytes()).unwrap()), ["Christmas 1225 1225"], "{text:?}");
        }
    }
    assert_eq!(days(&["DTSTART;VALUE=DATE:20261224\nDURATION:P3D\nSUMMARY:Closed"]), ["Closed 1224 1226"]);
    let split = [b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20261224\r\nSUMMARY:\xc5\r\n \x9awi\xc4\x99to\r\n".as_slice(), b"END:VEVENT\r\nEND:VCALENDAR\r\n"].concat();
    assert_eq!(shown(&read(&split).unwrap()), ["Święto 1224 1224"]);
}

#[test]
fn what_recurs_is_written_out() {
    let yearly = "UID:a\nDTSTART;VALUE=DATE:20241224\nDTEND;VALUE=DATE:20241226\nSUMMARY:C\n";
    let count = |rule: &str| days(&[&format!("{yearly}{rule}")]).len();
    for (rule, expected) in [
        ("RRULE:FREQ=YEARLY", 6),
        ("RRULE:FREQ=YEARLY;COUNT=3", 1),
        ("RRULE:FREQ=YEARLY;UNTIL=20271224", 2),
        ("RRULE:FREQ=YEARLY;INTERVAL=4", 1),
        ("RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", 6),
        ("RRULE:FREQ=YEARLY\nEXDATE;VALUE=DATE:20261224,20271224", 4),
        ("RRULE:FREQ=YEARLY\nEXDATE:20261224T000000", 5),
        ("RRULE:FREQ=YEARLY;COUNT=1\nRDATE;VALUE=DATE:20270105,20270106", 2),
        ("RDATE;VALUE=PERIOD:20270105T000000Z/P1D", 1),
    ] {
        assert_eq!(count(rule), expected, "{rule}");
    }
    let old = "UID:a\nDTSTART;VALUE=DATE:19010101\nRRULE:FREQ=YEARLY\nSUMMARY:New Year";
    assert_eq!(days(&[old]).len(), 6, "a file may begin before the years that are known");
    let weekly = "UID:a\nDTSTART;VALUE=DATE:20261206\nRRULE:FREQ=WEEKLY;COUNT=3\nSUMMARY:Sunday";
    let moved = "UID:a\nRECURRENCE-ID;VALUE=DATE:20261213\nDTSTART;VALUE=DATE:20261214\nSUMMARY:Monday";
    let gone = "UID:a\nRECURRENCE-ID;VALUE=DATE:20261220\nSTATUS:CANCELLED\nDTSTART;VALUE=DATE:20261220";
    assert_eq!(days(&[moved, weekly, gone]), ["Sunday 1206 1206", "Monday 1214 1214"]);
}

#[test]
fn one_odd_event_is_left_out_alone() {
    let good = "UID:good\nDTSTART;VALUE=DATE:20261225\nSUMMARY:Good";
    let start = "UID:odd\nDTSTART;VALUE=DATE:20261226";
    for (odd, reason) in [
        ("UID:odd", "has no DTSTART"),
        ("UID:odd\nDTSTART;VALUE=DATE:20261399", "has a DTSTART that is no date and no time"),
        ("UID:odd\nDTSTART;VALUE=DATE 20261226", "has no DTSTART"),
        (&format!("{start}\nDTEND;VALUE=DATE:20261224"), "ends before it begins"),
        (&format!("{start}\nDURATION:PT"), "has a DURATION that is no length"),
        (&format!("{start}\nSTATUS:CANCELLED"), CANCELLED),
        (&format!("{start}\nRRULE:FREQ=SECONDLY"), "has an RRULE: FREQ"),
        (&format!("{start}\nRRULE:x"), "has an RRULE: RRULE"),
        (&format!("{start}\nEXRULE:FREQ=YEARLY\nRRULE:FREQ=DAILY"), "has an EXRULE"),
        (&format!("{start}\nRRULE:FREQ=YEARLY\nEXDATE:soon"), "has an EXDATE that is no list of days"),
        (&format!("{start}\nRECURRENCE-ID;RANGE=THISANDFUTURE:20261226"), "changes all later times"),
        (&format!("{start}\nBEGIN:VALARM"), "has no END"),
        (&format!("DTSTART;VALUE=DATE:20261226\nUID:{}", "u".repeat(2_000)), "has a UID of more than"),
        ("UID:odd\nDTSTART;VALUE=DATE:99990101", "has days that are not known"),
        ("UID:odd\nDTSTART;VALUE=DATE:19691225", "has days that are not known"),
        ("UID:odd\nDTSTART:20261231T180000Z", "has a time of day"),
    ] {
        let text = if odd.ends_with("VALARM") {
            file(&[odd, good]).replacen("BEGIN:VALARM\nEND:VEVENT\n", "BEGIN:VALARM\n", 1)
        } else {
            file(&[odd, good])
        };
        let closed = read(text.as_bytes()).unwrap();
        assert_eq!(shown(&closed), ["Good 1225 1225"], "{odd}");
        let [left] = closed.left_out.as_slice() else { panic!("{odd}: {closed:?}") };
        assert!(left.reason.starts_with(reason) && left.line == Some(3), "{odd}: {left:?}");
    }
    let same = [
        "UID:a\nSEQUENCE:0\nDTSTART;VALUE=DATE:20261225\nSUMMARY:X",
        "UID:a\nSEQUENCE:1\nDTSTART;VALUE=DATE:20261228\nSUMMARY:Y",
    ];
    assert_eq!(
        (days(&same), reasons(&same)),
        (vec!["Y 1228 1228".to_owned()], vec!["is an older version of one in the file".to_owned()])
    );
}

#[test]
fn a_file_of_which_nothing_is_taken_says_why() {
    let refused = |text: &str| read(text.as_bytes()).unwrap_err();
    for text in [
        "nothing",
        "",
        "BEGIN:VCALENDAR\nEND:VCALENDAR",
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20261225\n",
    ] {
        assert_eq!(refused(text).code, Code::Invalid, "{text}");
    }
    let many: Vec<String> =
        (0..150).map(|n| format!("UID:{n}\nSUMMARY:party {n}\nDTSTART:20261225T100000Z")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let problem = refused(&file(&many));
    assert_eq!(
        (problem.errors.len(), problem.detail.contains("150 events")),
        (limits::LEFT_OUT_TOLD_MAX, true),
        "{problem:?}"
    );
    assert_eq!(
        problem.errors[0].message,
        "line 3: the event \"party 0\" (UID 0) has a time of day; only whole days are imported"
    );
    assert_eq!(read(&[0xff, 0xfe]).unwrap_err().code, Code::Invalid);
    let days: Vec<String> =
        (0..=limits::HOURS_RULES_MAX).map(|n| format!("UID:{n}\nDTSTART;VALUE=DATE:20261225")).collect();
    let days: Vec<&str> = days.iter().map(String::as_str).collect();
    assert_eq!(refused(&file(&days)).code, Code::TooLarge);
    assert_eq!(refused(&file(&["DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=DAILY"])).code, Code::TooLarge);
    let none = Budget::of(3);
    assert!(closed_days(FILE.as_bytes(), day("2026-11-30"), &none).is_err());
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(&bytes);
    }

    #[test]
    fn a_damaged_file_is_read_or_refused(at in 0..FILE.len(), byte in any::<u8>(), cut in 0..FILE.len()) {
        let mut bytes = FILE.as_bytes().to_vec();
        bytes[at] = byte;
        bytes.truncate(FILE.len() - cut);
        if let Ok(closed) = read(&bytes) {
            let known = |h: &Holiday| h.last_date.is_some_and(|last| h.date <= last && is_day(h.date) && is_day(last)) && !h.name.is_empty();
            prop_assert!(closed.by_uid.iter().flat_map(|of| &of.holidays).all(known));
            prop_assert!(closed.left_out.len() <= closed.left_out_count);
        }
    }

    /// An odd event takes nothing from the others, wherever it stands.
    #[test]
    fn what_is_odd_is_odd_alone(odd in "[A-Z]{1,8}[:;=][A-Z0-9:;=\",]{0,20}", before in 0..4_usize, count in 1..8_usize) {
        let mut events: Vec<String> = (0..count).map(|n| format!("UID:{n}\nDTSTART;VALUE=DATE:202612{:02}\nSUMMARY:{n}", n + 1)).collect();
        let alone: Vec<&str> = events.iter().map(String::as_str).collect();
        let expected = days(&alone);
        events.insert(before.min(count), format!("UID:odd\nDURATION:PT\nDTSTART;VALUE=DATE:20261225\n{odd}"));
        // It may happen to say something of what the calendar is made of.
        if !odd.starts_with("BEGIN:") && !odd.starts_with("END:") && !odd.starts_with("DTEND") {
            let all: Vec<&str> = events.iter().map(String::as_str).collect();
            prop_assert!(days(&all) == expected, "{}", odd);
        }
    }
}
