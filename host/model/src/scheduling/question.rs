//! The question for slots: which meeting, in what time, by which rules, and with whom.

use super::{
    busy::BusyTime,
    meeting::Meeting,
    reason::Reason,
    rules::{BookingWindow, GridAnchor, Limit, TeamMode},
};
use crate::{
    time::{Instant, Interval},
    zone::Zone,
};

/// Somebody who may be booked.
#[derive(Debug, Clone)]
pub struct Host {
    /// Their clock: where rules name none.
    pub zone: Zone,
    /// When they are open. Merged. Windows must reach back to their opening, for the grid.
    pub windows: Vec<Interval>,
    /// When they would be open without what cuts everyone's hours; only explanations look here.
    pub unrestricted: Vec<Interval>,
    /// When they would be open without date overrides either; only explanations look here.
    pub regular: Vec<Interval>,
    /// What cuts their hours under a name of its own, the strongest first; only explanations look here.
    pub bounds: Vec<(Reason, Vec<Interval>)>,
    /// What of their time is taken.
    pub taken: Vec<BusyTime>,
    /// Round robin: takes part in every meeting.
    pub fixed: bool,
    /// Round robin: one of each group takes part.
    pub group: Option<String>,
}

/// A question for slots.
#[derive(Debug, Clone)]
pub struct Question {
    /// The clock; none: neither notice nor rolling windows apply.
    pub now: Option<Instant>,
    /// Slots lie wholly inside.
    pub range: Interval,
    /// What is asked for.
    pub meeting: Meeting,
    /// Distance between starts, in minutes.
    pub step_minutes: u32,
    /// Moves every start, in minutes.
    pub offset_minutes: u32,
    /// Where the grid begins.
    pub anchor: GridAnchor,
    /// The first start of a window is rounded up to a multiple of so many minutes past the hour.
    pub round_up_minutes: Option<u32>,
    /// On this clock; the host's if none.
    pub grid_zone: Option<Zone>,
    /// Who must be free.
    pub team_mode: TeamMode,
    /// No start before now and so many minutes; equality is allowed.
    pub notice_minutes: u32,
    /// At most so much per period, for each host.
    pub limits: Vec<Limit>,
    /// How far ahead.
    pub booking_window: Option<BookingWindow>,
    /// Who is asked.
    pub hosts: Vec<Host>,
}
