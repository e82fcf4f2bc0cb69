use super::*;
use crate::{
    budget::Budget,
    calendars::ics::closed_days,
    id::{ListingId, TenantId},
    scheduling::rule::RuleOwner,
    time::Instant,
};
use proptest::prelude::{prop, prop_assert, prop_assert_eq, proptest};
use uuid::Uuid;

/// A listing's holidays.
#[derive(Default)]
struct Listing {
    holidays: Vec<RuleRecord>,
    ids: u128,
}

impl Listing {
    fn import(&mut self, text: &str) -> HolidayChange {
        let today = "2026-11-30".parse().unwrap();
        let closed = closed_days(text.as_bytes(), today, &Budget::of(1_000_000)).unwrap();
        let change = change(&self.holidays, &closed);
        self.holidays.retain(|rule| !change.remove.contains(&rule.id));
        for (id, origin) in &change.renew {
            self.holidays.iter_mut().find(|rule| rule.id == *id).unwrap().origin = Some(origin.clone());
        }
        for (holiday, origin) in change.make.clone() {
            self.ids += 1;
            self.holidays.push(RuleRecord {
                id: RuleId::from_uuid(Uuid::from_u128(self.ids)),
                tenant: TenantId::from_uuid(Uuid::nil()),
                owner: Some(RuleOwner::Listing(ListingId::from_uuid(Uuid::nil()))),
                rule: Rule::Holiday(holiday),
                origin,
                revision: 1,
                created_at: Instant::MIN,
                updated_at: Instant::MIN,
            });
        }
        change
    }

    fn days(&self) -> Vec<String> {
        let shown = |rule: &RuleRecord| match &rule.rule {
            Rule::Holiday(holiday) => format!("{} {}", holiday.name, holiday.date.format("%m%d")),
            _ => unreachable!(),
        };
        let mut days: Vec<String> = self.holidays.iter().map(shown).collect();
        days.sort();
        days
    }
}

fn file(events: &[&str]) -> String {
    let events: Vec<String> = events
        .iter()
        .map(|event| {
            let (name, rest) = event.split_once(' ').unwrap();
            let (day, more) = rest.split_once(' ').unwrap_or((rest, "X-A:b"));
            format!(
                "BEGIN:VEVENT\nUID:{name}\nSUMMARY:{name}\nDTSTART;VALUE=DATE:2026{day}\n{more}\nEND:VEVENT\n"
            )
        })
        .collect();
    format!("BEGIN:VCALENDAR\n{}END:VCALENDAR\n", events.concat())
}

#[test]
fn a_file_that_comes_again_changes_nothing() {
    let mut listing = Listing::default();
    let both = file(&["a 1224", "b 1225"]);
    assert_eq!(listing.import(&both).make.len(), 2);
    let again = listing.import(&both);
    assert_eq!(again, HolidayChange { already: 2, ..HolidayChange::default() });
    // Under other UIDs, as some publishers make them anew with each download.
    let anew = listing.import(&both.replace("UID:", "UID:new-"));
    assert_eq!((anew.make.len(), anew.already), (0, 2));
    let nameless = both.replace("UID:", "X-UID:");
    assert_eq!(listing.import(&nameless).make.len(), 0);
    // Another year of the same publisher, whose UIDs are those of the feasts.
    let next = listing.import(&both.replace(":2026", ":2027"));
    assert_eq!((next.make.len(), next.remove.len()), (2, 0));
}

#[test]
fn a_newer_version_replaces_and_an_older_one_changes_nothing() {
    let mut listing = Listing::default();
    let first = file(&["a 1224", "b 1225"]);
    listing.import(&first);
    let moved = file(&["a 1228 SEQUENCE:1"]);
    let change = listing.import(&moved);
    assert_eq!((change.make.len(), change.remove.len()), (1, 1));
    assert_eq!(listing.days(), ["a 1228", "b 1225"]);
    let old = listing.import(&first);
    assert_eq!((old.outdated, old.make, old.remove), (vec!["a".to_owned()], Vec::new(), Vec::new()));
    let longer = file(&["a 1228 SEQUENCE:2\nDTEND;VALUE=DATE:20261230"]).replace("SUMMARY:a", "SUMMARY:c");
    assert_eq!(listing.import(&longer).remove.len(), 1);
    assert_eq!(listing.days(), ["b 1225", "c 1228"]);
    let same = listing.import(&longer.replace("SEQUENCE:2", "SEQUENCE:3"));
    assert_eq!((same.renew.len(), same.already, same.make.len()), (1, 1, 0));
    assert_eq!(listing.import(&longer).outdated, ["a"], "the newest version is remembered");
    let cancelled = file(&["b 1225 STATUS:CANCELLED"]);
    assert_eq!(listing.import(&cancelled).remove.len(), 1, "also without a SEQUENCE");
    assert_eq!(listing.days(), ["c 1228"]);
}

#[test]
fn what_a_person_changed_stays() {
    let mut listing = Listing::default();
    listing.import(&file(&["a 1224"]));
    listing.holidays[0].revision = 2;
    let change = listing.import(&file(&["a 1228 SEQUENCE:1"]));
    assert_eq!((change.make.len(), change.remove.len(), change.renew.len()), (1, 0, 1));
    assert_eq!(listing.days(), ["a 1224", "a 1228"]);
}

#[test]
fn of_what_recurs_only_the_days_that_were_followed_can_go() {
    let mut listing = Listing::default();
    let early = file(&["a 1224 RRULE:FREQ=YEARLY;COUNT=3"]);
    listing.import(&early.replace(":20261224", ":20241224"));
    assert_eq!(listing.days(), ["a 1224"], "2026; what was before is over");
    let Rule::Holiday(holiday) = &mut listing.holidays[0].rule else { panic!() };
    holiday.date = "2025-12-24".parse().unwrap();
    holiday.last_date = None;
    let later = file(&["a 1225 RRULE:FREQ=YEARLY;COUNT=3\nSEQUENCE:1"]);
    let change = listing.import(&later);
    assert_eq!((change.make.len(), change.remove.len()), (3, 0));
}

proptest! {
    /// Whatever files come, each again changes nothing, and what is closed is what the newest versions say.
    #[test]
    fn imports_settle(files in prop::collection::vec(prop::collection::vec((0..3_u8, 1..5_u32, 0..3_u8, 0..6_u8), 1..4), 1..5)) {
        let mut listing = Listing::default();
        for events in files {
            let events: Vec<String> = events
                .iter()
                .map(|(name, day, sequence, cancelled)| {
                    let status = if *cancelled == 0 { "\nSTATUS:CANCELLED" } else { "" };
                    format!("{name} 12{day:02} SEQUENCE:{sequence}{status}")
                })
                .collect();
            let text = file(&events.iter().map(String::as_str).collect::<Vec<_>>());
            listing.import(&text);
            let again = listing.import(&text);
            prop_assert!(again.make.is_empty() && again.remove.is_empty() && again.renew.is_empty(), "{:?}", again);
            let mut days = listing.days();
            let all = days.len();
            days.dedup();
            prop_assert_eq!(days.len(), all, "nothing is there twice");
        }
    }
}
