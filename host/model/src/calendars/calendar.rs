//! Members' own calendars at providers.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{
    id::{BookingId, CalendarBlockId, CalendarId, ConnectionId, MemberId, TenantId},
    outbound::provider::{ExternalBusyTime, ExternalId},
    time::{Instant, Interval},
};

/// A member's calendar: read for busy times, written with the member's bookings, or both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CalendarRecord {
    /// Its id.
    pub id: CalendarId,
    /// Whose.
    #[serde(skip)]
    pub tenant: TenantId,
    /// Of which member.
    pub member: MemberId,
    /// Over which connection.
    pub connection: ConnectionId,
    /// The provider's id of it; empty: those that the connection's settings name (for reading).
    pub calendar: ExternalId,
    /// Are its busy times the member's?
    pub reads: bool,
    /// Are the member's bookings written into it?
    pub writes: bool,
    /// How: its provider closes times, or holds an entry for each booking. What the provider could do when it was connected.
    pub blocks: bool,
    /// What is wrong with it at the provider, or that this could not be found out yet; none if nothing is known.
    pub trouble: Option<String>,
    /// When it was connected.
    pub created_at: Instant,
    /// When it last changed.
    pub updated_at: Instant,
}

/// The entry of a booking in a calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarEntry {
    /// Whose.
    pub tenant: TenantId,
    /// Which booking.
    pub booking: BookingId,
    /// In which calendar.
    pub calendar: CalendarId,
    /// Over which connection.
    pub connection: ConnectionId,
    /// The provider's id of it; none: it is not there (any more).
    pub external_id: Option<ExternalId>,
    /// The sequence of the booking that it shows; -1 if somebody changed it there.
    pub written: i64,
    /// The time that it shows, if it is there.
    pub when: Option<Interval>,
    /// When it was written.
    pub updated_at: Instant,
}

/// A time that is closed in a calendar, whatever takes it elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarBlock {
    /// Its id; also the reference and the idempotency key that the provider is given.
    pub id: CalendarBlockId,
    /// Whose.
    pub tenant: TenantId,
    /// In which calendar.
    pub calendar: CalendarId,
    /// Over which connection.
    pub connection: ConnectionId,
    /// What is closed.
    pub when: Interval,
    /// How far it is.
    pub state: BlockState,
    /// The provider's id of it, once it is known.
    pub external_id: Option<ExternalId>,
    /// When it last changed.
    pub updated_at: Instant,
}

/// How far the closing of a time is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockState {
    /// To be closed; a try whose answer was lost may have done it.
    Wanted,
    /// Closed.
    Closed,
    /// Somebody booked it there.
    Refused,
}

impl BlockState {
    /// All states.
    pub const ALL: [Self; 3] = [Self::Wanted, Self::Closed, Self::Refused];
    /// The name in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wanted => "wanted",
            Self::Closed => "closed",
            Self::Refused => "refused",
        }
    }
}

/// By what is our own told from others' busy times: the provider's ids of what we closed, of what was opened a moment ago too, and whose
/// time and when, since a block is there before its id is known, and an entry shows the old time until it is moved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlockMarks {
    /// The provider's ids.
    pub ids: BTreeSet<String>,
    /// When, and whose.
    pub times: BTreeMap<Interval, BTreeSet<MemberId>>,
}

impl BlockMarks {
    /// Is this busy time our own closing or entry of this member's time (of anybody's if none)?
    #[must_use]
    pub fn recognise(&self, busy: &ExternalBusyTime, member: Option<MemberId>) -> bool {
        let is_theirs = |members: &BTreeSet<MemberId>| member.is_none_or(|member| members.contains(&member));
        busy.source.as_ref().is_some_and(|source| self.ids.contains(source))
            || self.times.get(&busy.when).is_some_and(is_theirs)
    }
}

/// Is a busy time nothing but these, joined where they touch? Providers join what touches, and do not say what they joined. `own` is
/// ascending.
#[must_use]
pub fn joined_of(own: &[Interval], busy: Interval) -> bool {
    let from = own.partition_point(|other| other.start() < busy.start());
    let mut reach = busy.start();
    for other in own.iter().skip(from) {
        if other.start() > reach {
            break;
        }
        if other.end() <= busy.end() {
            reach = reach.max(other.end());
        }
    }
    reach == busy.end() && busy.start() < busy.end()
}

/// A meeting of a calendar's member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meeting {
    /// When.
    pub when: Interval,
    /// Has the calendar an entry of it?
    pub written: bool,
}

/// Something in a calendar that lies over a meeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Over {
    /// Position of the meeting.
    pub meeting: usize,
    /// What lies over it.
    pub when: Interval,
    /// False: it may be the meeting's own entry, joined with what touches it. The events themselves say more.
    pub certain: bool,
}

/// What lies over meetings, for each the first of it. A busy time that is nothing but the meetings themselves is none.
#[must_use]
pub fn over(meetings: &[Meeting], busy: &[Interval]) -> Vec<Over> {
    let mut own: Vec<Interval> = meetings.iter().map(|meeting| meeting.when).collect();
    own.sort_unstable();
    own.dedup();
    let (ours, others): (Vec<Interval>, Vec<Interval>) =
        busy.iter().copied().partition(|busy| joined_of(&own, *busy));
    let first = |(i, meeting): (usize, &Meeting)| {
        let shown = ours.iter().any(|busy| busy.contains(meeting.when));
        let over = others.iter().filter(|busy| busy.overlaps(meeting.when)).map(|busy| {
            let joined = meeting.written && !shown && busy.contains(meeting.when);
            Over { meeting: i, when: *busy, certain: !joined }
        });
        over.min_by_key(|over| (!over.certain, over.when))
    };
    meetings.iter().enumerate().filter_map(first).collect()
}

/// From what is closed to what shall be: the times to be closed that nobody closed yet, and the blocks to be opened.
#[must_use]
pub fn block_changes(wanted: &[Interval], there: Vec<CalendarBlock>) -> (Vec<Interval>, Vec<CalendarBlock>) {
    let wanted: BTreeSet<Interval> = wanted.iter().copied().collect();
    let known: BTreeSet<Interval> = there.iter().map(|block| block.when).collect();
    let open = there.into_iter().filter(|block| !wanted.contains(&block.when)).collect();
    (wanted.difference(&known).copied().collect(), open)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(start: i64, end: i64) -> Interval {
        Interval::new(Instant::from_seconds(start), Instant::from_seconds(end)).unwrap()
    }

    #[test]
    fn what_touches_is_joined_and_nothing_else() {
        let own = [span(10, 20), span(20, 30), span(25, 28), span(40, 50)];
        for (busy, is) in [
            (span(10, 20), true),
            (span(10, 30), true),
            (span(20, 30), true),
            (span(10, 25), false),
            (span(15, 30), false),
            (span(10, 40), false),
            (span(10, 50), false),
            (span(40, 50), true),
            (span(40, 51), false),
            (span(5, 20), false),
            (span(10, 10), false),
        ] {
            assert_eq!(joined_of(&own, busy), is, "{busy:?}");
        }
    }

    #[test]
    fn what_lies_over_a_meeting_is_told_from_the_meeting() {
        let meeting = |when, written| Meeting { when, written };
        let over = |written, busy: &[Interval]| {
            let found = over(&[meeting(span(10, 20), written), meeting(span(20, 30), written)], busy);
            found.iter().map(|over| (over.meeting, over.certain)).collect::<Vec<_>>()
        };
        for (written, busy, found) in [
            // The entries themselves, single and joined.
            (true, vec![span(10, 20), span(20, 30)], vec![]),
            (true, vec![span(10, 30)], vec![]),
            (false, vec![span(10, 20)], vec![]),
            // Beside them.
            (true, vec![span(0, 10), span(30, 40)], vec![]),
            // Over the first, which is not written there.
            (false, vec![span(5, 20)], vec![(0, true)]),
            (false, vec![span(12, 15)], vec![(0, true)]),
            (false, vec![span(15, 25)], vec![(0, true), (1, true)]),
            // Single entries beside something else.
            (true, vec![span(10, 20), span(5, 20), span(20, 30)], vec![(0, true)]),
            // Joined with something that touches, or lies over.
            (true, vec![span(5, 30)], vec![(0, false), (1, false)]),
            (true, vec![span(15, 40)], vec![(0, true), (1, false)]),
        ] {
            assert_eq!(over(written, &busy), found, "{written} {busy:?}");
        }
    }
}
