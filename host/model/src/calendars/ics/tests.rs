use super::*;

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn person(name: &str, mailbox: &str) -> IcsPerson {
    IcsPerson { name: name.into(), address: Ok(mailbox.into()) }
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
        meeting_url: None,
        organiser: person("Ana \"Anna\"", "ana@example.com"),
        attendees: vec![person("Ada", "ada@example.com")],
        guests: vec![person("bob@example.com", "bob@example.com")],
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
            "DTSTART:20251026T030000",
            "TZOFFSETFROM:+0200",
            "TZOFFSETTO:+0100",
            "TZNAME:CET",
            "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU",
            "END:STANDARD",
            "BEGIN:DAYLIGHT",
            "DTSTART:20260329T020000",
            "TZOFFSETFROM:+0100",
            "TZOFFSETTO:+0200",
            "TZNAME:CEST",
            "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
            "END:DAYLIGHT",
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
            "ORGANIZER;CN=\"Ana ^'Anna^'\":mailto:ana@example.com",
            "ATTENDEE;CN=Ada;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED:mailto:ada@example.com",
            "ATTENDEE;CN=\"bob@example.com\";ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION:mailto:bob@example.com",
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
    assert_eq!((count("BEGIN:DAYLIGHT"), count("BEGIN:STANDARD")), (2, 3));
    assert_eq!(count("TZOFFSETTO:+0545"), 1, "no change is known: the offset as it is");
    assert_eq!(count("TZOFFSETTO:+1100"), 1, "half an hour of daylight saving");
    assert_eq!(count(r"X-WR-CALNAME:Pier\, 1"), 1);
    assert!(!lines.iter().any(|line| line.starts_with("ATTENDEE")), "a published calendar has none");
}

#[test]
fn a_time_that_comes_twice_is_written_in_utc() {
    // 01:30 comes twice in New York then; half an hour of it in Lord Howe, and it begins or ends there.
    for (zone, start, written) in [
        ("America/New_York", "2027-11-07T05:30:00Z", "DTSTART:20271107T053000Z|DTEND:20271107T061500Z"),
        ("America/New_York", "2027-11-07T06:30:00Z", "DTSTART:20271107T063000Z|DTEND:20271107T071500Z"),
        ("America/New_York", "2027-11-07T04:30:00Z", "DTSTART:20271107T043000Z|DTEND:20271107T051500Z"),
        (
            "America/New_York",
            "2027-11-07T07:00:00Z",
            "DTSTART;TZID=America/New_York:20271107T020000|DTEND;TZID=America/New_York:20271107T024500",
        ),
        ("Australia/Lord_Howe", "2027-04-03T14:45:00Z", "DTSTART:20270403T144500Z|DTEND:20270403T153000Z"),
        // A gap has no time of its own: those around it are on the clock.
        (
            "America/New_York",
            "2027-03-14T06:45:00Z",
            "DTSTART;TZID=America/New_York:20270314T014500|DTEND;TZID=America/New_York:20270314T033000",
        ),
    ] {
        let text = invitation(&event(zone, start), IcsMethod::Request);
        let found: Vec<_> = lines(&text)
            .into_iter()
            .skip_while(|line| line != "BEGIN:VEVENT")
            .filter(|line| line.starts_with("DTSTART") || line.starts_with("DTEND"))
            .collect();
        assert_eq!(found.join("|"), written, "{zone} {start}");
        assert_eq!(text.contains("VTIMEZONE"), written.contains("TZID"), "{zone} {start}");
    }
}

#[test]
fn every_zone_has_a_standard_time_and_rules_only_where_clocks_keep_one() {
    let rules = |zone: &str| {
        let text = invitation(&event(zone, "2027-07-10T09:00:00Z"), IcsMethod::Request);
        let found =
            lines(&text).into_iter().filter_map(|line| line.strip_prefix("RRULE:").map(str::to_owned));
        found.collect::<Vec<_>>()
    };
    for (zone, expected) in [
        ("America/New_York", &["FREQ=YEARLY;BYMONTH=11;BYDAY=1SU", "FREQ=YEARLY;BYMONTH=3;BYDAY=2SU"][..]),
        ("Australia/Lord_Howe", &["FREQ=YEARLY;BYMONTH=10;BYDAY=1SU", "FREQ=YEARLY;BYMONTH=4;BYDAY=1SU"]),
        // By the moon; by days that no number of a weekday names; never.
        ("Africa/Casablanca", &[]),
        ("Asia/Jerusalem", &[]),
        ("Asia/Kathmandu", &[]),
    ] {
        let mut found = rules(zone);
        found.sort();
        assert_eq!(found, expected, "{zone}");
    }
    for zone in Zone::all() {
        for start in
            ["1975-07-10T09:00:00Z", "2026-02-10T09:00:00Z", "2027-07-10T09:00:00Z", "2199-12-31T10:00:00Z"]
        {
            let text = invitation(&event(zone.name(), start), IcsMethod::Request);
            let has = |line: &str| text.contains(line);
            assert!(!has("BEGIN:VTIMEZONE") || has("BEGIN:STANDARD"), "{zone} {start}");
        }
    }
}

#[test]
fn some_observance_has_begun_before_whatever_is_written() {
    // Every zone, every tenth day of four years.
    let (from, day) = (at("2026-01-01T00:00:00Z"), 86_400);
    for zone in Zone::all() {
        for week in 0..146 {
            let start = from.plus_seconds(week * 10 * day);
            let mut event = event("UTC", "2026-01-01T00:00:00Z");
            (event.zone, event.when) = (zone, Interval::of_minutes(start, 45));
            let text = invitation(&event, IcsMethod::Request);
            if !text.contains("BEGIN:VTIMEZONE") {
                continue;
            }
            let zone_part = text.split("END:VTIMEZONE").next().unwrap();
            let onsets = zone_part.lines().filter_map(|line| line.strip_prefix("DTSTART:"));
            let local = local_of(zone, start).format("%Y%m%dT%H%M%S").to_string();
            assert!(onsets.min().unwrap() <= local.as_str(), "{zone} {start}: {zone_part}");
        }
    }
}

#[test]
fn addresses_are_ascii_and_names_keep_their_quotes() {
    let mut event = event("UTC", "2026-11-23T09:00:00Z");
    event.organiser = person("a^n \"b\"", "änä+x%y&z@exämple.com");
    event.attendees = vec![IcsPerson { name: "Ada".into(), address: Err(uuid::Uuid::nil()) }];
    let lines = lines(&invitation(&event, IcsMethod::Request));
    for line in [
        r#"ORGANIZER;CN="a^^n ^'b^'":mailto:%C3%A4n%C3%A4+x%25y%26z@ex%C3%A4mple.com"#,
        r"ATTENDEE;CN=Ada;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED:urn:uuid:00000000-0000-0000-0000-000000000000",
    ] {
        assert!(lines.iter().any(|found| found == line), "{line} is not in {lines:#?}");
    }
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
            event.organiser.address = Ok(notes.clone());
            event.description = Some(notes);
            let lines = lines(&invitation(&event, IcsMethod::Request));
            prop_assert_eq!(lines.len(), 37);
            let read = lines.iter().find_map(|line| line.strip_prefix("SUMMARY:")).unwrap();
            let written: String = summary.chars().filter(|c| !crate::text::is_forbidden(*c)).collect();
            prop_assert_eq!(unescaped(read), written);
        }
    }
}
