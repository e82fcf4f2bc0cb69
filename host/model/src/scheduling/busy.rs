//! Taken time of one person, ready to be asked about starts in ascending order.

use super::{meeting::Meeting, reason::Reason};
use crate::{
    budget::{Budget, Exhausted},
    time::{Instant, Interval},
};

/// Why a stretch is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BusyKind {
    /// A booking or an external calendar event.
    Busy,
    /// Seats of a session of the event type that is asked for.
    Session {
        /// Customers in it.
        seats: u32,
    },
    /// Somebody's hold on the whole slot.
    Hold,
    /// Somebody's hold on one seat of a session.
    SeatHold,
}

/// A stretch of somebody's time that is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BusyTime {
    /// The meeting itself.
    pub when: Interval,
    /// Time it keeps free before, in minutes; external calendar events have none.
    pub buffer_before_minutes: u32,
    /// Time it keeps free after, in minutes.
    pub buffer_after_minutes: u32,
    /// By what.
    pub by: BusyKind,
    /// Does it count towards the limits of the event type?
    pub counts: bool,
}

impl BusyTime {
    /// Busy time without buffers, such as an event of an external calendar.
    #[must_use]
    pub const fn of(when: Interval) -> Self {
        Self { when, buffer_before_minutes: 0, buffer_after_minutes: 0, by: BusyKind::Busy, counts: false }
    }
}

/// A stretch that a meeting of the asked-for kind may not touch, with the buffers of both sides in it: the earlier one's *after* and the
/// later one's *before* add up (SCHEDULING rule 3).
fn padded(taken: &BusyTime, meeting: &Meeting) -> Interval {
    taken.when.widened(
        taken.buffer_before_minutes.saturating_add(meeting.buffer_after_minutes),
        taken.buffer_after_minutes.saturating_add(meeting.buffer_before_minutes),
    )
}

/// A session of the event type: its time, what it blocks for everyone else, its seats that are taken.
#[derive(Debug, Clone, Copy)]
struct Session {
    when: Interval,
    padded: Interval,
    seats: u32,
    held: bool,
}

/// One person's taken time. Questions must ascend, unless [`Self::rewind`] is called.
#[derive(Debug, Clone)]
pub(super) struct Calendar {
    meeting: Meeting,
    /// What blocks wholly, buffers of both sides included. Merged.
    hard: Vec<Interval>,
    /// Sessions by start.
    sessions: Vec<Session>,
    /// The latest end of the sessions up to each.
    latest_end: Vec<Instant>,
    at_hard: usize,
    at_session: usize,
}

impl Calendar {
    /// Cost: one sort of what is taken.
    pub(super) fn new(taken: &[BusyTime], meeting: Meeting) -> Self {
        let mut hard = Vec::with_capacity(taken.len());
        let mut sessions: Vec<Session> = Vec::new();
        for each in taken.iter().filter(|t| !t.when.is_empty()) {
            let (seats, held) = match each.by {
                BusyKind::Session { seats } => (seats, false),
                BusyKind::SeatHold => (1, true),
                BusyKind::Busy | BusyKind::Hold => {
                    hard.push(padded(each, &meeting));
                    continue;
                }
            };
            sessions.push(Session { when: each.when, padded: padded(each, &meeting), seats, held });
        }
        sessions.sort_unstable_by_key(|s| s.when);
        sessions.dedup_by(|next, first| {
            let same = next.when == first.when;
            if same {
                first.seats = first.seats.saturating_add(next.seats);
                first.padded = first.padded.joined(next.padded);
                first.held |= next.held;
            }
            same
        });
        let mut latest = Instant::MIN;
        let latest_end = sessions
            .iter()
            .map(|s| {
                latest = latest.max(s.padded.end());
                latest
            })
            .collect();
        Self {
            meeting,
            hard: crate::intervals::merged(hard),
            sessions,
            latest_end,
            at_hard: 0,
            at_session: 0,
        }
    }

    /// Begin again: the next question may be earlier than the last.
    pub(super) const fn rewind(&mut self) {
        self.at_hard = 0;
        self.at_session = 0;
    }

    /// What blocks a new session wholly, merged: where a grid that restarts after busy times restarts. Sessions that can still be joined
    /// do not: their own start stays on the grid.
    pub(super) fn full(&self) -> Vec<Interval> {
        let full = self.sessions.iter().filter(|s| s.seats >= self.meeting.seats).map(|s| s.padded);
        crate::intervals::merged(self.hard.iter().copied().chain(full).collect())
    }

    /// Starts of sessions that can still be joined.
    pub(super) fn joinable(&self) -> impl Iterator<Item = Instant> + '_ {
        let fits = |s: &&Session| s.seats < self.meeting.seats && s.when == self.meeting.at(s.when.start());
        self.sessions.iter().filter(fits).map(|s| s.when.start())
    }

    /// Seats taken in the session that starts then. `None`: there is none.
    pub(super) fn seats_taken(&self, start: Instant) -> Option<u32> {
        let when = self.meeting.at(start);
        self.sessions
            .binary_search_by(|s| s.when.cmp(&when))
            .ok()
            .and_then(|i| self.sessions.get(i))
            .map(|s| s.seats)
    }

    /// Is this start free? A step of the budget for each session that is looked at.
    pub(super) fn is_free(&mut self, start: Instant, budget: &Budget) -> Result<bool, Exhausted> {
        let when = self.meeting.at(start);
        while self.hard.get(self.at_hard).is_some_and(|h| h.end() <= when.start()) {
            self.at_hard = self.at_hard.saturating_add(1);
        }
        if self.hard.get(self.at_hard).is_some_and(|h| h.overlaps(when)) {
            return Ok(false);
        }
        while self.latest_end.get(self.at_session).is_some_and(|end| *end <= when.start()) {
            self.at_session = self.at_session.saturating_add(1);
        }
        let reach =
            when.end().plus_minutes(i64::from(self.meeting.buffer_after_minutes)).plus_minutes(DAY_MINUTES);
        for s in self.sessions.iter().skip(self.at_session).take_while(|s| s.when.start() < reach) {
            budget.spend(1)?;
            let free = if s.when == when { s.seats < self.meeting.seats } else { !s.padded.overlaps(when) };
            if !free {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// No buffer is longer: sessions further away block nothing.
const DAY_MINUTES: i64 = 1_440;

/// Why a start is not free, by looking at everything: for explanations.
pub(super) fn reason(taken: &[BusyTime], meeting: &Meeting, start: Instant) -> Option<(Reason, Interval)> {
    let when = meeting.at(start);
    let mut seats = 0_u32;
    let mut session = None;
    let mut found: Option<(Reason, Interval)> = None;
    for each in taken.iter().filter(|t| !t.when.is_empty()) {
        let taken_seats = match each.by {
            BusyKind::Session { seats } => seats,
            BusyKind::SeatHold => 1,
            BusyKind::Busy | BusyKind::Hold => 0,
        };
        if taken_seats > 0 && each.when == when {
            seats = seats.saturating_add(taken_seats);
            session = Some(each.when);
        } else if padded(each, meeting).overlaps(when) {
            let why = match each.by {
                BusyKind::Hold | BusyKind::SeatHold => Reason::Hold,
                _ if each.when.overlaps(when) => Reason::Busy,
                _ => Reason::Buffer,
            };
            // Busy itself explains more than a buffer.
            if found.is_none_or(|(old, _)| old == Reason::Buffer && why != Reason::Buffer) {
                found = Some((why, each.when));
            }
        }
    }
    let full = session.filter(|_| seats >= meeting.seats).map(|when| (Reason::Seats, when));
    found.or(full)
}
