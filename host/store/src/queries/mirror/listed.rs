//! Bookings that were made at providers, in lists beside ours: narrowed as those are, in the same orders, counted by day. What is
//! the counterpart of a booking of ours is none of them.

use berth_model::{
    bookings::lists::{Day, DayCount, OrderedBy, WantedStates},
    id::{Id, MirroredId, TenantId},
    mirror::sync::Mirrored,
    outbound::provider::ExternalStatus,
};
use sqlx::QueryBuilder;

use super::{
    super::{
        super::Db,
        Conn,
        bookings::{
            list::{counted, push_within},
            words,
        },
        or_not_found,
    },
    external,
};
use crate::{
    StoreError,
    records::{BookedOver, BookingFilter, ExternalKinds, ListedExternal},
    types::Ts,
};

/// All that is read of one.
macro_rules! listed {
    () => {
        "SELECT tenant_id, id, connection_id, booking_id, customer_id, member_id, starts_at, ends_at, payload, run, last_synced_at,
            when_start, created_at, updated_at
        FROM external_bookings WHERE tenant_id = "
    };
}

/// Where their words are.
const WORDS: words::Kept =
    words::Kept { words: "external_words", id: "external_booking_id", rows: "external_bookings" };

queries! {
    ONE = concat!(listed!(), "$1 AND id = $2");
}

#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(flatten)]
    external: external::Row,
    when_start: Ts,
    created_at: Ts,
    updated_at: Ts,
}

impl TryFrom<Row> for ListedExternal {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let mirrored: Mirrored = row.external.try_into()?;
        let (start, created_at, updated_at) = (row.when_start.0, row.created_at.0, row.updated_at.0);
        Ok(Self { mirrored, start, created_at, updated_at })
    }
}

/// One, by its id here; also one that is the counterpart of a booking by now.
pub(crate) async fn one(
    conn: &mut Conn,
    tenant: TenantId,
    id: MirroredId,
) -> Result<ListedExternal, StoreError> {
    let row = sqlx::query_as::<Db, Row>(ONE).bind(tenant.uuid()).bind(id.uuid()).fetch_optional(conn).await?;
    or_not_found(row, "external booking")?.try_into()
}

/// In the order that is asked for. Where event types of ours are asked for, `kinds` says what those are there.
pub(crate) async fn list(
    conn: &mut Conn,
    tenant: TenantId,
    filter: &BookingFilter,
    kinds: Option<&ExternalKinds>,
    limit: u32,
) -> Result<Vec<ListedExternal>, StoreError> {
    let mut query = QueryBuilder::<Db>::new(listed!());
    query.push_bind(tenant.uuid());
    narrow(&mut query, tenant, filter, kinds);
    if let Some(within) = filter.within {
        query.push(" AND when_start < ").push_bind(Ts(within.end()));
        query.push(" AND when_end > ").push_bind(Ts(within.start()));
    }
    let time = match filter.order.by {
        OrderedBy::Start => "when_start",
        OrderedBy::Created => "created_at",
        OrderedBy::Updated => "updated_at",
    };
    let (after, way) = if filter.order.descending { ("<", " DESC") } else { (">", "") };
    if let Some((at, id)) = filter.after {
        query.push(format!(" AND ({time}, id) {after} (")).push_bind(Ts(at)).push(", ");
        query.push_bind(id.uuid()).push(")");
    }
    query.push(format!(" ORDER BY {time}{way}, id{way} LIMIT ")).push_bind(i64::from(limit));
    let rows: Vec<Row> = query.build_query_as().fetch_all(conn).await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// All but when they are. What bookings at a provider are never, nothing of them is.
fn narrow(
    query: &mut QueryBuilder<Db>,
    tenant: TenantId,
    filter: &BookingFilter,
    kinds: Option<&ExternalKinds>,
) {
    query.push(" AND booking_id IS NULL");
    for (column, id) in [
        ("connection_id", filter.connection.map(Id::uuid)),
        ("member_id", filter.member.map(Id::uuid)),
        ("customer_id", filter.customer.map(Id::uuid)),
    ] {
        if let Some(id) = id {
            query.push(format!(" AND {column} = ")).push_bind(id);
        }
    }
    if filter.series.is_some() || filter.provider_task.is_some() {
        query.push(" AND FALSE");
    }
    if let Some(kinds) = kinds {
        push_kinds(query, tenant, kinds);
    }
    push_states(query, &filter.states);
    push_within(query, "created_at", filter.created);
    push_within(query, "updated_at", filter.updated);
    match &filter.provider {
        None => {}
        Some(BookedOver::BuiltIn) => {
            query.push(" AND FALSE");
        }
        Some(BookedOver::Provider(plugin)) => {
            query.push(" AND connection_id IN (SELECT c.id FROM connections c WHERE c.tenant_id = ");
            query.push_bind(tenant.uuid()).push(" AND c.plugin = ");
            query.push_bind(plugin.as_str().to_owned()).push(")");
        }
    }
    if let Some(external_id) = &filter.external_id {
        query.push(" AND external_id = ").push_bind(external_id.clone());
    }
    if let Some(search) = &filter.search {
        words::push_is_found(query, tenant, search, &WORDS);
    }
}

fn push_kinds(query: &mut QueryBuilder<Db>, tenant: TenantId, kinds: &ExternalKinds) {
    query.push(" AND (FALSE");
    if let Some(listing) = kinds.listing {
        query.push(" OR connection_id IN (SELECT c.id FROM connections c WHERE c.tenant_id = ");
        query.push_bind(tenant.uuid()).push(" AND c.listing_id = ").push_bind(listing.uuid()).push(")");
    }
    if !kinds.over.is_empty() {
        query.push(" OR (connection_id, event_type) IN (");
        query.push_values(&kinds.over, |mut row, (connection, id)| {
            row.push_bind(connection.uuid()).push_bind(id.clone());
        });
        query.push(")");
    }
    if !kinds.anywhere.is_empty() {
        query.push(" OR event_type IN (");
        let mut all = query.separated(", ");
        for id in &kinds.anywhere {
            all.push_bind(id.clone());
        }
        query.push(")");
    }
    query.push(")");
}

/// By the names of states that both kinds of bookings have. None of these is known to have been moved.
fn push_states(query: &mut QueryBuilder<Db>, wanted: &WantedStates) {
    if wanted.is_all() {
        return;
    }
    query.push(" AND (FALSE");
    for status in &wanted.statuses {
        query.push(" OR status = ").push_bind(status.as_str());
    }
    query.push(")");
}

/// Add how many begin on each of these days, by status.
pub(crate) async fn count(
    conn: &mut Conn,
    tenant: TenantId,
    filter: &BookingFilter,
    kinds: Option<&ExternalKinds>,
    days: &[Day],
) -> Result<Vec<DayCount>, StoreError> {
    let of = |query: &mut QueryBuilder<Db>| narrow(query, tenant, filter, kinds);
    let known = |status: &str| match serde_json::from_value::<ExternalStatus>(status.into()) {
        Ok(_) => Ok(()),
        Err(_) => Err(StoreError::Corrupt(format!("external status {status}"))),
    };
    counted((conn, tenant), ("external_bookings", "when_start"), days, of, known).await
}
