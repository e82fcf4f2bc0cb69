//! Taken places, remembered while they hold.

use std::{collections::HashMap, sync::Arc};

use berth_model::id::{MemberId, TenantId};

use crate::{
    Store, StoreError,
    records::{TakenOf, TakenPlace},
    remembered::{Known, Place, whole_days},
};

impl Store {
    /// What of these members' time is taken around an interval (up to a day more at each end), as availability needs it. A booking that
    /// moves, or the asker's own hold, is left out.
    pub async fn taken(
        &self,
        tenant: TenantId,
        of: TakenOf,
    ) -> Result<Vec<(MemberId, Vec<TakenPlace>)>, StoreError> {
        let within = whole_days(of.within);
        let members = of.members.clone();
        let versions = ask!(self, |q, conn| q::taken::versions(conn, tenant, &members))?;
        let mut known: Vec<(MemberId, Arc<[Place]>)> = Vec::with_capacity(versions.len());
        let mut changed = Vec::new();
        for (member, version) in versions {
            match self.remembered.0.get(&(tenant, member, within)) {
                Some(found) if found.version == version => known.push((member, found.places)),
                _ => changed.push((member, version)),
            }
        }
        if !changed.is_empty() {
            let ids: Vec<MemberId> = changed.iter().map(|(member, _)| *member).collect();
            let rows = ask!(self, |q, conn| q::taken::places(conn, tenant, &ids, within))?;
            let mut of_member: HashMap<MemberId, Vec<Place>> = HashMap::new();
            for (member, place) in rows {
                of_member.entry(member).or_default().push(place);
            }
            for (member, version) in changed {
                let places: Arc<[Place]> = of_member.remove(&member).unwrap_or_default().into();
                let now_known = Known { version, places: places.clone() };
                self.remembered.0.insert((tenant, member, within), now_known);
                known.push((member, places));
            }
        }
        Ok(known
            .into_iter()
            .map(|(member, places)| (member, places.iter().filter_map(|p| p.seen_by(&of)).collect()))
            .collect())
    }
}
