//! Taken places as availability needs them: a month of a team is thousands of rows, and a row costs more on its way through the driver than
//! in the database. So the database joins them into one text for each member, a number for each place.

use berth_model::{
    id::{MemberId, TenantId},
    time::{Instant, Interval},
};
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::{super::Db, Conn, places::push_ids};
use crate::{
    StoreError,
    records::{TakenOf, TakenPlace},
    types::Ts,
};

/// Microseconds in a minute.
const MINUTE: i64 = 60_000_000;
/// A place is one number if its parts are whole minutes and shorter than this: ((start × N + blocked) × N + before) × N + meeting) × 4 +
/// flags. Any other place is five numbers behind an `x`.
const N: i64 = 4_096;
/// How far before the interval the counting begins, in minutes: further than a place can reach.
const EARLIER_MINUTES: i64 = 8_192;

/// What is asked of the rows below: whole minutes, in order.
const PLAIN: &str = "b0 % 60000000 = 0 AND b1 % 60000000 = 0 AND m0 % 60000000 = 0 AND m1 % 60000000 = 0 AND b0 <= m0 AND m0 <= m1
    AND b1 - b0 < 245760000000 AND m1 - b0 < 245760000000";

pub(crate) async fn taken(
    conn: &mut Conn,
    tenant: TenantId,
    of: &TakenOf,
) -> Result<Vec<(MemberId, Vec<TakenPlace>)>, StoreError> {
    if of.members.is_empty() {
        return Ok(Vec::new());
    }
    let start = of.within.start().micros().div_euclid(MINUTE).saturating_sub(EARLIER_MINUTES);
    let base = start.saturating_mul(MINUTE).max(Instant::MIN.micros());
    let mut query = QueryBuilder::<Db>::new(concat!("SELECT member_id, ", joining!(), "(CASE WHEN b0 >= "));
    query.push(base).push(" AND ").push(PLAIN).push(" THEN CAST((((b0 - ").push(base);
    query.push(
        ") / 60000000 * 4096 + (b1 - b0) / 60000000) * 4096 + (m0 - b0) / 60000000) * 4096 * 4 + (m1 - m0) / 60000000 * 4 + flags AS TEXT)
        ELSE 'x' || b0 || ' ' || b1 || ' ' || m0 || ' ' || m1 || ' ' || flags END, ',')
        FROM (SELECT member_id, ",
    );
    query.push(concat!(
        micros!("blocked_start"),
        " AS b0, ",
        micros!("blocked_end"),
        " AS b1, ",
        micros!("starts_at"),
        " AS m0, ",
        micros!("ends_at"),
        " AS m1, CASE WHEN owner_kind = 'hold' THEN 2 ELSE 0 END + CASE WHEN event_type_id = "
    ));
    query
        .push_bind(of.event_type.uuid())
        .push(" THEN 1 ELSE 0 END AS flags FROM occupancies WHERE tenant_id = ");
    query.push_bind(tenant.uuid()).push(" AND member_id IN ");
    push_ids(&mut query, &of.members);
    query.push(" AND blocked_end > ").push_bind(Ts(of.within.start()));
    query.push(" AND blocked_start < ").push_bind(Ts(of.within.end()));
    query.push(" AND (expires_at IS NULL OR expires_at > ").push_bind(Ts(of.now)).push(")");
    if let Some(own) = of.own {
        query.push(" AND owner_id <> ").push_bind(own);
    }
    query.push(") places GROUP BY member_id");
    let rows: Vec<(Uuid, String)> = query.build_query_as().fetch_all(conn).await?;
    rows.into_iter()
        .map(|(member, text)| {
            let places = text.split(',').map(|token| place(token, base)).collect::<Option<_>>();
            let places = places.ok_or_else(|| StoreError::Corrupt("places".to_owned()))?;
            Ok((MemberId::from_uuid(member), places))
        })
        .collect()
}

/// One place from its number, or its numbers.
fn place(token: &str, base: i64) -> Option<TakenPlace> {
    let made = |b0: i64, b1: i64, m0: i64, m1: i64, flags: i64| {
        let interval = |from, to| Interval::new(Instant::from_micros(from), Instant::from_micros(to)).ok();
        let (blocked, when) = (interval(b0, b1)?, interval(m0, m1)?);
        Some(TakenPlace { blocked, when, hold: flags & 2 != 0, same_event_type: flags & 1 != 0 })
    };
    if let Some(numbers) = token.strip_prefix('x') {
        let mut numbers = numbers.split(' ').map(|n| n.parse::<i64>().ok());
        let mut next = || numbers.next().flatten();
        return made(next()?, next()?, next()?, next()?, next()?);
    }
    let packed: i64 = token.parse().ok()?;
    let (flags, rest) = (packed.rem_euclid(4), packed.div_euclid(4));
    let (meeting, rest) = (rest.rem_euclid(N), rest.div_euclid(N));
    let (before, rest) = (rest.rem_euclid(N), rest.div_euclid(N));
    let (blocked, start) = (rest.rem_euclid(N), rest.div_euclid(N));
    let b0 = base.saturating_add(start.saturating_mul(MINUTE));
    let m0 = b0.saturating_add(before.saturating_mul(MINUTE));
    made(
        b0,
        b0.saturating_add(blocked.saturating_mul(MINUTE)),
        m0,
        m0.saturating_add(meeting.saturating_mul(MINUTE)),
        flags,
    )
}
