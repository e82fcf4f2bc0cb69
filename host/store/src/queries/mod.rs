//! The one SQL text. Mounted twice, under `sqlite` and under `postgres`; `super::Db` is the engine it is compiled for.
//!
//! A function here is a piece of a transaction: it takes a connection and leaves commit and rollback to the engine.

use std::{collections::HashMap, str::FromStr};

use berth_model::{
    id::{Id, MemberId, TenantId},
    time::{Instant, Interval},
};
use sqlx::{Executor, QueryBuilder, SqlSafeStr, types::Json};
use uuid::Uuid;

use super::Db;
use crate::{StoreError, types::Ts};

/// A connection of this engine.
pub(crate) type Conn = <Db as sqlx::Database>::Connection;

/// Declare statements and list them, so that a test can prepare every one on both engines.
macro_rules! queries {
    ($($name:ident = $sql:expr;)*) => {
        $(const $name: &str = $sql;)*
        /// Every statement of this file.
        pub(crate) const ALL: &[&str] = &[$($name),*];
    };
}

pub(crate) mod availability;
pub(crate) mod bookings;
pub(crate) mod calendars;
pub(crate) mod catalog;
pub(crate) mod connections;
pub(crate) mod customers;
pub(crate) mod events;
pub(crate) mod inbound;
pub(crate) mod jobs;
pub(crate) mod mirror;
pub(crate) mod plugins;
pub(crate) mod privacy;
pub(crate) mod tenants;

/// Every statement of every file.
const ALL: &[&[&str]] = &[
    bookings::bulk::ALL,
    bookings::limits::ALL,
    bookings::list::ALL,
    bookings::words::ALL,
    tenants::audit::ALL,
    bookings::change::ALL,
    calendars::blocks::ALL,
    bookings::ALL,
    calendars::connected::ALL,
    connections::by_provider::ALL,
    connections::calls::ALL,
    calendars::clashes::ALL,
    bookings::clocks::ALL,
    mirror::conflicts::ALL,
    connections::ALL,
    customers::ALL,
    customers::change::ALL,
    customers::history::ALL,
    customers::identify::ALL,
    customers::list::ALL,
    customers::merge::ALL,
    customers::split::ALL,
    catalog::event_types::ALL,
    events::ALL,
    events::feed::ALL,
    events::placing::ALL,
    calendars::feeds::ALL,
    plugins::grants::ALL,
    bookings::holds::ALL,
    bookings::idempotency::ALL,
    plugins::installations::ALL,
    jobs::queue::ALL,
    tenants::keys::ALL,
    catalog::listings::ALL,
    catalog::members::ALL,
    catalog::private_links::ALL,
    mirror::external::ALL,
    mirror::items::ALL,
    mirror::listed::ALL,
    mirror::words::ALL,
    connections::oauth::ALL,
    bookings::occupancy::ALL,
    plugins::ALL,
    jobs::prune::ALL,
    privacy::consents::ALL,
    privacy::texts::ALL,
    connections::recovery::ALL,
    tenants::removal::ALL,
    jobs::replicas::ALL,
    connections::secret_rotation::ALL,
    availability::rules::ALL,
    connections::state::ALL,
    connections::states::ALL,
    connections::domain_events::ALL,
    availability::busy::ALL,
    tenants::ALL,
    catalog::at_provider::ALL,
    bookings::members::ALL,
    bookings::counterparts::ALL,
    inbound::receive::ALL,
];

/// Every declared statement.
pub(crate) fn statements() -> Vec<&'static str> {
    ALL.iter().flat_map(|file| file.iter().copied()).collect()
}

/// Prepare every declared statement. Those that are refused, with the reason.
pub(crate) async fn prepare_all(conn: &mut Conn) -> Result<Vec<String>, StoreError> {
    let mut refused = Vec::new();
    for file in ALL {
        for statement in *file {
            let statement: &'static str = statement;
            if let Err(error) = (&mut *conn).prepare(statement.into_sql_str()).await {
                refused.push(format!("{error}: {statement}"));
            }
        }
    }
    Ok(refused)
}

/// Is the database there, and does it answer?
pub(crate) async fn ping(conn: &mut Conn) -> Result<(), StoreError> {
    sqlx::query::<Db>("SELECT 1").execute(conn).await?;
    Ok(())
}

/// Can the database be written? Changes a row into itself.
pub(crate) async fn try_write(conn: &mut Conn) -> Result<(), StoreError> {
    sqlx::query::<Db>("UPDATE plugin_generation SET generation = generation").execute(conn).await?;
    Ok(())
}

/// Members by what they belong to, each in its order: of a table with the columns `tenant_id`, this one, `member_id`, `position`. For as many as
/// a page has.
async fn members_of(
    conn: &mut Conn,
    (table, column): (&'static str, &'static str),
    tenant: TenantId,
    of: impl ExactSizeIterator<Item = Uuid> + Send,
) -> Result<HashMap<Uuid, Vec<MemberId>>, StoreError> {
    let mut members: HashMap<Uuid, Vec<MemberId>> = HashMap::new();
    if of.len() == 0 {
        return Ok(members);
    }
    let mut query =
        QueryBuilder::<Db>::new(format!("SELECT {column}, member_id FROM {table} WHERE tenant_id = "));
    query.push_bind(tenant.uuid()).push(format!(" AND {column} IN ("));
    let mut ids = query.separated(", ");
    for id in of {
        ids.push_bind(id);
    }
    query.push(format!(") ORDER BY {column}, position"));
    for (id, member) in query.build_query_as::<(Uuid, Uuid)>().fetch_all(conn).await? {
        members.entry(id).or_default().push(MemberId::from_uuid(member));
    }
    Ok(members)
}

/// Read a stored text as what it must be.
fn parsed<T: FromStr>(text: &str, what: &str) -> Result<T, StoreError> {
    text.parse().map_err(|_| StoreError::Corrupt(format!("{what} {text:?}")))
}

/// Read a stored name as one of these.
fn parse_enum<T: Copy>(
    all: &[T],
    name: fn(T) -> &'static str,
    text: &str,
    what: &str,
) -> Result<T, StoreError> {
    let known = all.iter().copied().find(|each| name(*each) == text);
    known.ok_or_else(|| StoreError::Corrupt(format!("{what} {text:?}")))
}

/// Read a stored JSON value as what it must be.
fn from_json<T: serde::de::DeserializeOwned>(
    Json(value): Json<serde_json::Value>,
    what: &str,
) -> Result<T, StoreError> {
    serde_json::from_value(value).map_err(|error| StoreError::Corrupt(format!("{what}: {error}")))
}

/// A non-negative number that fits.
fn number<T: TryFrom<i64>>(value: i64, what: &str) -> Result<T, StoreError> {
    T::try_from(value).map_err(|_| StoreError::Corrupt(format!("{what} {value}")))
}

/// Two stored instants as an interval.
fn interval(start: Ts, end: Ts) -> Result<Interval, StoreError> {
    Interval::new(start.0, end.0).map_err(|_| StoreError::Corrupt("an inverted interval".to_owned()))
}

/// The tenant in a table that holds what is the host's own, too: that has the nil tenant.
fn owner(tenant: Option<TenantId>) -> Uuid {
    tenant.map_or(Uuid::nil(), Id::uuid)
}

/// See [`owner`].
fn owned_by(tenant: Uuid) -> Option<TenantId> {
    (!tenant.is_nil()).then(|| TenantId::from_uuid(tenant))
}

/// The id after which a page begins; before all others if none is given.
fn page_after<T>(id: Option<Id<T>>) -> Uuid {
    id.map_or(Uuid::nil(), Id::uuid)
}

/// The instant in an optional column.
fn opt_instant(column: Option<Ts>) -> Option<Instant> {
    column.map(|ts| ts.0)
}

/// One row or none of its kind.
fn or_not_found<T>(row: Option<T>, what: &'static str) -> Result<T, StoreError> {
    row.ok_or(StoreError::NotFound(what))
}

/// Did the statement meet its row?
fn expect_affected(
    done: &<Db as sqlx::Database>::QueryResult,
    otherwise: StoreError,
) -> Result<(), StoreError> {
    if done.rows_affected() == 0 { Err(otherwise) } else { Ok(()) }
}
