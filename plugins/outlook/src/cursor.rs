//! Incremental sync over delta links, one track per calendar.
//!
//! A delta query watches a window that is fixed when it begins. So that the window moves along, a track begins a new one from time to
//! time: first the new window is read to its end, then the old one for the last time. What changes meanwhile is seen by one of the
//! two, often by both, which does no harm.

use berth_sdk::{
    Result, cursor,
    time::DAY,
    types::{Instant, Interval, ProviderError},
};
use serde::{Deserialize, Serialize};

/// The window reaches back, so that what is not over yet is inside, however long it takes.
const BACK: i64 = 2 * DAY;
/// The window reaches ahead: about two years, which is more than anybody books ahead.
const AHEAD: i64 = 730 * DAY;
/// A window that is older than this is replaced.
const WINDOW_AGE_MAX: i64 = 30 * DAY;
/// What every path of a delta query has in it.
const DELTA: &str = "/calendarView/delta?";

/// Where a sync stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cursor {
    /// One per calendar, in the order of the settings.
    tracks: Vec<Track>,
    /// The track that is read next.
    at: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Track {
    calendar: String,
    /// When the window began.
    since: Instant,
    /// Where to go on; none at the beginning of the window.
    link: Option<String>,
    /// Where to go on in the window before, until it has been read for the last time.
    #[serde(default)]
    before: Option<String>,
    /// Was the new window read to its end, so that the one before is next?
    #[serde(default)]
    settled: bool,
}

/// What is to be asked next.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Question {
    pub(crate) calendar: String,
    pub(crate) window: Interval,
    /// None at the beginning of the window.
    pub(crate) path: Option<String>,
}

/// What a page said of the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// There is more.
    Next(String),
    /// That was all for now; changes will be there.
    Delta(String),
}

impl Cursor {
    /// From the beginning of all calendars.
    pub(crate) fn begin(calendars: &[String], now: Instant) -> Self {
        let track = |calendar: &String| Track {
            calendar: calendar.clone(),
            since: now,
            link: None,
            before: None,
            settled: false,
        };
        Self { tracks: calendars.iter().map(track).collect(), at: 0 }
    }

    /// From the text that was made of it. Other calendars than then: start over.
    pub(crate) fn parse(text: &str, calendars: &[String]) -> Result<Self> {
        let cursor: Self = cursor::parse(text)?;
        let ours = cursor.tracks.iter().map(|t| &t.calendar).eq(calendars)
            && cursor.at < cursor.tracks.len()
            && cursor.tracks.iter().flat_map(|t| t.link.iter().chain(&t.before)).all(|l| l.contains(DELTA));
        if ours { Ok(cursor) } else { Err(ProviderError::CursorExpired) }
    }

    /// What to ask now.
    pub(crate) fn question(&mut self, now: Instant) -> Result<Question> {
        let track = self.tracks.get_mut(self.at).ok_or(ProviderError::CursorExpired)?;
        if track.before.is_none() && track.since < now.saturating_sub(WINDOW_AGE_MAX) {
            track.before = track.link.take();
            track.since = now;
        }
        let window =
            Interval { start: track.since.saturating_sub(BACK), end: track.since.saturating_add(AHEAD) };
        let path = if track.settled { &track.before } else { &track.link };
        Ok(Question { calendar: track.calendar.clone(), window, path: path.clone() })
    }

    /// Go on from what was found. Is there more to be asked at once?
    pub(crate) fn found(&mut self, found: Found) -> bool {
        let Some(track) = self.tracks.get_mut(self.at) else { return false };
        match (found, track.settled) {
            (Found::Next(link), false) => {
                track.link = Some(link);
                return true;
            }
            (Found::Next(link), true) => {
                track.before = Some(link);
                return true;
            }
            (Found::Delta(link), false) => {
                track.link = Some(link);
                if track.before.is_some() {
                    track.settled = true;
                    return true;
                }
            }
            (Found::Delta(_), true) => (track.before, track.settled) = (None, false),
        }
        self.at += 1;
        if self.at < self.tracks.len() {
            return true;
        }
        self.at = 0;
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendars() -> Vec<String> {
        vec!["default".to_owned(), "AAMk/2".to_owned()]
    }

    fn link(name: &str) -> String {
        format!("/me/calendarView/delta?$deltatoken={name}")
    }

    /// Ask, and answer; what was asked and whether there is more.
    fn step(cursor: &mut Cursor, now: Instant, found: Found) -> (String, Option<String>, bool) {
        // Between any two steps the cursor is kept as text.
        *cursor = Cursor::parse(&cursor::text(&cursor).unwrap(), &calendars()).unwrap();
        let question = cursor.question(now).unwrap();
        (question.calendar, question.path, cursor.found(found))
    }

    #[test]
    fn every_calendar_is_read_to_its_end_in_turn() {
        let mut cursor = Cursor::begin(&calendars(), 0);
        let delta = |name: &str| Found::Delta(link(name));
        let (first, second) = ("default".to_owned(), "AAMk/2".to_owned());
        assert_eq!(step(&mut cursor, 1, Found::Next(link("a"))), (first.clone(), None, true));
        assert_eq!(step(&mut cursor, 2, delta("b")), (first.clone(), Some(link("a")), true));
        assert_eq!(step(&mut cursor, 3, delta("c")), (second.clone(), None, false));
        assert_eq!(step(&mut cursor, 4, delta("d")), (first.clone(), Some(link("b")), true));
        assert_eq!(step(&mut cursor, 5, delta("e")), (second, Some(link("c")), false));
        assert_eq!(step(&mut cursor, 6, delta("f")), (first, Some(link("d")), true));
    }

    #[test]
    fn a_new_window_is_read_before_the_old_one_is_left() {
        let mut cursor = Cursor::begin(&calendars()[..1], 0);
        assert!(!cursor.found(Found::Delta(link("old"))));
        let now = WINDOW_AGE_MAX + 1;
        let question = cursor.question(now).unwrap();
        assert_eq!(
            (question.path, question.window.start, question.window.end),
            (None, now - BACK, now + AHEAD)
        );
        assert!(cursor.found(Found::Next(link("new"))));
        assert_eq!(cursor.question(now).unwrap().path, Some(link("new")));
        assert!(cursor.found(Found::Delta(link("new end"))), "the old window is read once more");
        assert_eq!(cursor.question(now).unwrap().path, Some(link("old")));
        assert!(cursor.found(Found::Next(link("old 2"))));
        assert_eq!(cursor.question(now).unwrap().path, Some(link("old 2")));
        assert!(!cursor.found(Found::Delta(link("old end"))));
        assert_eq!(cursor.question(now).unwrap().path, Some(link("new end")));
    }

    #[test]
    fn text_that_is_not_ours_is_too_old() {
        let cursor = Cursor::begin(&calendars(), 0);
        assert_eq!(Cursor::parse(&cursor::text(&cursor).unwrap(), &calendars()), Ok(cursor.clone()));
        for (text, calendars) in [
            ("junk".to_owned(), calendars()),
            (cursor::text(&cursor).unwrap(), vec!["default".to_owned()]),
            (cursor::text(&cursor).unwrap().replace("\"at\":0", "\"at\":2"), calendars()),
            (
                cursor::text(&cursor).unwrap().replace("\"link\":null", "\"link\":\"/me/messages\""),
                calendars(),
            ),
        ] {
            assert_eq!(Cursor::parse(&text, &calendars), Err(ProviderError::CursorExpired), "{text}");
        }
    }
}
