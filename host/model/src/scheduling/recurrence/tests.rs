//! The examples of RFC 5545 section 3.8.5.3, clock changes, and rules that would never end.

use super::*;

fn plenty() -> Budget {
    Budget::of(10_000_000)
}

const NEW_YORK: &str = "America/New_York";

fn local(text: &str) -> NaiveDateTime {
    NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%S").unwrap()
}

fn recurrence(dtstart: &str, zone: &str, rule: &str) -> Recurrence {
    let zone = (!zone.is_empty()).then(|| zone.parse().unwrap());
    Recurrence {
        dtstart: local(dtstart),
        zone,
        rule: Some(rule.to_owned()),
        exdates: Vec::new(),
        rdates: Vec::new(),
    }
}

/// The first occurrences as `MM-DD HH:MM` on the clock of New York, with the year in front when it changes.
fn first(dtstart: &str, rule: &str, count: usize) -> String {
    let zone: Zone = NEW_YORK.parse().unwrap();
    let all = Interval::new(Instant::MIN, Instant::MAX).unwrap();
    let found =
        recurrence(dtstart, NEW_YORK, rule).checked().unwrap().occurrences(all, count, &plenty()).unwrap();
    let shown = found.into_iter().map(|at| local_of(zone, at).format("%Y%m%dT%H%M").to_string());
    shown.collect::<Vec<_>>().join(" ")
}

#[test]
fn the_daily_examples_of_the_rfc() {
    assert_eq!(
        first("19970902T090000", "FREQ=DAILY;COUNT=3", 9),
        "19970902T0900 19970903T0900 19970904T0900"
    );
    let until = first("19970902T090000", "FREQ=DAILY;UNTIL=19971224T000000Z", 1_000);
    assert_eq!(until.split(' ').count(), 113);
    assert!(until.ends_with("19971223T0900"));
    assert_eq!(
        first("19970902T090000", "FREQ=DAILY;INTERVAL=2", 3),
        "19970902T0900 19970904T0900 19970906T0900"
    );
    assert_eq!(
        first("19970902T090000", "FREQ=DAILY;INTERVAL=10;COUNT=5", 9),
        "19970902T0900 19970912T0900 19970922T0900 19971002T0900 19971012T0900"
    );
    let january = first(
        "19980101T090000",
        "FREQ=YEARLY;UNTIL=20000131T140000Z;BYMONTH=1;BYDAY=SU,MO,TU,WE,TH,FR,SA",
        1_000,
    );
    assert_eq!(january, first("19980101T090000", "FREQ=DAILY;UNTIL=20000131T140000Z;BYMONTH=1", 1_000));
    assert_eq!(january.split(' ').count(), 93);
}

#[test]
fn the_weekly_examples_of_the_rfc() {
    assert_eq!(first("19970902T090000", "FREQ=WEEKLY;COUNT=10", 99).split(' ').count(), 10);
    assert!(first("19970902T090000", "FREQ=WEEKLY;UNTIL=19971224T000000Z", 99).ends_with("19971223T0900"));
    assert_eq!(
        first("19970902T090000", "FREQ=WEEKLY;INTERVAL=2;WKST=SU", 3),
        "19970902T0900 19970916T0900 19970930T0900"
    );
    assert_eq!(
        first("19970902T090000", "FREQ=WEEKLY;COUNT=10;WKST=SU;BYDAY=TU,TH", 4),
        "19970902T0900 19970904T0900 19970909T0900 19970911T0900"
    );
    assert_eq!(
        first("19970901T090000", "FREQ=WEEKLY;INTERVAL=2;UNTIL=19971224T000000Z;WKST=SU;BYDAY=MO,WE,FR", 5),
        "19970901T0900 19970903T0900 19970905T0900 19970915T0900 19970917T0900"
    );
    // The start of the week matters.
    assert_eq!(
        first("19970805T090000", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", 9),
        "19970805T0900 19970810T0900 19970819T0900 19970824T0900"
    );
    assert_eq!(
        first("19970805T090000", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", 9),
        "19970805T0900 19970817T0900 19970819T0900 19970831T0900"
    );
}

#[test]
fn the_monthly_examples_of_the_rfc() {
    assert_eq!(
        first("19970905T090000", "FREQ=MONTHLY;COUNT=10;BYDAY=1FR", 3),
        "19970905T0900 19971003T0900 19971107T0900"
    );
    assert_eq!(
        first("19970907T090000", "FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU", 4),
        "19970907T0900 19970928T0900 19971102T0900 19971130T0900"
    );
    assert_eq!(
        first("19970922T090000", "FREQ=MONTHLY;COUNT=6;BYDAY=-2MO", 3),
        "19970922T0900 19971020T0900 19971117T0900"
    );
    assert_eq!(
        first("19970928T090000", "FREQ=MONTHLY;BYMONTHDAY=-3", 3),
        "19970928T0900 19971029T0900 19971128T0900"
    );
    assert_eq!(
        first("19970930T090000", "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1", 4),
        "19970930T0900 19971001T0900 19971031T0900 19971101T0900"
    );
    assert_eq!(
        first("19970910T090000", "FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15", 7)
            .split(' ')
            .next_back()
            .unwrap(),
        "19990310T0900"
    );
    assert_eq!(
        first("19980213T090000", "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", 3),
        "19980213T0900 19980313T0900 19981113T0900"
    );
    assert_eq!(
        first("19970913T090000", "FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13", 3),
        "19970913T0900 19971011T0900 19971108T0900"
    );
    assert_eq!(
        first("19970904T090000", "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", 9),
        "19970904T0900 19971007T0900 19971106T0900"
    );
    assert_eq!(
        first("19970929T090000", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2", 3),
        "19970929T0900 19971030T0900 19971127T0900"
    );
    // Days that a month does not have are left out.
    assert_eq!(
        first("20070115T090000", "FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5", 9),
        "20070115T0900 20070130T0900 20070215T0900 20070315T0900 20070330T0900"
    );
}

#[test]
fn the_yearly_examples_of_the_rfc() {
    assert_eq!(
        first("19970610T090000", "FREQ=YEARLY;COUNT=10;BYMONTH=6,7", 3),
        "19970610T0900 19970710T0900 19980610T0900"
    );
    assert_eq!(
        first("19970310T090000", "FREQ=YEARLY;INTERVAL=2;COUNT=10;BYMONTH=1,2,3", 4),
        "19970310T0900 19990110T0900 19990210T0900 19990310T0900"
    );
    assert_eq!(
        first("19970101T090000", "FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200", 4),
        "19970101T0900 19970410T0900 19970719T0900 20000101T0900"
    );
    assert_eq!(
        first("19970519T090000", "FREQ=YEARLY;BYDAY=20MO", 3),
        "19970519T0900 19980518T0900 19990517T0900"
    );
    assert_eq!(
        first("19970512T090000", "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", 3),
        "19970512T0900 19980511T0900 19990517T0900"
    );
    // Week 52 of 2021 ends on 2 January, and 2020 has a week 53, which ends on 3 January (ISO 8601).
    assert_eq!(
        first("20211003T090000", "FREQ=YEARLY;BYWEEKNO=52;BYDAY=FR,SA,SU", 4),
        "20211231T0900 20220101T0900 20220102T0900 20221230T0900"
    );
    assert_eq!(
        first("20200101T090000", "FREQ=YEARLY;BYWEEKNO=53;BYDAY=TH,SU", 3),
        "20201231T0900 20210103T0900 20261231T0900"
    );
    assert_eq!(
        first("19970313T090000", "FREQ=YEARLY;BYMONTH=3;BYDAY=TH", 4),
        "19970313T0900 19970320T0900 19970327T0900 19980305T0900"
    );
    assert_eq!(
        first("19961105T090000", "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8", 3),
        "19961105T0900 20001107T0900 20041102T0900"
    );
}

#[test]
fn the_examples_of_the_rfc_within_a_day() {
    assert_eq!(
        first("19970902T090000", "FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T170000Z", 9),
        "19970902T0900 19970902T1200"
    );
    assert_eq!(
        first("19970902T090000", "FREQ=MINUTELY;INTERVAL=90;COUNT=4", 9),
        "19970902T0900 19970902T1030 19970902T1200 19970902T1330"
    );
    let grid = first("19970902T090000", "FREQ=DAILY;BYHOUR=9,10,11,12,13,14,15,16;BYMINUTE=0,20,40", 26);
    assert!(grid.ends_with("19970902T1640 19970903T0900 19970903T0920"), "{grid}");
}

#[test]
fn a_gap_takes_the_offset_before_it_and_a_fold_its_first_pass() {
    let all = Interval::new(Instant::MIN, Instant::MAX).unwrap();
    let found = |dtstart: &str, zone: &str| {
        let found = recurrence(dtstart, zone, "FREQ=DAILY;COUNT=3")
            .checked()
            .unwrap()
            .occurrences(all, 9, &plenty())
            .unwrap();
        found.into_iter().map(|at| at.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(
        found("20260328T023000", "Europe/Berlin"),
        ["2026-03-28T01:30:00Z", "2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"]
    );
    assert_eq!(
        found("20261024T023000", "Europe/Berlin"),
        ["2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]
    );
    assert_eq!(
        found("20261003T021500", "Australia/Lord_Howe"),
        ["2026-10-02T15:45:00Z", "2026-10-03T15:45:00Z", "2026-10-04T15:15:00Z"]
    );
}

/// The instants of a rule in a zone.
fn instants(dtstart: &str, zone: &str, rule: &str) -> Vec<String> {
    let all = Interval::new(Instant::MIN, Instant::MAX).unwrap();
    let checked = recurrence(dtstart, zone, rule).checked().unwrap();
    let found = checked.occurrences(all, 12, &plenty()).unwrap();
    found.into_iter().map(|at| at.to_string()).collect()
}

#[test]
fn what_no_clock_shows_is_no_occurrence_of_a_rule_finer_than_a_day_and_not_counted() {
    assert_eq!(
        instants("20270314T003000", NEW_YORK, "FREQ=HOURLY;COUNT=5"),
        [
            "2027-03-14T05:30:00Z",
            "2027-03-14T06:30:00Z",
            "2027-03-14T07:30:00Z",
            "2027-03-14T08:30:00Z",
            "2027-03-14T09:30:00Z"
        ]
    );
    // The clock is set forward by half an hour there, and the first time is in the gap.
    assert_eq!(
        instants("20271003T020000", "Australia/Lord_Howe", "FREQ=MINUTELY;INTERVAL=15;COUNT=3"),
        ["2027-10-02T15:30:00Z", "2027-10-02T15:45:00Z", "2027-10-02T16:00:00Z"]
    );
    // Only times in the gap: none at all that day.
    assert_eq!(
        instants("20270314T020000", NEW_YORK, "FREQ=HOURLY;BYHOUR=2;COUNT=2"),
        ["2027-03-15T06:00:00Z", "2027-03-16T06:00:00Z"]
    );
}

#[test]
fn what_a_clock_shows_twice_comes_once() {
    assert_eq!(
        instants("20271107T003000", NEW_YORK, "FREQ=HOURLY;COUNT=4"),
        ["2027-11-07T04:30:00Z", "2027-11-07T05:30:00Z", "2027-11-07T07:30:00Z", "2027-11-07T08:30:00Z"]
    );
}

#[test]
fn a_shifted_time_of_a_daily_rule_may_fall_on_another_and_behind_a_later_one() {
    let rule = "FREQ=DAILY;BYHOUR=2,3;BYMINUTE=0,30";
    assert_eq!(
        instants("20270314T023000", NEW_YORK, &format!("{rule};COUNT=3")),
        ["2027-03-14T07:00:00Z", "2027-03-14T07:30:00Z"]
    );
    let end = format!("{rule};UNTIL=20270314T071500Z");
    assert_eq!(instants("20270314T023000", NEW_YORK, &end), ["2027-03-14T07:00:00Z"]);
    let rule = recurrence("20270314T023000", NEW_YORK, rule).checked().unwrap();
    let all = Interval::new(Instant::MIN, Instant::MAX).unwrap();
    let first = rule.occurrences(all, 1, &plenty()).unwrap();
    assert_eq!(first.first().unwrap().to_string(), "2027-03-14T07:00:00Z");
}

#[test]
fn ordinals_are_counted_from_both_ends_as_far_as_they_go() {
    assert_eq!(
        instants("20260101T090000", "UTC", "FREQ=MONTHLY;BYDAY=-5TH;UNTIL=20261231T000000Z"),
        [
            "2026-01-01T09:00:00Z",
            "2026-04-02T09:00:00Z",
            "2026-07-02T09:00:00Z",
            "2026-10-01T09:00:00Z",
            "2026-12-03T09:00:00Z"
        ]
    );
    // Years of 53 Mondays; the first and last of those.
    for (rule, first) in [("-53MO", "2029-01-01"), ("53MO", "2029-12-31"), ("+53MO", "2029-12-31")] {
        let found = instants("20260101T090000", "UTC", &format!("FREQ=YEARLY;BYDAY={rule};COUNT=1"));
        assert_eq!(found, [format!("{first}T09:00:00Z")], "{rule}");
    }
    for ordinal in 1..=53 {
        for sign in ["", "-"] {
            let rule = format!("FREQ=YEARLY;BYDAY={sign}{ordinal}TH");
            assert!(recurrence("20260101T090000", "UTC", &rule).checked().is_ok(), "{rule}");
            let monthly = format!("FREQ=MONTHLY;BYDAY={sign}{ordinal}TH");
            let checked = recurrence("20260101T090000", "UTC", &monthly).checked();
            assert_eq!(checked.is_ok(), ordinal <= 5, "{monthly}");
        }
    }
}

#[test]
fn exdates_and_rdates_are_local_times() {
    let mut rule = recurrence("20260105T090000", "Europe/Lisbon", "FREQ=DAILY;COUNT=3");
    rule.exdates = vec![local("20260106T090000")];
    rule.rdates = vec![local("20260106T150000"), local("20260107T090000")];
    let all = Interval::new(Instant::MIN, Instant::MAX).unwrap();
    let found = rule.checked().unwrap().occurrences(all, 9, &plenty()).unwrap();
    let found: Vec<String> = found.into_iter().map(|at| at.to_string()).collect();
    assert_eq!(found, ["2026-01-05T09:00:00Z", "2026-01-06T15:00:00Z", "2026-01-07T09:00:00Z"]);
}

#[test]
fn what_cannot_be_read_names_its_part() {
    for (rule, part) in [
        ("FREQ=SECONDLY", "FREQ"),
        ("FREQ=FORTNIGHTLY", "FREQ"),
        ("BYDAY=MO", "FREQ"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL"),
        ("FREQ=DAILY;INTERVAL=two", "INTERVAL"),
        ("FREQ=DAILY;COUNT=-1", "COUNT"),
        ("FREQ=DAILY;COUNT=3;UNTIL=20261231", "COUNT"),
        ("FREQ=DAILY;UNTIL=soon", "UNTIL"),
        ("FREQ=DAILY;UNTIL=20261331", "UNTIL"),
        ("FREQ=WEEKLY;WKST=XX", "WKST"),
        ("FREQ=DAILY;BYDAY=XX", "BYDAY"),
        ("FREQ=DAILY;BYDAY=", "BYDAY"),
        ("FREQ=DAILY;BYDAY=é", "BYDAY"),
        ("FREQ=WEEKLY;BYDAY=1MO", "BYDAY"),
        ("FREQ=MONTHLY;BYDAY=6MO", "BYDAY"),
        ("FREQ=YEARLY;BYWEEKNO=20;BYDAY=1MO", "BYDAY"),
        ("FREQ=YEARLY;BYMONTH=13", "BYMONTH"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY"),
        ("FREQ=WEEKLY;BYMONTHDAY=1", "BYMONTHDAY"),
        ("FREQ=YEARLY;BYYEARDAY=-367", "BYYEARDAY"),
        ("FREQ=MONTHLY;BYYEARDAY=1", "BYYEARDAY"),
        ("FREQ=MONTHLY;BYWEEKNO=1", "BYWEEKNO"),
        ("FREQ=DAILY;BYHOUR=24", "BYHOUR"),
        ("FREQ=DAILY;BYMINUTE=60", "BYMINUTE"),
        ("FREQ=DAILY;BYSECOND=1,61", "BYSECOND"),
        ("FREQ=MONTHLY;BYSETPOS=1", "BYSETPOS"),
        ("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=32", "BYSETPOS"),
        ("FREQ=DAILY;BYEASTER=0", "BYEASTER"),
        ("FREQ=DAILY;FREQ=DAILY", "FREQ"),
        ("DAILY", "RRULE"),
        ("FREQ=DAILY;", "RRULE"),
        ("", "RRULE"),
    ] {
        let error = recurrence("20260105T090000", "UTC", rule).checked().unwrap_err();
        assert_eq!(error.part, part, "{rule}: {error}");
    }
    // Names and values in any case are the same.
    assert!(recurrence("20260105T090000", "UTC", "freq=daily;byday=mo").checked().is_ok());
}

#[test]
fn a_rule_that_never_comes_ends_and_is_not_kept() {
    let all = Interval::new(Instant::MIN, Instant::MAX).unwrap();
    for rule in [
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;INTERVAL=7;BYDAY=TU",
        "FREQ=HOURLY;INTERVAL=24;BYHOUR=10",
        "FREQ=MONTHLY;INTERVAL=12;BYMONTH=2;BYMONTHDAY=1",
        "FREQ=YEARLY;BYYEARDAY=1;BYMONTH=2",
        "FREQ=YEARLY;INTERVAL=400;BYMONTH=1;BYMONTHDAY=1;BYDAY=MO",
    ] {
        let never = recurrence("20260105T090000", "UTC", rule).checked().unwrap();
        assert_eq!(never.occurrences(all, 5, &plenty()), Ok(Vec::new()), "{rule}");
        assert_eq!(never.keepable().unwrap_err().part, "RRULE", "{rule}");
    }
    let over = recurrence("20260105T090000", "UTC", "FREQ=DAILY;UNTIL=20260104").checked().unwrap();
    assert_eq!(over.keepable().unwrap_err().part, "RRULE");
}

#[test]
fn a_rule_is_kept_when_it_comes_and_is_cheap_to_follow() {
    for (rule, part) in [
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", None),
        ("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", None),
        ("FREQ=HOURLY", None),
        ("FREQ=MINUTELY;INTERVAL=15", None),
        ("FREQ=MINUTELY;BYHOUR=9;BYMINUTE=0,15,30,45", None),
        ("FREQ=DAILY;BYHOUR=9,10,11,12,13,14,15,16;BYMINUTE=0,20,40", None),
        ("FREQ=WEEKLY;COUNT=520", None),
        ("FREQ=MINUTELY", Some("RRULE")),
        ("FREQ=MINUTELY;INTERVAL=10", Some("RRULE")),
        ("FREQ=DAILY;BYHOUR=9;BYMINUTE=0,1,2,3,4,5,6,7,8,9;BYSECOND=0,1,2,3,4,5,6,7,8,9", Some("RRULE")),
        ("FREQ=DAILY;COUNT=4294967295", Some("COUNT")),
        ("FREQ=HOURLY;COUNT=100000", Some("COUNT")),
    ] {
        let rule_of = recurrence("20260105T090000", "UTC", rule).checked().unwrap();
        let refused = rule_of.keepable().err().map(|error| error.part);
        assert_eq!(refused.as_deref(), part, "{rule}");
    }
    // What is left out and what is added by name changes nothing of it.
    let mut never = recurrence("20260105T090000", "UTC", "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30");
    never.rdates = vec![local("20260106T150000")];
    assert!(never.checked().unwrap().keepable().is_err());
}

#[test]
fn a_rule_that_comes_rarely_is_not_followed_for_ever() {
    let all = Interval::new(Instant::MIN, Instant::MAX).unwrap();
    for rule in ["FREQ=HOURLY;BYMONTH=1;BYMONTHDAY=1;BYHOUR=1", "FREQ=MINUTELY;BYMINUTE=0;BYHOUR=1"] {
        let rare = recurrence("20260105T090000", "UTC", rule).checked().unwrap();
        let found = rare.occurrences(all, usize::MAX, &Budget::of(5_000));
        assert_eq!(found, Err(Exhausted::Steps), "{rule}");
    }
}

#[test]
fn weekdays_with_and_without_a_number_add_up() {
    assert_eq!(
        first("20260101T090000", "FREQ=MONTHLY;BYDAY=TU,1FR", 6),
        "20260102T0900 20260106T0900 20260113T0900 20260120T0900 20260127T0900 20260203T0900"
    );
}

#[test]
fn what_lies_outside_of_the_years_that_are_known_is_refused_at_the_door_and_harmless_in_the_store() {
    let all = Interval::new(Instant::MIN, Instant::MAX).unwrap();
    for (dtstart, rule, part) in [
        ("00010101T090000", "FREQ=DAILY", "DTSTART"),
        ("99991231T090000", "FREQ=DAILY", "DTSTART"),
        ("22000101T000000", "FREQ=DAILY", "DTSTART"),
        ("20260105T090000", "FREQ=DAILY;UNTIL=99991231T235959Z", "UNTIL"),
        ("20260105T090000", "FREQ=DAILY;UNTIL=00010101", "UNTIL"),
    ] {
        let rule = recurrence(dtstart, "Pacific/Kiritimati", rule);
        assert_eq!(rule.checked().unwrap_err().part, part);
        let found = rule.stored().unwrap().occurrences(all, 3, &plenty()).unwrap();
        assert!(found.iter().all(|at| *at > Instant::MIN && *at < Instant::MAX), "{found:?}");
    }
    for far in ["00010101T000000", "99991231T235959"] {
        let mut rule = recurrence("20260105T090000", "America/Adak", "FREQ=DAILY;COUNT=1");
        rule.exdates = vec![local(far)];
        assert_eq!(rule.checked().unwrap_err().part, "EXDATE");
        rule.exdates = Vec::new();
        rule.rdates = vec![local(far)];
        assert_eq!(rule.checked().unwrap_err().part, "RDATE");
        assert_eq!(rule.stored().unwrap().occurrences(all, 9, &plenty()).unwrap().len(), 1);
    }
}

#[test]
fn a_rule_that_began_long_ago_keeps_its_step() {
    let month = Interval::of_minutes("2026-11-01T00:00:00Z".parse().unwrap(), 43_200);
    for (rule, expected) in [
        ("FREQ=MINUTELY;INTERVAL=10000", "2026-11-02T18:20:00Z"),
        ("FREQ=DAILY;INTERVAL=17", "2026-11-15T09:00:00Z"),
        ("FREQ=WEEKLY;INTERVAL=3;BYDAY=TU,SA;WKST=SU", "2026-11-10T09:00:00Z"),
    ] {
        let old = recurrence("19260105T090000", "UTC", rule).stored().unwrap();
        let found = old.occurrences(month, 1, &plenty()).unwrap();
        assert_eq!(found.first().map(ToString::to_string).as_deref(), Some(expected), "{rule}");
    }
}
