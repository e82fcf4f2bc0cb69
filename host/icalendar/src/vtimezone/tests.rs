use super::*;

fn zone(definition: &str) -> Option<Zone> {
    let text =
        format!("BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:x\n{definition}END:VTIMEZONE\nEND:VCALENDAR\n");
    Zone::read(&Component::read(text.as_bytes()).unwrap().parts[0])
}

fn part(kind: &str, start: &str, from: &str, to: &str, rest: &str) -> String {
    format!("BEGIN:{kind}\nDTSTART:{start}\nTZOFFSETFROM:{from}\nTZOFFSETTO:{to}\n{rest}END:{kind}\n")
}

fn at(zone: &Zone, local: &str) -> String {
    let Some(Stamp::Local(local)) = Stamp::read(local) else { panic!("{local}") };
    crate::stamp::utc(zone.instant(local).unwrap())
}

fn warsaw() -> Zone {
    let summer =
        part("DAYLIGHT", "19810329T020000", "+0100", "+0200", "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\n");
    let winter =
        part("STANDARD", "19961027T030000", "+0200", "+0100", "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\n");
    zone(&(summer + &winter)).unwrap()
}

#[test]
fn summer_winter_gap_and_fold() {
    for (local, expected) in [
        ("20300105T100000", "20300105T090000Z"),
        ("20300705T100000", "20300705T080000Z"),
        ("20300331T015959", "20300331T005959Z"),
        // Not on any clock: as the clocks before it would have it.
        ("20300331T023000", "20300331T013000Z"),
        ("20300331T030000", "20300331T010000Z"),
        // Twice: the first.
        ("20301027T023000", "20301027T003000Z"),
        ("20301027T030000", "20301027T020000Z"),
        // Before everything that is told.
        ("19500101T100000", "19500101T090000Z"),
    ] {
        assert_eq!(at(&warsaw(), local), expected, "{local}");
    }
}

#[test]
fn other_ways_to_tell_a_year() {
    // Second Sunday by its days, first Sunday by number, as some programs write it.
    let summer = part(
        "DAYLIGHT",
        "20070311T020000",
        "-0500",
        "-0400",
        "RRULE:FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=8,9,10,11,12,13,14;BYDAY=SU\n",
    );
    let winter =
        part("STANDARD", "20071104T020000", "-0400", "-0500", "RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU\n");
    let new_york = zone(&(summer + &winter)).unwrap();
    assert_eq!(at(&new_york, "20300310T040000"), "20300310T080000Z");
    assert_eq!(at(&new_york, "20300309T040000"), "20300309T090000Z");
    assert_eq!(at(&new_york, "20301104T040000"), "20301104T090000Z");
    let fixed = zone(&part("STANDARD", "19700101T000000", "+0545", "+0545", "")).unwrap();
    assert_eq!(at(&fixed, "20300105T100000"), "20300105T041500Z");
}

#[test]
fn rules_end_and_single_dates_count() {
    let summer = part(
        "DAYLIGHT",
        "19900325T020000",
        "+0300",
        "+0400",
        "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU;UNTIL=20100327T230000Z\nRDATE:20110327T020000\n",
    );
    let winter = part(
        "STANDARD",
        "19901028T030000",
        "+0400",
        "+0300",
        "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU;UNTIL=20101030T230000Z\n",
    );
    let later = part("STANDARD", "20141026T020000", "+0400", "+0300", "");
    let moscow = zone(&(summer + &winter + &later)).unwrap();
    for (local, expected) in [
        ("20100705T100000", "20100705T060000Z"),
        ("20110105T100000", "20110105T070000Z"),
        ("20120105T100000", "20120105T060000Z"),
        ("20300705T100000", "20300705T070000Z"),
    ] {
        assert_eq!(at(&moscow, local), expected, "{local}");
    }
}

#[test]
fn half_a_zone_is_none() {
    for rule in ["FREQ=DAILY", "FREQ=YEARLY;BYMONTH=13", "FREQ=YEARLY;BYDAY=XX", "FREQ=YEARLY;COUNT=3", "x"] {
        let odd = part("DAYLIGHT", "19810329T020000", "+0100", "+0200", &format!("RRULE:{rule}\n"));
        assert_eq!(zone(&odd), None, "{rule}");
    }
    assert_eq!(zone(""), None);
    assert_eq!(zone(&part("STANDARD", "19700101T000000Z", "+0100", "+0100", "")), None);
    assert_eq!(zone(&part("STANDARD", "19700101T000000", "0100", "+01", "")), None);
}
