//! Taken places, cached while they hold.

use std::{collections::HashMap, sync::Arc};

use berth_model::{
    id::{MemberId, TenantId},
    intervals::merged,
    limits,
    time::Interval,
};

use crate::{
    Store, StoreError,
    cache::{CachedOccupancies, StoredOccupancy, whole_days},
    records::{OccupancyQuery, SeenOccupancy},
};

impl Store {
    /// What of these members' time is taken around an interval (up to a day more at each end), as availability needs it. A booking that
    /// moves, or the asker's own hold, is left out. More than [`limits::PLACES_READ_MAX`] are refused.
    pub async fn occupancies(
        &self,
        tenant: TenantId,
        of: OccupancyQuery,
    ) -> Result<Vec<(MemberId, Vec<SeenOccupancy>)>, StoreError> {
        let members = of.members.clone();
        let versions = read!(self, |q, conn| q::availability::busy::versions(conn, tenant, &members))?;
        self.occupancies_at(tenant, of, versions).await
    }

    /// The same for versions of the members' places that were read in this request ([`Store::booking_setup`]). Members without one are
    /// left out.
    pub async fn occupancies_at(
        &self,
        tenant: TenantId,
        of: OccupancyQuery,
        versions: Vec<(MemberId, i64)>,
    ) -> Result<Vec<(MemberId, Vec<SeenOccupancy>)>, StoreError> {
        let within = whole_days(of.within);
        let mut known: Vec<(MemberId, Arc<[StoredOccupancy]>)> = Vec::with_capacity(versions.len());
        let (mut behind, mut unknown) = (Vec::new(), Vec::new());
        for (member, version) in versions {
            match self.cache.places.get(&(tenant, member, within)) {
                Some(found) if found.version == version => known.push((member, found.places)),
                Some(found)
                    if (0..limits::PLACE_CHANGES_KEPT).contains(&(version.saturating_sub(found.version))) =>
                {
                    behind.push((member, version, found));
                }
                _ => unknown.push((member, version)),
            }
        }
        for (member, version, found) in behind {
            match self.brought_up(tenant, member, version, &found, within).await? {
                Some(found) => known.push((member, self.keep(tenant, member, within, found))),
                None => unknown.push((member, version)),
            }
        }
        if !unknown.is_empty() {
            let ids: Vec<MemberId> = unknown.iter().map(|(member, _)| *member).collect();
            let rows =
                read!(self, |q, conn| q::availability::busy::occupancies(conn, tenant, &ids, &[within]))?;
            let mut of_member: HashMap<MemberId, Vec<StoredOccupancy>> = HashMap::new();
            for (member, place) in rows {
                of_member.entry(member).or_default().push(place);
            }
            for (member, version) in unknown {
                let places = of_member.remove(&member).unwrap_or_default().into();
                known
                    .push((member, self.keep(tenant, member, within, CachedOccupancies { version, places })));
            }
        }
        // Much may come together of what was read in small parts.
        let all = known.iter().map(|(_, places)| places.len()).fold(0, usize::saturating_add);
        if i64::try_from(all).unwrap_or(i64::MAX) > limits::PLACES_READ_MAX {
            return Err(StoreError::TooMany(limits::PLACES_READ_MAX));
        }
        Ok(known
            .into_iter()
            .map(|(member, places)| (member, places.iter().filter_map(|p| p.seen_by(&of)).collect()))
            .collect())
    }

    fn keep(
        &self,
        tenant: TenantId,
        member: MemberId,
        within: Interval,
        known: CachedOccupancies,
    ) -> Arc<[StoredOccupancy]> {
        let places = Arc::clone(&known.places);
        self.cache.places.insert((tenant, member, within), known);
        places
    }

    /// What is known of a member's places, with what was touched since read again. None: that is too much to tell apart.
    async fn brought_up(
        &self,
        tenant: TenantId,
        member: MemberId,
        version: i64,
        known: &CachedOccupancies,
        within: Interval,
    ) -> Result<Option<CachedOccupancies>, StoreError> {
        let since = known.version;
        let found = read!(self, |q, conn| async move {
            let Some(touched) = q::availability::busy::touched(conn, tenant, member, since).await? else {
                return Ok(None);
            };
            let touched = merged(touched.into_iter().filter(|touched| touched.overlaps(within)).collect());
            if touched.is_empty() {
                return Ok(Some((touched, Vec::new())));
            }
            let places = q::availability::busy::occupancies(conn, tenant, &[member], &touched).await?;
            Ok(Some((touched, places)))
        })?;
        Ok(found.map(|(touched, places)| {
            let within = |place: &StoredOccupancy| place.padded.overlaps(within);
            let now = places.into_iter().map(|(_, place)| place).filter(within).collect();
            known.brought_up(version, &touched, now)
        }))
    }
}
