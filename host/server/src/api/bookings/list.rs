//! Lists of bookings: narrowed, searched, in any order, counted by day, as JSON or as CSV.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use berth_engine::{Caller, Listed};
use berth_model::{
    bookings::{
        lists::{BookingOrder, Bound, Origin, WantedStates},
        search::Search,
    },
    id::{BookingId, ConnectionId, CustomerId, EventTypeId, ListingId, MemberId, SeriesId},
    problem::Problem,
    tenants::scope::Scope,
    time::Instant,
    zone::Zone,
};
use berth_store::records::BookingFilter;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    csv,
    expand::Expand,
    external::{ListedView, listed},
};
use crate::http::{
    app::App,
    auth::{AsTenant, Authenticated},
    csv::{Format, alone},
    extract::{Lists, Repeated},
    page::{self, Page},
    problem::{ApiResult, ProblemDocument, wrong},
    within::{between, zone_of_days},
};

/// Parameters that narrow a list of bookings, with those of one list: a query is one flat set of names.
macro_rules! narrowed {
    ($(#[$doc:meta])* $name:ident { $($own:tt)* }) => {
        $(#[$doc])*
        #[derive(Debug, Deserialize, IntoParams)]
        #[serde(deny_unknown_fields)]
        #[into_params(parameter_in = Query)]
        pub(crate) struct $name {
            /// Whose: `berth` (the default) for those that were made here or adopted, `external` for those that were made at providers, `all` for
            /// both. Those of providers are in no series and not known to be `rescheduled`.
            #[param(example = "all")]
            origin: Option<String>,
            /// The beginning of each word of the attendee's name (accents and case do not count), of their e-mail address, or of the booking's
            /// id. E-mail addresses are looked at for keys with the scope `customers:read`.
            #[param(example = "nowak")]
            q: Option<String>,
            /// In one of these states, with commas between them or as the same parameter again: `pending`, `confirmed` (`scheduled` is read as
            /// it), `cancelled`, `failed`, `completed`, `no_show`; `rescheduled` adds those that were moved, in whatever state.
            #[param(example = "pending,confirmed")]
            status: Option<String>,
            /// At this listing.
            #[param(value_type = Option<String>)]
            listing_id: Option<ListingId>,
            /// Of this event type.
            #[param(value_type = Option<String>)]
            event_type_id: Option<EventTypeId>,
            /// With this member, as the organiser or besides.
            #[param(value_type = Option<String>)]
            member_id: Option<MemberId>,
            /// Occurrences of this series.
            #[param(value_type = Option<String>)]
            series_id: Option<SeriesId>,
            /// For this customer.
            #[param(value_type = Option<String>)]
            customer_id: Option<CustomerId>,
            /// Over this connection.
            #[param(value_type = Option<String>)]
            connection_id: Option<ConnectionId>,
            /// Over any connection to this provider, or with `builtin` alone.
            #[param(example = "builtin")]
            provider: Option<String>,
            /// Whose counterpart at a provider has or had this id.
            external_id: Option<String>,
            /// Made at this instant or later …
            #[param(value_type = Option<String>, format = DateTime)]
            created_after: Option<Instant>,
            /// … and before this one.
            #[param(value_type = Option<String>, format = DateTime)]
            created_before: Option<Instant>,
            /// Last changed at this instant or later …
            #[param(value_type = Option<String>, format = DateTime)]
            updated_after: Option<Instant>,
            /// … and before this one.
            #[param(value_type = Option<String>, format = DateTime)]
            updated_before: Option<Instant>,
            /// The zone whose days `from` and `to` are, if they are days.
            #[param(value_type = Option<String>, example = "Europe/Warsaw")]
            time_zone: Option<Zone>,
            $($own)*
        }

        impl $name {
            fn narrowing(&mut self) -> Narrowing {
                Narrowing {
                    origin: self.origin.take(),
                    q: self.q.take(),
                    status: self.status.take(),
                    provider: self.provider.take(),
                    created: (self.created_after, self.created_before),
                    updated: (self.updated_after, self.updated_before),
                    filter: BookingFilter {
                        listing: self.listing_id,
                        event_type: self.event_type_id,
                        member: self.member_id,
                        series: self.series_id,
                        customer: self.customer_id,
                        connection: self.connection_id,
                        external_id: self.external_id.take(),
                        ..BookingFilter::default()
                    },
                }
            }
        }

        impl Repeated for $name {
            const LISTS: &'static [&'static str] = &["status", "expand"];
        }
    };
}

narrowed! {
    /// Which bookings are wanted, and how.
    ListParams {
        /// Overlapping the time from here: an instant, or a day in `time_zone` …
        #[param(value_type = Option<String>, example = "2026-11-24")]
        from: Option<Bound>,
        /// … to here; a day is in it to its end.
        #[param(value_type = Option<String>, example = "2026-11-30")]
        to: Option<Bound>,
        /// `start` (the default), `created` or `updated`; with a `-` before it, the latest first.
        #[param(example = "-created")]
        sort: Option<String>,
        /// What else is shown of each, with commas between them: `event_type`, `member`, `listing`, `customer`, each for keys that may read it.
        #[param(example = "member,customer")]
        expand: Option<String>,
        /// `json` (the default), or `csv` for all of them in one file; so does `Accept: text/csv`.
        #[param(value_type = Option<String>, example = "csv")]
        format: Option<Format>,
        /// Items wanted, 1 to 200 (50).
        limit: Option<u32>,
        /// `next` of the last page, with the same `sort`.
        cursor: Option<String>,
    }
}

narrowed! {
    /// Which bookings are counted.
    CountParams {
        /// The first day.
        #[param(value_type = String, example = "2026-11-01")]
        from: Bound,
        /// The last day, at most 366 days with the first.
        #[param(value_type = String, example = "2026-11-30")]
        to: Bound,
    }
}

/// What a list is narrowed to, as far as it is read.
struct Narrowing {
    origin: Option<String>,
    q: Option<String>,
    status: Option<String>,
    provider: Option<String>,
    created: (Option<Instant>, Option<Instant>),
    updated: (Option<Instant>, Option<Instant>),
    filter: BookingFilter,
}

impl Narrowing {
    fn origin(&self) -> Result<Origin, Problem> {
        let named = self.origin.as_deref().map(Origin::named).transpose().map_err(Problem::parameter)?;
        Ok(named.unwrap_or_default())
    }

    async fn filter(self, app: &App, key: &Authenticated, caller: &Caller) -> ApiResult<BookingFilter> {
        let mut filter = self.filter;
        if let Some(q) = &self.q {
            filter.search = Some(Search::of(q, key.may(Scope::CustomersRead)).map_err(Problem::parameter)?);
        }
        if let Some(status) = &self.status {
            filter.states = WantedStates::named(status).map_err(Problem::parameter)?;
        }
        filter.created = between(("created_after", "created_before"), self.created)?;
        filter.updated = between(("updated_after", "updated_before"), self.updated)?;
        if let Some(provider) = &self.provider {
            filter.provider = Some(app.engine().bookings.booked_over(caller, provider).await?);
        }
        Ok(filter)
    }
}

/// A place in a list: the order that it is a place in, and the booking before it.
type Place = (String, Instant, BookingId);

impl ListParams {
    fn order(&self) -> Result<BookingOrder, Problem> {
        let sort = self.sort.as_deref().map(BookingOrder::named).transpose().map_err(Problem::parameter)?;
        Ok(sort.unwrap_or_default())
    }

    fn after(&self, order: BookingOrder) -> ApiResult<Option<(Instant, BookingId)>> {
        let Some((sort, at, id)) = page::position::<Place>(self.cursor.as_ref())? else { return Ok(None) };
        if sort == order.name() {
            return Ok(Some((at, id)));
        }
        Err(wrong("cursor", format!("is a place in the order {sort}: send sort={sort} with it")).into())
    }
}

/// Bookings, by start unless `sort` says otherwise; those that were made at providers, where `origin` asks for them, in the same order and with the
/// same cursor. As CSV (`format=csv`, or `Accept: text/csv`) all of them in one file, where cells that
/// a spreadsheet would calculate begin with an apostrophe.
#[utoipa::path(get, path = "/api/booking", operation_id = "bookings_list", tag = "bookings", params(ListParams),
    responses((status = 200, content((Page<ListedView> = "application/json"), (String = "text/csv"))),
        (status = 400, body = ProblemDocument, description = "A parameter or a value that is not known here; the detail names those that are")))]
pub(crate) async fn list(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    key: Authenticated,
    headers: HeaderMap,
    Lists(mut params): Lists<ListParams>,
) -> ApiResult<Response> {
    let order = params.order()?;
    let expand = Expand::named(params.expand.as_deref(), &key)?;
    let zone = zone_of_days(params.time_zone, &[params.from, params.to])?;
    let ends = (params.from.map(|from| from.begins(zone)), params.to.map(|to| to.ends(zone)));
    let within = between(("from", "to"), ends)?;
    let after = params.after(order)?;
    let narrowing = params.narrowing();
    let origin = narrowing.origin()?;
    let filter = narrowing.filter(&app, &key, &caller).await?;
    let filter = BookingFilter { within, order, after, ..filter };
    if Format::wanted(params.format, &headers) == Format::Csv {
        let parting = [
            ("limit", params.limit.is_some()),
            ("cursor", params.cursor.is_some()),
            ("expand", params.expand.is_some()),
        ];
        alone(&parting, "bookings")?;
        return Ok(csv::answer(app, caller, origin, filter));
    }
    let limit = page::items(params.limit)?;
    let rows = app.engine().mirror.list_of(&caller, origin, &filter, limit.saturating_add(1)).await?;
    let place = |row: &Listed| {
        let (at, id) = row.place(&filter);
        (order.name(), at, id)
    };
    let Page { items, next } = page::page(rows, limit, place, |row| row);
    let mut items = listed(&app, &caller, items).await;
    expand.fill(&app, &caller, &mut items).await?;
    Ok(Json(Page { items, next }).into_response())
}

/// How many bookings start on a day.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BookingsOfDay)]
pub(crate) struct DayCount {
    #[schema(value_type = String, format = Date, example = "2026-11-24")]
    date: String,
    /// In whatever state.
    total: i64,
    /// By state; those that there are any of.
    by_status: BTreeMap<String, i64>,
}

/// Counts by day.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Counts {
    /// Whose days these are.
    #[schema(value_type = String)]
    time_zone: Zone,
    /// Each day from the first to the last.
    days: Vec<DayCount>,
}

/// How many bookings start on each day of a zone, by state. `from` and `to` are days, and `time_zone` is needed.
#[utoipa::path(get, path = "/api/booking/counts", operation_id = "bookings_count", tag = "bookings", params(CountParams), responses((status = 200, body = Counts)))]
pub(crate) async fn counts(
    State(app): State<App>,
    AsTenant(caller): AsTenant,
    key: Authenticated,
    Lists(mut params): Lists<CountParams>,
) -> ApiResult<Json<Counts>> {
    let zone = zone_of_days(params.time_zone, &[Some(params.from), Some(params.to)])?;
    let (Bound::On(first), Bound::On(last)) = (params.from, params.to) else {
        let name = if params.from.is_day() { "to" } else { "from" };
        return Err(wrong(name, "must be a day, such as 2026-11-24").into());
    };
    let narrowing = params.narrowing();
    let origin = narrowing.origin()?;
    let filter = narrowing.filter(&app, &key, &caller).await?;
    let days = app.engine().mirror.count_of(&caller, origin, filter, (first, last, zone)).await?;
    let days = days.into_iter().map(|day| DayCount {
        date: day.date.to_string(),
        total: day.total,
        by_status: day.by_status,
    });
    Ok(Json(Counts { time_zone: zone, days: days.collect() }))
}
