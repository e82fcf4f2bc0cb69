//! Whether one host can take a start, and why not.

use super::{
    busy::{self, Calendar},
    limit::Counter,
    question::{Host, Question},
    reason::Reason,
};
use crate::{
    budget::{Budget, Exhausted},
    time::{Instant, Interval},
};

/// One host with everything prepared. Asked for starts in ascending order.
pub(super) struct Judge<'a> {
    pub(super) host: &'a Host,
    question: &'a Question,
    pub(super) calendar: Calendar,
    limits: Vec<Counter>,
    not_before: Instant,
    opens: Instant,
    closes: Instant,
    at_window: usize,
}

impl<'a> Judge<'a> {
    pub(super) fn new(question: &'a Question, host: &'a Host) -> Self {
        let (opens, closes) = question
            .booking_window
            .map_or((Instant::MIN, Instant::MAX), |window| window.bounds(host.zone, question.now));
        let counted = || host.taken.iter().filter(|t| t.counts && !t.when.is_empty()).map(|t| t.when);
        Self {
            host,
            question,
            calendar: Calendar::new(&host.taken, question.meeting),
            limits: question.limits.iter().map(|limit| Counter::new(*limit, host.zone, counted())).collect(),
            not_before: question
                .now
                .map_or(Instant::MIN, |now| now.plus_minutes(i64::from(question.notice_minutes))),
            opens,
            closes,
            at_window: 0,
        }
    }

    pub(super) const fn rewind(&mut self) {
        self.at_window = 0;
        self.calendar.rewind();
    }

    /// Can this host take this start? Constant time, seen over ascending starts, but for sessions that overlap one another.
    pub(super) fn takes(&mut self, start: Instant, budget: &Budget) -> Result<bool, Exhausted> {
        budget.spend_each(self.limits.len().saturating_add(1))?;
        let when = self.question.meeting.at(start);
        let windows = &self.host.windows;
        while windows.get(self.at_window).is_some_and(|w| w.end() < when.end()) {
            self.at_window = self.at_window.saturating_add(1);
        }
        Ok(start >= self.not_before
            && (self.opens..self.closes).contains(&start)
            && windows.get(self.at_window).is_some_and(|w| w.contains(when))
            && self.calendar.is_free(start, budget)?
            && self.limits.iter_mut().all(|limit| limit.allows(start, self.question.meeting.length_minutes)))
    }

    /// Why this host cannot take this start, and what is in the way; by looking at everything.
    pub(super) fn reason(&mut self, start: Instant, budget: &Budget) -> Result<Why, Exhausted> {
        let host = self.host;
        let looked = [host.windows.len(), host.unrestricted.len(), host.regular.len(), host.taken.len()];
        let bounds = host.bounds.iter().map(|(_, windows)| windows.len());
        let looked = looked.into_iter().chain(bounds).fold(self.limits.len(), usize::saturating_add);
        // Reading along a list is cheaper than a step.
        budget.spend_each(looked.div_ceil(LOOKS_PER_STEP).saturating_add(1))?;
        Ok(self.why(start))
    }

    fn why(&mut self, start: Instant) -> Why {
        let when = self.question.meeting.at(start);
        if !self.host.windows.iter().any(|w| w.contains(when)) {
            let open = |windows: &[Interval]| windows.iter().any(|w| w.contains(when));
            let reason = match (open(&self.host.unrestricted), open(&self.host.regular)) {
                (true, _) => {
                    let outside = self.host.bounds.iter().find(|(_, windows)| !open(windows));
                    outside.map_or(Reason::Restriction, |(reason, _)| *reason)
                }
                (false, true) => Reason::Override,
                (false, false) => Reason::Hours,
            };
            return Some((reason, None));
        }
        if !(self.opens..self.closes).contains(&start) {
            return Some((Reason::Window, None));
        }
        if start < self.not_before {
            return Some((Reason::Notice, None));
        }
        if let Some((reason, by)) = busy::reason(&self.host.taken, &self.question.meeting, start) {
            return Some((reason, Some(by)));
        }
        let length = self.question.meeting.length_minutes;
        (!self.limits.iter_mut().all(|limit| limit.allows(start, length))).then_some((Reason::Limit, None))
    }
}

/// Why not, and what is in the way; none if nothing speaks against it.
pub type Why = Option<(Reason, Option<Interval>)>;

/// So many items of a list are read in the time of one step.
const LOOKS_PER_STEP: usize = 8;
