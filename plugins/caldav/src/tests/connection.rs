//! The way to the calendars, what can be booked, and busy times.

use std::rc::Rc;

use berth_sdk::{
    Availability, Catalog, Connection,
    http::SendError,
    testing::{self, Scripted},
    time::{self, HOUR},
    types::{BusyQuery, BusyTime, Interval, PageRequest, ProviderError},
};
use serde_json::{Value, json};

use super::{CalDav, at, calendar, multistatus, provider, provider_with, response, script, sent};

const ENTRY: &str = "/dav/";

/// From the well-known address to the principal, which has a home on a host of its own.
fn discovered(script: Scripted) -> Scripted {
    script
        .on_with("PROPFIND", "/.well-known/caldav", 301, &[("Location", ENTRY)], "")
        .on(
            "PROPFIND",
            ENTRY,
            207,
            &multistatus(&response(
                ENTRY,
                "<current-user-principal><href>/dav/principals/eve/</href></current-user-principal>",
            )),
        )
        .on("PROPFIND", "/dav/principals/eve/", 207, &principal())
}

fn principal() -> String {
    multistatus(&response(
        "/dav/principals/eve/",
        "<displayname>Eve</displayname>\
         <C:calendar-home-set><href>https://p42.example.com:443/eve/</href></C:calendar-home-set>\
         <C:calendar-user-address-set><href>urn:uuid:7</href><href>mailto:eve@example.com</href></C:calendar-user-address-set>\
         <C:schedule-inbox-URL><href>https://p42.example.com/eve/inbox/</href></C:schedule-inbox-URL>",
    ))
}

const READ_ONLY: &str =
    "<current-user-privilege-set><privilege><read/></privilege></current-user-privilege-set>";
const COUNTS: &str = "<supported-report-set><supported-report><report><C:free-busy-query/></report></supported-report></supported-report-set>";
const ZONE: &str = "<C:calendar-timezone>BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:x\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0100\nEND:STANDARD\nEND:VTIMEZONE\nEND:VCALENDAR</C:calendar-timezone>";
const TRANSPARENT: &str = "<C:schedule-calendar-transp><C:transparent/></C:schedule-calendar-transp>";

fn home() -> String {
    multistatus(
        &[
            response("/eve/", "<resourcetype><collection/></resourcetype>"),
            calendar("/eve/family/", READ_ONLY),
            calendar("/eve/home/", TRANSPARENT),
            calendar("/eve/work/", &format!("<displayname>Work</displayname>{COUNTS}{ZONE}")),
        ]
        .concat(),
    )
}

fn inbox(status: u16, calendar: &str) -> (u16, String) {
    let property =
        format!("<C:schedule-default-calendar-URL><href>{calendar}</href></C:schedule-default-calendar-URL>");
    (status, multistatus(&response("/eve/inbox/", &property)))
}

#[test]
fn the_way_to_the_calendars_is_found_and_remembered() {
    let (status, default) = inbox(207, "/eve/work");
    let found = discovered(script()).on("PROPFIND", "/eve/", 207, &home());
    let found = found.on("PROPFIND", "/eve/inbox/", status, &default);
    let (caldav, played) = provider_with(&json!({}), found.on("PROPFIND", "/eve/", 207, &home()));
    let account = caldav.validate().unwrap();
    assert_eq!((account.id.as_str(), account.name.as_str()), ("/dav/principals/eve/", "Eve"));
    assert_eq!(account.email.as_deref(), Some("eve@example.com"));
    let urls: Vec<_> = played.requests().into_iter().map(|r| r.url).collect();
    assert_eq!(urls[3], "https://p42.example.com/eve/", "the home is on another host");
    let types = caldav.list_event_types(PageRequest { token: None, limit: 50 }).unwrap();
    let shown: Vec<_> = types.items.iter().map(|e| (e.id.as_str(), e.title.as_str(), e.active)).collect();
    let host = "https://p42.example.com";
    let expected =
        [("/eve/family/", "family", false), ("/eve/home/", "home", false), ("/eve/work/", "Work", true)];
    let expected = expected.map(|(path, title, active)| (format!("{host}{path}"), title, active));
    assert_eq!(shown, expected.each_ref().map(|(id, title, active)| (id.as_str(), *title, *active)));
    played.finish();
}

#[test]
fn without_a_default_the_first_calendar_that_can_be_written_is_booked() {
    for (status, body) in [(404, String::new()), (403, String::new()), inbox(207, "/eve/gone/")] {
        let found = discovered(script()).on("PROPFIND", "/eve/", 207, &home());
        let (caldav, played) = provider_with(&json!({}), found.on("PROPFIND", "/eve/inbox/", status, &body));
        assert!(caldav.validate().unwrap().raw.contains("https://p42.example.com/eve/home/"), "{status}");
        played.finish();
    }
}

#[test]
fn a_path_is_tried_before_the_well_known_one() {
    let told =
        multistatus(&response("/eve/", "<C:calendar-home-set><href>/eve/</href></C:calendar-home-set>"));
    let found = script().on("PROPFIND", "/eve/", 207, &told).on("PROPFIND", "/eve/", 207, &told);
    let settings = json!({ "base_url": "https://dav.example.com/eve/", "calendar": "/eve/work" });
    let (caldav, played) = provider_with(&settings, found.on("PROPFIND", "/eve/", 207, &home()));
    let account = caldav.validate().unwrap();
    assert_eq!((account.id.as_str(), account.name.as_str()), ("/eve/", "eve"));
    played.finish();
}

#[test]
fn an_address_without_calendars_is_refused_with_a_hint() {
    for (status, body) in [(404, ""), (405, ""), (200, "<html/>"), (207, &*multistatus(""))] {
        let nothing = script().on("PROPFIND", "/.well-known/caldav", status, body);
        let (caldav, played) = provider_with(&json!({}), nothing.on("PROPFIND", "/", status, body));
        let refused = caldav.validate();
        let named = matches!(&refused, Err(ProviderError::Invalid(p)) if p[0].field == "settings.base_url");
        assert!(named, "{status}: {refused:?}");
        played.finish();
    }
    for (status, expected) in [
        (401, ProviderError::Unauthorised),
        (503, ProviderError::Unavailable(None)),
        (429, ProviderError::RateLimited(None)),
    ] {
        let (caldav, played) =
            provider_with(&json!({}), script().on("PROPFIND", "/.well-known/caldav", status, ""));
        assert_eq!(caldav.validate(), Err(expected));
        played.finish();
    }
    let stranger =
        multistatus(&response("/", "<current-user-principal><unauthenticated/></current-user-principal>"));
    let (caldav, _) =
        provider_with(&json!({}), script().on("PROPFIND", "/.well-known/caldav", 207, &stranger));
    assert_eq!(caldav.validate(), Err(ProviderError::Unauthorised));
}

#[test]
fn redirects_end() {
    let mut found = script();
    for _ in 0..4 {
        found =
            found.on_with("PROPFIND", "/.well-known/caldav", 302, &[("location", "/.well-known/caldav")], "");
    }
    let (caldav, played) = provider_with(&json!({}), found);
    assert!(matches!(caldav.validate(), Err(ProviderError::Vendor(v)) if v.code == "redirects"));
    played.finish();
}

#[test]
fn a_server_elsewhere_is_named() {
    let elsewhere = "https://caldav.example.net/dav/";
    let denied = || SendError::Denied("not granted".to_owned());
    let found = script().on_with("PROPFIND", "/.well-known/caldav", 301, &[("location", elsewhere)], "");
    let (caldav, played) = provider_with(&json!({}), found.on_failure("PROPFIND", ENTRY, denied()));
    let Err(ProviderError::Invalid(problems)) = caldav.validate() else { panic!("it was followed") };
    assert_eq!(problems[0].field, "settings.base_url");
    assert!(problems[0].message.contains(elsewhere), "{}", problems[0].message);
    played.finish();
    let (caldav, _) =
        provider_with(&json!({}), script().on_failure("PROPFIND", "/.well-known/caldav", denied()));
    assert_eq!(caldav.validate(), Err(ProviderError::Forbidden("not granted".to_owned())));
}

#[test]
fn the_calendar_must_be_there_and_writable() {
    for wanted in ["/eve/other/", "/eve/family/"] {
        let settings = json!({ "calendar": format!("https://p42.example.com{wanted}") });
        let found = discovered(script()).on("PROPFIND", "/eve/", 207, &home());
        let (caldav, played) = provider_with(&settings, found);
        let Err(ProviderError::Invalid(problems)) = caldav.validate() else { panic!("{wanted} was taken") };
        assert_eq!(problems[0].field, "settings.calendar");
        let named = "https://p42.example.com/eve/home/, https://p42.example.com/eve/work/";
        assert!(problems[0].message.ends_with(named), "{}", problems[0].message);
        played.finish();
    }
}

#[test]
fn pages_of_calendars() {
    let one = || discovered(script()).on("PROPFIND", "/eve/", 207, &home());
    let settings = json!({ "calendar": "https://p42.example.com/eve/work/" });
    let (caldav, _) = provider_with(&settings, one().on("PROPFIND", "/eve/", 207, &home()));
    let first = caldav.list_event_types(PageRequest { token: None, limit: 2 }).unwrap();
    assert_eq!(first.next.as_deref(), Some("https://p42.example.com/eve/home/"));
    let second = caldav.list_event_types(PageRequest { token: first.next, limit: 2 }).unwrap();
    assert_eq!((second.items[0].title.as_str(), second.items.len(), second.next), ("Work", 1, None));
}

fn query(calendars: &[&str]) -> BusyQuery {
    let start = at("2030-01-05T00:00:00Z");
    BusyQuery {
        within: Interval { start, end: start + 24 * HOUR },
        calendars: calendars.iter().map(|id| (*id).to_owned()).collect(),
        time_zone: "Europe/Warsaw".to_owned(),
    }
}

fn shown(busy: &[BusyTime]) -> Vec<String> {
    busy.iter()
        .map(|b| format!("{} {}", time::format(b.when.start), b.source.as_deref().unwrap_or("-")))
        .collect()
}

#[test]
fn busy_times_of_every_calendar_that_takes_time() {
    let counted =
        "BEGIN:VCALENDAR\nBEGIN:VFREEBUSY\nFREEBUSY:20300105T100000Z/PT1H\nEND:VFREEBUSY\nEND:VCALENDAR\n";
    let single =
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20300105T090000Z\nDURATION:PT1H\nEND:VEVENT\nEND:VCALENDAR\n";
    let single = multistatus(&super::event_response("/eve/family/1.ics", "\"1\"", single));
    let entry = multistatus(&response(
        "/eve/",
        "<current-user-principal><href>/eve/</href></current-user-principal><C:calendar-home-set><href>/eve/</href></C:calendar-home-set>",
    ));
    let settings = json!({ "base_url": "https://dav.example.com/eve/", "calendar": "/eve/home/" });
    let found = script().on("PROPFIND", "/eve/", 207, &entry).on("PROPFIND", "/eve/", 207, &entry);
    let found = found.on("PROPFIND", "/eve/", 207, &home());
    let (caldav, played) = provider_with(
        &settings,
        found
            .on("REPORT", "/eve/family/", 207, &single)
            // Only how busy they are is shared.
            .on("REPORT", "/eve/work/", 403, "")
            .on("REPORT", "/eve/work/", 200, counted)
            .on("PROPFIND", "/eve/", 207, &home())
            .on("REPORT", "/eve/home/", 207, &multistatus(""))
            .on("PROPFIND", "/eve/", 207, &home())
            .on("PROPFIND", "/eve/", 207, &home())
            .on("REPORT", "/eve/family/", 503, ""),
    );
    let busy = caldav.busy(query(&[])).unwrap();
    assert_eq!(shown(&busy), ["2030-01-05T09:00:00Z /eve/family/", "2030-01-05T10:00:00Z /eve/work/"]);
    assert!(sent(&played, 3).contains(r#"<C:time-range start="20300104T000000Z" end="20300107T000000Z"/>"#));
    assert!(
        sent(&played, 3).contains(r#"<C:comp name="VEVENT"><C:prop name="UID"/>"#),
        "no attachment is asked for"
    );
    assert!(sent(&played, 5).contains("free-busy-query"));
    assert_eq!(caldav.busy(query(&["/eve/home"])), Ok(Vec::new()), "it was asked for by name");
    let unknown = caldav.busy(query(&["/eve/gone/"]));
    assert!(matches!(unknown, Err(ProviderError::Invalid(p)) if p[0].field == "calendars"));
    let unsure = caldav.busy(query(&[]));
    assert_eq!(unsure, Err(ProviderError::Unavailable(None)), "half an answer would look free");
    played.finish();
}

#[test]
fn days_and_floating_times_are_those_where_people_are() {
    let told = "<C:calendar-home-set><href>/eve/</href></C:calendar-home-set>";
    let entry = multistatus(&response("/eve/", told));
    let zone = |offset: &str| {
        format!(
            "<C:calendar-timezone>BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:x\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:{offset}\nTZOFFSETTO:{offset}\nEND:STANDARD\nEND:VTIMEZONE\nEND:VCALENDAR</C:calendar-timezone>"
        )
    };
    let object = |lines: &str| {
        let text = format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\n{lines}\nEND:VEVENT\nEND:VCALENDAR\n");
        multistatus(&super::event_response("/eve/work/1.ics", "\"1\"", &text))
    };
    let day = "DTSTART;VALUE=DATE:20300105";
    let settings = json!({ "base_url": "https://dav.example.com/eve/", "calendar": "/eve/work/" });
    for (lines, zone, asked, expected) in [
        // The calendar has a zone; it has none, and the one of the question counts; nor has that one a known name.
        (day, zone("+0900"), "America/Los_Angeles", Some("2030-01-04T15:00:00Z 24")),
        (day, String::new(), "America/Los_Angeles", Some("2030-01-05T08:00:00Z 24")),
        (day, String::new(), "Atlantis", Some("2030-01-05T00:00:00Z 24")),
        (
            "DTSTART:20300105T150000\nDURATION:PT1H",
            String::new(),
            "America/Los_Angeles",
            Some("2030-01-05T23:00:00Z 1"),
        ),
        // A zone by its name alone (RFC 7809), and one that nobody knows.
        (
            "DTSTART;TZID=Europe/Warsaw:20300105T100000\nDURATION:PT1H",
            String::new(),
            "UTC",
            Some("2030-01-05T09:00:00Z 1"),
        ),
        ("DTSTART;TZID=Mars:20300105T100000\nDURATION:PT1H", String::new(), "UTC", Some("")),
        (
            "DTSTART;TZID=Eastern Standard Time:20300105T100000\nDURATION:PT1H",
            String::new(),
            "UTC",
            Some("2030-01-05T15:00:00Z 1"),
        ),
        // What ends before the question, but for its zone.
        ("DTSTART:20300103T090000Z\nDURATION:PT1H", String::new(), "UTC", Some("")),
    ] {
        let home = multistatus(&calendar("/eve/work/", &zone));
        let found = script().on("PROPFIND", "/eve/", 207, &entry).on("PROPFIND", "/eve/", 207, &entry);
        let found = found.on("PROPFIND", "/eve/", 207, &home);
        let (caldav, played) =
            provider_with(&settings, found.on("REPORT", "/eve/work/", 207, &object(lines)));
        let within = Interval { start: at("2030-01-05T00:00:00Z"), end: at("2030-01-06T00:30:00Z") };
        let query = BusyQuery { within, calendars: Vec::new(), time_zone: asked.to_owned() };
        let shown = caldav.busy(query).ok().map(|busy| {
            let one = |b: &BusyTime| {
                format!("{} {}", time::format(b.when.start), (b.when.end - b.when.start) / HOUR)
            };
            busy.iter().map(one).collect::<Vec<_>>().join(", ")
        });
        assert_eq!(shown.as_deref(), expected, "{lines} {asked}");
        let widened = r#"<C:time-range start="20300104T000000Z" end="20300107T003000Z"/>"#;
        assert!(sent(&played, 3).contains(widened), "{}", sent(&played, 3));
        played.finish();
    }
}

/// A provider whose one calendar is `/eve/work/`, and what answers its reports.
fn one_calendar(
    more: &str,
    settings: &Value,
    reports: impl FnOnce(Scripted) -> Scripted,
) -> (CalDav, Rc<Scripted>) {
    let told = "<C:calendar-home-set><href>/eve/</href></C:calendar-home-set>";
    let entry = multistatus(&response("/eve/", told));
    let home = multistatus(&calendar("/eve/work/", more));
    let mut all = json!({ "base_url": "https://dav.example.com/eve/", "calendar": "/eve/work/" });
    for (name, value) in settings.as_object().unwrap() {
        all[name] = value.clone();
    }
    let found = script().on("PROPFIND", "/eve/", 207, &entry).on("PROPFIND", "/eve/", 207, &entry);
    provider_with(&all, reports(found.on("PROPFIND", "/eve/", 207, &home)))
}

fn object(name: &str, lines: &str) -> String {
    let text = format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:{name}\n{lines}\nEND:VEVENT\nEND:VCALENDAR\n");
    super::event_response(&format!("/eve/work/{name}.ics"), "\"1\"", &text)
}

#[test]
fn one_odd_event_closes_its_own_time_at_most_and_is_named() {
    let objects = [
        object("good", "DTSTART:20300105T090000Z\nDURATION:PT1H"),
        object("zone", "DTSTART;TZID=Mars:20300105T100000\nDURATION:PT1H"),
        object("length", "DTSTART:20300105T110000Z\nDURATION:PT"),
        object("rule", "DTSTART:20300105T130000Z\nDURATION:PT1H\nRRULE:FREQ=NEVER"),
        super::event_response("/eve/work/junk.ics", "\"1\"", "junk"),
        response("/eve/work/none.ics", "<getetag>\"1\"</getetag>"),
    ];
    let (caldav, played) =
        one_calendar("", &json!({}), |s| s.on("REPORT", "/eve/work/", 207, &multistatus(&objects.concat())));
    let busy: Vec<_> =
        shown(&caldav.busy(query(&[])).unwrap()).iter().map(|line| line[11..16].to_owned()).collect();
    assert_eq!(busy, ["09:00", "11:00", "13:00"]);
    let lines = testing::lines();
    for name in ["zone", "length", "rule", "junk", "none"] {
        let named = format!("event /eve/work/{name}.ics");
        assert!(lines.iter().any(|(_, line)| line.starts_with(&named)), "{name}: {lines:?}");
    }
    assert!(!lines.iter().any(|(_, line)| line.contains("good.ics")));
    played.finish();
}

#[test]
fn series_keep_their_clock_and_settings_say_what_takes_time() {
    let objects = [
        object("series", "DTSTART;TZID=America/New_York:20291201T090000\nDURATION:PT1H\nRRULE:FREQ=DAILY"),
        object("tentative", "DTSTART:20300105T100000Z\nDURATION:PT1H\nSTATUS:TENTATIVE"),
        object(
            "declined",
            "DTSTART:20300105T110000Z\nDURATION:PT1H\nATTENDEE;PARTSTAT=DECLINED:mailto:eve@example.com",
        ),
    ];
    for (settings, expected) in
        [(json!({}), vec!["10:00", "14:00"]), (json!({ "tentative_is_busy": false }), vec!["14:00"])]
    {
        let (caldav, played) = one_calendar("", &settings, |s| {
            s.on("REPORT", "/eve/work/", 207, &multistatus(&objects.concat()))
        });
        let busy: Vec<_> =
            shown(&caldav.busy(query(&[])).unwrap()).iter().map(|line| line[11..16].to_owned()).collect();
        assert_eq!(busy, expected, "{settings}");
        played.finish();
    }
}

fn size(name: &str, bytes: usize) -> String {
    response(&format!("/eve/work/{name}.ics"), &format!("<getcontentlength>{bytes}</getcontentlength>"))
}

#[test]
fn what_is_too_large_is_asked_for_in_pieces() {
    let too_large = || SendError::TooLarge;
    let one = |name: &str, hour: u8| object(name, &format!("DTSTART:20300105T{hour:02}0000Z\nDURATION:PT1H"));
    let counted =
        "BEGIN:VCALENDAR\nBEGIN:VFREEBUSY\nFREEBUSY:20300105T150000Z/PT1H\nEND:VFREEBUSY\nEND:VCALENDAR\n";
    let listed =
        [size("a", 1_500_000 / 3), size("b", 1_500_000 / 3), size("huge", 5_000_000), size("c", 500)];
    let (caldav, played) = one_calendar(COUNTS, &json!({}), |s| {
        s.on_failure("REPORT", "/eve/work/", too_large())
            .on("REPORT", "/eve/work/", 207, &multistatus(&listed.concat()))
            .on("REPORT", "/eve/work/", 207, &multistatus(&(one("a", 9) + &one("b", 10) + &one("c", 11))))
            .on("REPORT", "/eve/work/", 200, counted)
    });
    let busy: Vec<_> =
        shown(&caldav.busy(query(&[])).unwrap()).iter().map(|line| line[11..16].to_owned()).collect();
    assert_eq!(busy, ["09:00", "10:00", "11:00", "15:00"], "the server counts what is too large to be read");
    assert!(sent(&played, 5).contains("a.ics</href><href>/eve/work/b.ics"));
    assert!(!sent(&played, 5).contains("huge.ics"));
    played.finish();

    // A server that tells no sizes, does not list so much, and whose pieces do not fit.
    let limits = super::refusal("number-of-matches-within-limits");
    let name = |name: &str| response(&format!("/eve/work/{name}.ics"), "<getetag>\"1\"</getetag>");
    let (caldav, played) = one_calendar("", &json!({}), |s| {
        s.on("REPORT", "/eve/work/", 507, &limits)
            .on("REPORT", "/eve/work/", 507, &limits)
            .on("REPORT", "/eve/work/", 207, &multistatus(&name("a")))
            .on("REPORT", "/eve/work/", 207, &multistatus(&(name("a") + &name("huge"))))
            .on_failure("REPORT", "/eve/work/", too_large())
            .on("REPORT", "/eve/work/", 207, &multistatus(&one("a", 9)))
            .on_failure("REPORT", "/eve/work/", too_large())
    });
    assert_eq!(shown(&caldav.busy(query(&[])).unwrap()), ["2030-01-05T09:00:00Z /eve/work/"]);
    assert!(testing::lines().iter().any(|(_, line)| line.contains("huge.ics is too large")));
    played.finish();
}

#[test]
fn a_server_that_is_away_is_no_free_calendar() {
    let away = || SendError::Failed("no answer".to_owned());
    // It is asked once: a smaller question would get no answer, either.
    let (caldav, played) = one_calendar("", &json!({}), |s| s.on_failure("REPORT", "/eve/work/", away()));
    assert_eq!(caldav.busy(query(&[])), Err(ProviderError::Unavailable(None)));
    played.finish();
    let (caldav, played) = one_calendar("", &json!({}), |s| {
        s.on_failure("REPORT", "/eve/work/", SendError::TooLarge)
            .on("REPORT", "/eve/work/", 207, &multistatus(&size("a", 500)))
            .on_failure("REPORT", "/eve/work/", away())
    });
    assert_eq!(caldav.busy(query(&[])), Err(ProviderError::Unavailable(None)));
    played.finish();
}

#[test]
fn a_home_that_moved_is_found_again() {
    let settings = json!({ "base_url": "https://dav.example.com/eve/", "calendar": "/eve/work/" });
    let entry = |home: &str| {
        multistatus(&response(
            "/eve/",
            &format!("<C:calendar-home-set><href>{home}</href></C:calendar-home-set>"),
        ))
    };
    let mut played = script();
    for home_url in ["/old/", "/eve/"] {
        played = played.on("PROPFIND", "/eve/", 207, &entry(home_url));
        played = played.on("PROPFIND", "/eve/", 207, &entry(home_url)).on("PROPFIND", home_url, 207, &home());
        if home_url == "/old/" {
            played = played.on("PROPFIND", "/old/", 404, "");
        }
    }
    let (caldav, played) = provider_with(&settings, played);
    let page = || PageRequest { token: None, limit: 50 };
    assert_eq!(caldav.list_event_types(page()).unwrap().items.len(), 3);
    assert_eq!(caldav.list_event_types(page()).unwrap().items.len(), 3);
    played.finish();
}

#[test]
fn a_calendar_that_is_named_needs_no_way() {
    let (caldav, played) = provider(script().on("PROPFIND", "/eve/work/", 404, ""));
    assert_eq!(berth_sdk::Bookings::list_changes(&caldav, None, 5), Err(ProviderError::NotFound));
    played.finish();
}
