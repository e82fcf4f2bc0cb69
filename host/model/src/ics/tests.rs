use super::*;

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn event(zone: &str, start: &str) -> IcsEvent {
    IcsEvent {
        uid: "0193b3f0-0000-7000-8000-000000000000@berth".into(),
        sequence: 2,
        stamp: at("2026-11-20T12:00:00.5Z"),
        when: Interval::of_minutes(at(start), 45),
        zone: zone.parse().unwrap(),
        status: IcsStatus::Confirmed,
        summary: "Cut; wash, dry \\ style".into(),
        description: Some("First line\nsecond".into()),
        location: None,
        organiser: IcsPerson { name: "Ana \"Anna\"".into(), address: "mailto:ana@example.com".into() },
        attendees: vec![IcsPerson { name: "Ada".into(), address: "mailto:ada@example.com".into() }],
    }
}

/// The lines of a calendar, unfolded as a reader does it.
fn lines(text: &str) -> Vec<String> {
    assert!(text.split("\r\n").all(|line| line.len() <= 75), "a line is too long");
    assert!(text.ends_with("\r\n") && !text.replace("\r\n", "").contains(['\r', '\n']));
    text.replace("\r\n ", "").split_terminator("\r\n").map(str::to_owned).collect()
}

#[test]
fn an_invitation_says_who_when_and_which_change() {
    let text = invitation(&event("Europe/Warsaw", "2026-11-23T09:00:00Z"), IcsMethod::Request);
    assert_eq!(
        lines(&text),
        [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//Berth//Berth//EN",
            "CALSCALE:GREGORIAN",
            "METHOD:REQUEST",
            "BEGIN:VTIMEZONE",
            "TZID:Europe/Warsaw",
            "BEGIN:STANDARD",
            "DTSTART:20261025T030000",
            "TZOFFSETFROM:+0200",
            "TZOFFSETTO:+0100",
            "TZNAME:CET",
            "END:STANDARD",
            "END:VTIMEZONE",
            "BEGIN:VEVENT",
            "UID:0193b3f0-0000-7000-8000-000000000000@berth",
            "SEQUENCE:2",
            "DTSTAMP:20261120T120000Z",
            "LAST-MODIFIED:20261120T120000Z",
            "DTSTART;TZID=Europe/Warsaw:20261123T100000",
            "DTEND;TZID=Europe/Warsaw:20261123T104500",
            "STATUS:CONFIRMED",
            r"SUMMARY:Cut\; wash\, dry \\ style",
            r"DESCRIPTION:First line\nsecond",
            "ORGANIZER;CN=\"Ana 'Anna'\":mailto:ana@example.com",
            "ATTENDEE;CN=\"Ada\";ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED:mailto:ada@example.com",
            "END:VEVENT",
            "END:VCALENDAR",
        ]
    );
    let gone = invitation(&event("UTC", "2026-11-23T09:00:00Z"), IcsMethod::Cancel);
    assert!(gone.contains("METHOD:CANCEL\r\n") && gone.contains("DTSTART:20261123T090000Z\r\n"));
    assert!(!gone.contains("VTIMEZONE"));
}

#[test]
fn a_feed_has_each_zone_once_with_the_changes_during_its_events() {
    let events = [
        event("Europe/Lisbon", "2026-10-01T09:00:00Z"),
        event("Europe/Lisbon", "2026-12-01T09:00:00Z"),
        event("Asia/Kathmandu", "2026-12-01T09:00:00Z"),
        event("Australia/Lord_Howe", "2026-12-01T09:00:00Z"),
    ];
    let lines = lines(&feed("Pier, 1", &events));
    let count = |text: &str| lines.iter().filter(|line| *line == text).count();
    assert_eq!(count("BEGIN:VTIMEZONE"), 3);
    assert_eq!(count("BEGIN:VEVENT"), 4);
    assert_eq!((count("BEGIN:DAYLIGHT"), count("BEGIN:STANDARD")), (2, 2));
    assert_eq!(count("TZOFFSETTO:+0545"), 1, "no change is known: the offset as it is");
    assert_eq!(count("TZOFFSETTO:+1100"), 1, "half an hour of daylight saving");
    assert_eq!(count(r"X-WR-CALNAME:Pier\, 1"), 1);
    assert!(!lines.iter().any(|line| line.starts_with("ATTENDEE")), "a published calendar has none");
}

mod any_text {
    use super::*;
    use proptest::prelude::*;

    /// Text as a reader takes it out of a property.
    fn unescaped(text: &str) -> String {
        let mut out = String::new();
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            match (c, c == '\\') {
                (_, true) => match chars.next() {
                    Some('n') => out.push('\n'),
                    Some(other) => out.push(other),
                    None => {}
                },
                (c, false) => out.push(c),
            }
        }
        out
    }

    proptest! {
        #[test]
        fn stays_in_its_line(summary in "\\PC*", name in any::<String>(), notes in any::<String>()) {
            let mut event = event("Europe/Warsaw", "2026-11-23T09:00:00Z");
            event.summary.clone_from(&summary);
            event.organiser.name.clone_from(&name);
            event.organiser.address = notes.clone();
            event.description = Some(notes);
            let lines = lines(&invitation(&event, IcsMethod::Request));
            prop_assert_eq!(lines.len(), 28);
            let read = lines.iter().find_map(|line| line.strip_prefix("SUMMARY:")).unwrap();
            let written: String = summary.chars().filter(|c| !crate::text::is_forbidden(*c)).collect();
            prop_assert_eq!(unescaped(read), written);
        }
    }
}
