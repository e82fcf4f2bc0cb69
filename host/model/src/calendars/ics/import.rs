//! What another import changes of the holidays of a listing.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::{origin::Origin, read::ClosedDays};
use crate::{
    id::RuleId,
    scheduling::rule::{Holiday, Rule, RuleRecord},
};

/// What an import changes of the holidays of a listing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HolidayChange {
    /// Those that are not there.
    pub make: Vec<(Holiday, Option<Origin>)>,
    /// Those that a newer version of their event has as well.
    pub renew: Vec<(RuleId, Origin)>,
    /// Those that a newer version of their event does not have any more, or not under this name.
    pub remove: Vec<RuleId>,
    /// How many are there already.
    pub already: usize,
    /// UIDs of which a newer version was imported before: nothing of them changes.
    pub outdated: Vec<String>,
}

type Stretch = (NaiveDate, NaiveDate);

fn stretch(holiday: &Holiday) -> Stretch {
    (holiday.date, holiday.last_date.unwrap_or(holiday.date))
}

/// What an import changes, given the holidays that the listing has. A holiday is there already if one of the same days is of the same event,
/// or has the same name, wherever that one is from. What a newer version of an event does not have any more goes, and everything of one that
/// was cancelled; what a person changed since it was imported stays.
#[must_use]
pub fn change(known: &[RuleRecord], closed: &ClosedDays) -> HolidayChange {
    let mut named: BTreeSet<(Stretch, &str)> = BTreeSet::new();
    let mut of_uid: BTreeMap<&str, Vec<Imported<'_>>> = BTreeMap::new();
    for record in known {
        let Rule::Holiday(holiday) = &record.rule else { continue };
        named.insert((stretch(holiday), &holiday.name));
        if let Some(origin) = &record.origin {
            of_uid.entry(&origin.uid).or_default().push(Imported { record, holiday, origin });
        }
    }
    let mut change = HolidayChange::default();
    for new in &closed.by_uid {
        let of_same = new.origin.as_ref().and_then(|origin| of_uid.get(origin.uid.as_str()));
        let of_same = of_same.map(Vec::as_slice).unwrap_or_default();
        let before = of_same.iter().map(|old| old.origin.version()).max();
        let now = new.origin.as_ref().map(Origin::version);
        if before > now {
            change.outdated.extend(new.origin.as_ref().map(|origin| origin.uid.clone()));
            continue;
        }
        let wanted: BTreeMap<Stretch, &str> =
            new.holidays.iter().map(|holiday| (stretch(holiday), holiday.name.as_str())).collect();
        // Of what recurs only these days are known.
        let reach = closed.recurring_within.filter(|_| new.recurs);
        let mut there: BTreeSet<Stretch> = BTreeSet::new();
        for old in of_same {
            let days = stretch(old.holiday);
            let replaced =
                new.cancelled || (before < now && wanted.get(&days) != Some(&old.holiday.name.as_str()));
            let is_seen = reach.is_none_or(|(from, to)| (from..=to).contains(&old.holiday.date));
            if replaced && is_seen && old.record.revision == 1 {
                change.remove.push(old.record.id);
                named.remove(&(days, &old.holiday.name));
                continue;
            }
            there.insert(days);
            if before < now
                && let Some(origin) = &new.origin
            {
                change.renew.push((old.record.id, origin.clone()));
            }
        }
        for holiday in &new.holidays {
            let days = stretch(holiday);
            if !there.contains(&days) && named.insert((days, &holiday.name)) {
                change.make.push((holiday.clone(), new.origin.clone()));
            } else {
                change.already = change.already.saturating_add(1);
            }
        }
    }
    change
}

/// A holiday that an earlier import made.
struct Imported<'a> {
    record: &'a RuleRecord,
    holiday: &'a Holiday,
    origin: &'a Origin,
}

#[cfg(test)]
mod tests;
