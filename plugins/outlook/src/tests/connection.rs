//! The account, its calendars and their busy times.

use berth_sdk::{
    Availability, Catalog, Connection,
    types::{BusyQuery, Interval, PageRequest, ProviderError},
};
use serde_json::{Value, json};

use super::{at, error, event, list, provider, provider_with, script};

const ME: &str = "/v1.0/me?%24select=id%2CdisplayName%2Cmail%2CuserPrincipalName";

fn me() -> String {
    json!({"id": "user-1", "displayName": "Eve", "mail": "eve@example.com", "userPrincipalName": "eve@example.com"}).to_string()
}

fn calendar(id: &str, can_edit: bool, default: bool) -> Value {
    json!({"id": id, "name": id, "canEdit": can_edit, "isDefaultCalendar": default, "owner": {"address": "eve@example.com"}})
}

#[test]
fn the_account_and_each_calendar_are_tried() {
    let settings = json!({"calendars": ["default", "AAMk/2="]});
    let (outlook, played) = provider_with(
        &settings,
        script()
            .on("GET", ME, 200, &me())
            .on("GET", "/v1.0/me/calendar", 200, &calendar("AAMk1", true, true).to_string())
            .on("GET", "/v1.0/me/calendars/AAMk%2F2%3D", 200, &calendar("AAMk/2=", true, false).to_string()),
    );
    let account = outlook.validate().unwrap();
    assert_eq!((account.id.as_str(), account.name.as_str()), ("user-1", "Eve"));
    for request in played.requests() {
        let prefer = r#"outlook.timezone="UTC", IdType="ImmutableId""#;
        assert!(request.headers.contains(&("prefer".to_owned(), prefer.to_owned())), "{}", request.url);
    }
    played.finish();
}

#[test]
fn a_calendar_that_cannot_be_used_is_named() {
    let settings = json!({"calendars": ["AAMk2"]});
    for (status, body) in
        [(404, error("ErrorItemNotFound")), (200, calendar("AAMk2", false, false).to_string())]
    {
        let (outlook, _played) = provider_with(
            &settings,
            script().on("GET", ME, 200, &me()).on("GET", "/v1.0/me/calendars/AAMk2", status, &body),
        );
        let refused = outlook.validate();
        assert!(
            matches!(&refused, Err(ProviderError::Invalid(p)) if p[0].field == "settings.calendars" && p[0].message.contains("AAMk2")),
            "{refused:?}"
        );
    }
}

#[test]
fn waiting_is_what_graph_asks_for() {
    let (outlook, played) = provider(
        script()
            .on_with("GET", ME, 429, &[("Retry-After", "17")], &error("ApplicationThrottled"))
            .on_with("GET", ME, 503, &[("Retry-After", "3")], &error("serviceNotAvailable"))
            .on("GET", ME, 401, &error("InvalidAuthenticationToken"))
            .on("GET", ME, 403, &error("ErrorAccessDenied")),
    );
    for expected in [
        ProviderError::RateLimited(Some(17_000)),
        ProviderError::Unavailable(Some(3_000)),
        ProviderError::Unauthorised,
        ProviderError::Forbidden("no".to_owned()),
    ] {
        assert_eq!(outlook.validate(), Err(expected));
    }
    played.finish();
}

#[test]
fn calendars_are_paged_by_their_links() {
    let first = json!({"value": [calendar("AAMk1", true, true)],
        "@odata.nextLink": "https://graph.microsoft.com/v1.0/me/calendars?%24top=1&%24skip=1"});
    let (outlook, played) =
        provider(script().on("GET", "/v1.0/me/calendars?%24top=1", 200, &first.to_string()).on(
            "GET",
            "/v1.0/me/calendars?%24top=1&%24skip=1",
            200,
            &list(&[calendar("AAMk2", true, false)]),
        ));
    let page = outlook.list_event_types(PageRequest { token: None, limit: 1 }).unwrap();
    assert_eq!((page.items[0].id.as_str(), page.items[0].active), ("default", true));
    let page = outlook.list_event_types(PageRequest { token: page.next, limit: 1 }).unwrap();
    assert_eq!((page.items[0].id.as_str(), page.items[0].active, page.next), ("AAMk2", false, None));
    let foreign = PageRequest { token: Some("/me/messages?x=1".to_owned()), limit: 1 };
    assert_eq!(outlook.list_event_types(foreign), Err(ProviderError::CursorExpired));
    played.finish();
}

fn query(calendars: &[&str]) -> BusyQuery {
    BusyQuery {
        within: Interval { start: at("2026-01-05T00:00:00Z"), end: at("2026-01-06T00:00:00Z") },
        calendars: calendars.iter().map(|id| (*id).to_owned()).collect(),
        time_zone: "Europe/Warsaw".to_owned(),
    }
}

const VIEW: &str = "?startDateTime=2026-01-04T00%3A00%3A00Z&endDateTime=2026-01-07T00%3A00%3A00Z\
    &%24select=id%2Cstart%2Cend%2CshowAs%2CisCancelled%2CisAllDay%2CresponseStatus";

#[test]
fn calendars_and_schedules_are_busy() {
    let next = json!({"value": [event(&json!({}))],
        "@odata.nextLink": "https://graph.microsoft.com/v1.0/me/calendarView?x=1"});
    let day =
        event(&json!({"id": "AAMk2", "isAllDay": true, "start": {"dateTime": "2026-01-05T00:00:00.0000000",
        "timeZone": "UTC"}, "end": {"dateTime": "2026-01-06T00:00:00.0000000", "timeZone": "UTC"}}));
    let schedules = json!({"value": [{"scheduleId": "room@example.com", "scheduleItems": [{"status": "busy",
        "start": {"dateTime": "2026-01-05T07:00:00.0000000", "timeZone": "UTC"},
        "end": {"dateTime": "2026-01-05T08:00:00.0000000", "timeZone": "UTC"}}]}]});
    let (outlook, played) = provider_with(
        &json!({"also_busy": ["room@example.com"]}),
        script()
            .on("GET", &format!("/v1.0/me/calendarView{VIEW}"), 200, &next.to_string())
            .on("GET", "/v1.0/me/calendarView?x=1", 200, &list(&[day]))
            .on("POST", "/v1.0/me/calendar/getSchedule", 200, &schedules.to_string()),
    );
    let busy = outlook.busy(query(&[])).unwrap();
    let told: Vec<_> = busy.iter().map(|b| (b.when.start, b.source.as_deref().unwrap())).collect();
    assert_eq!(
        told,
        [
            (at("2026-01-04T23:00:00Z"), "AAMk2"),
            (at("2026-01-05T07:00:00Z"), "room@example.com"),
            (at("2026-01-05T09:00:00Z"), "AAMk1"),
        ]
    );
    assert_eq!(
        played.body(2),
        json!({"schedules": ["room@example.com"], "availabilityViewInterval": 30,
            "startTime": {"dateTime": "2026-01-05T00:00:00", "timeZone": "UTC"},
            "endTime": {"dateTime": "2026-01-06T00:00:00", "timeZone": "UTC"}})
    );
    played.finish();
}

#[test]
fn a_day_off_reaches_beyond_its_day_in_utc() {
    let midnight = |day: &str| json!({"dateTime": format!("{day}T00:00:00.0000000"), "timeZone": "UTC"});
    let day = event(&json!({"id": "off", "isAllDay": true, "showAs": "oof",
        "start": midnight("2026-01-05"), "end": midnight("2026-01-06")}));
    let far = event(&json!({"id": "far"}));
    // Half past four in the afternoon of 5 January in Los Angeles.
    let start = at("2026-01-06T00:30:00Z");
    let view = "/v1.0/me/calendarView?startDateTime=2026-01-05T00%3A30%3A00Z&endDateTime=2026-01-07T01%3A00%3A00Z\
        &%24select=id%2Cstart%2Cend%2CshowAs%2CisCancelled%2CisAllDay%2CresponseStatus";
    let (outlook, played) = provider(script().on("GET", view, 200, &list(&[day, far])));
    let query = BusyQuery {
        within: Interval { start, end: at("2026-01-06T01:00:00Z") },
        calendars: Vec::new(),
        time_zone: "America/Los_Angeles".to_owned(),
    };
    let busy = outlook.busy(query).unwrap();
    assert_eq!(busy.iter().filter_map(|b| b.source.as_deref()).collect::<Vec<_>>(), ["off"]);
    assert_eq!(busy[0].when.end, at("2026-01-06T08:00:00Z"));
    played.finish();
}

#[test]
fn a_schedule_that_is_not_told_is_not_free() {
    let entry = |id: &str, items: Value| json!({"scheduleId": id, "scheduleItems": items});
    let answer = |entries: &[Value]| json!({ "value": entries }).to_string();
    for (told, expected) in [
        (vec![], None),
        (vec![entry("bob@example.com", json!([]))], None),
        (vec![json!({"scheduleId": "room@example.com", "availabilityView": "22"})], None),
        (vec![entry("Room@Example.com", json!([]))], Some(0)),
    ] {
        let (outlook, _played) =
            provider(script().on("POST", "/v1.0/me/calendar/getSchedule", 200, &answer(&told)));
        let busy = outlook.busy(query(&["room@example.com"]));
        let is_named =
            matches!(&busy, Err(ProviderError::Vendor(e)) if e.message.contains("room@example.com"));
        assert_eq!((busy.as_ref().ok().map(Vec::len), is_named), (expected, expected.is_none()), "{told:?}");
    }
}

#[test]
fn a_query_names_its_own_calendars() {
    let (outlook, played) = provider_with(
        &json!({"also_busy": ["room@example.com"], "calendars": ["AAMk9"]}),
        script().on("GET", &format!("/v1.0/me/calendars/AAMk2/calendarView{VIEW}"), 200, &list(&[])).on(
            "POST",
            "/v1.0/me/calendar/getSchedule",
            403,
            &error("ErrorAccessDenied"),
        ),
    );
    let refused = outlook.busy(query(&["AAMk2", "bob@example.com"]));
    assert_eq!(
        refused,
        Err(ProviderError::Forbidden("no".to_owned())),
        "never free because it cannot be read"
    );
    assert_eq!(played.body(1)["schedules"], json!(["bob@example.com"]));
    played.finish();
}
