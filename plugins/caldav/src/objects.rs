//! The events of a calendar, however much is in them: in one answer, or in pieces of what fits.

use std::collections::VecDeque;

use berth_sdk::{
    Result, log,
    types::{Interval, ProviderError},
};

use crate::{
    dav, errors,
    map::{
        href,
        xml::{Multistatus, Resource},
    },
};

/// What one piece holds at most, by the server's own word, in bytes: half of what one answer may.
const PIECE_BYTES_MAX: usize = 2 * 1024 * 1024;
/// What is assumed of an event whose size the server does not tell, in bytes: a long one without attachments.
const ASSUMED_BYTES: usize = 32 * 1024;
/// An event that is larger is not read, in bytes: only attachments are, and the server gives them whether they are asked for or not.
const OBJECT_BYTES_MAX: usize = 512 * 1024;
/// Times that a stretch is halved whose listing is too large.
const HALVINGS_MAX: u32 = 3;
/// Requests for the pieces of one calendar, so that others fit into the call.
const REQUESTS_MAX: usize = 8;

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Objects {
    pub(crate) resources: Vec<Resource>,
    /// URLs of those that are too large to be read.
    pub(crate) too_large: Vec<String>,
}

/// Those that touch this time.
pub(crate) fn within(calendar: &str, within: Interval) -> Result<Objects> {
    match dav::events(calendar, within) {
        Err(error) if errors::is_too_much(&error) => {
            log::warn("the calendar is asked for in pieces: one answer does not hold it");
            let mut requests = REQUESTS_MAX;
            sizes(calendar, within, HALVINGS_MAX, &mut requests)
                .and_then(|urls| pieces(calendar, urls, &mut requests))
        }
        whole => whole.map(|answer| Objects { resources: answer.resources, too_large: Vec::new() }),
    }
}

/// These.
pub(crate) fn named(calendar: &str, urls: &[String]) -> Result<Objects> {
    let mut requests = REQUESTS_MAX;
    let assumed = urls.iter().map(|url| (url.clone(), 0)).collect();
    pieces(calendar, assumed, &mut requests)
}

fn spend(requests: &mut usize) -> Result<()> {
    *requests = requests.checked_sub(1).ok_or_else(|| {
        log::warn("the calendar has more large events than can be asked for in one call");
        ProviderError::Unavailable(None)
    })?;
    Ok(())
}

/// URLs and sizes of the events that touch this time.
fn sizes(
    calendar: &str,
    within: Interval,
    halvings: u32,
    requests: &mut usize,
) -> Result<Vec<(String, usize)>> {
    spend(requests)?;
    match dav::sizes(calendar, within) {
        Ok(answer) => Ok(told(&answer, calendar)),
        Err(error) if errors::is_too_much(&error) && halvings > 0 => {
            let middle = i64::midpoint(within.start, within.end);
            let mut all = sizes(calendar, Interval { end: middle, ..within }, halvings - 1, requests)?;
            all.extend(sizes(calendar, Interval { start: middle, ..within }, halvings - 1, requests)?);
            // What lasts over the middle is in both.
            all.sort();
            all.dedup();
            Ok(all)
        }
        Err(error) => Err(error),
    }
}

fn told(answer: &Multistatus, calendar: &str) -> Vec<(String, usize)> {
    let size = |resource: &Resource| {
        let told = resource.text("getcontentlength").and_then(|text| text.parse().ok());
        (href::resolve(calendar, &resource.href), told.unwrap_or(ASSUMED_BYTES))
    };
    answer.resources.iter().map(size).collect()
}

/// Ask for them in pieces, smaller ones where a piece does not fit after all.
fn pieces(calendar: &str, urls: Vec<(String, usize)>, requests: &mut usize) -> Result<Objects> {
    let mut found = Objects::default();
    let mut waiting: VecDeque<Vec<String>> = VecDeque::new();
    let mut room = 0;
    for (url, size) in urls {
        if size > OBJECT_BYTES_MAX {
            found.too_large.push(url);
            continue;
        }
        match waiting.back_mut() {
            Some(piece) if size <= room => {
                room -= size;
                piece.push(url);
            }
            _ => {
                room = PIECE_BYTES_MAX - size;
                waiting.push_back(vec![url]);
            }
        }
    }
    while let Some(mut piece) = waiting.pop_front() {
        spend(requests)?;
        match dav::multiget(calendar, &piece) {
            Ok(answer) => found.resources.extend(answer.resources),
            Err(error) if errors::is_too_much(&error) => {
                if piece.len() > 1 {
                    let second = piece.split_off(piece.len() / 2);
                    waiting.extend([piece, second]);
                    continue;
                }
                found.too_large.extend(piece);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}
