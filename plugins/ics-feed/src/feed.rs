//! The one request: what is published at the address.

use berth_icalendar::Component;
use berth_sdk::{
    Result,
    http::{Client, error_of, retry_after_ms},
    log, time,
    types::ProviderError,
};

/// Longest tag that is kept, in bytes: longer ones are none.
const ETAG_BYTES_MAX: usize = 512;

/// What came.
pub(crate) enum Answer {
    /// The same as when this tag was given.
    Same,
    Changed(Feed),
}

/// What is published.
pub(crate) struct Feed {
    pub(crate) calendars: Vec<Component>,
    /// By which it can be asked whether it is still the same.
    pub(crate) etag: Option<String>,
}

impl Feed {
    /// As its owner calls it.
    pub(crate) fn name(&self) -> Option<String> {
        self.calendars.iter().find_map(|calendar| calendar.text("X-WR-CALNAME").or(calendar.text("NAME")))
    }
}

/// Ask for it; with a tag, only if it has changed since. Berth puts path and query of the address into the request.
pub(crate) fn ask(base_url: &str, etag: Option<&str>) -> Result<Answer> {
    let client = Client::live(base_url);
    let mut request = client.get("/").header("accept", "text/calendar, text/plain;q=0.5, */*;q=0.1");
    if let Some(etag) = etag {
        request = request.header("if-none-match", etag);
    }
    let response = request.send_any()?;
    match response.status {
        304 if etag.is_some() => Ok(Answer::Same),
        200 => {
            let calendars = read(&response.body)?;
            let etag = response.header("etag").filter(|tag| tag.len() <= ETAG_BYTES_MAX).map(str::to_owned);
            Ok(Answer::Changed(Feed { calendars, etag }))
        }
        // Where it leads is as secret as the address, so it is not followed.
        301 | 302 | 303 | 307 | 308 => Err(ProviderError::vendor(
            response.status,
            "moved",
            "The address leads to another one. Open it in a browser, or ask its publisher, and give the address where it ends.",
        )),
        status @ 200..400 => {
            Err(ProviderError::vendor(status, "no-calendar", "The server answers without a calendar."))
        }
        _ => Err(error_of(&response, retry_after_ms(&response, time::now()))),
    }
}

/// What is no calendar is refused by name; what stops in the middle is no answer, since nobody knows what is missing.
fn read(body: &[u8]) -> Result<Vec<Component>> {
    let why = match Component::read_all(body) {
        Ok(calendars) if calendars.iter().all(|calendar| calendar.closed) => return Ok(calendars),
        Ok(_) => "it does not end".to_owned(),
        Err(refused) => refused.to_string(),
    };
    let begins = "BEGIN:VCALENDAR".as_bytes();
    if body.windows(begins.len()).any(|part| part.eq_ignore_ascii_case(begins)) {
        log::warn(&format!("what is published cannot be read: {why}"));
        return Err(ProviderError::Unavailable(None));
    }
    let message = "What is published at the address is no calendar. Is it the address that ends with .ics, and not that of a page?";
    Err(ProviderError::vendor(200, "no-calendar", message))
}
