//! Members.

use berth_model::{
    catalog::member::MemberRecord,
    id::{EventTypeId, MemberId, TenantId},
};

use crate::{
    Store, StoreError,
    records::{Audit, MemberJoin, MemberSetup},
};

impl Store {
    /// The member whom the tenant calls so.
    pub async fn member_by_user(&self, tenant: TenantId, user_id: &str) -> Result<MemberRecord, StoreError> {
        let user_id = user_id.to_owned();
        read!(self, |q, conn| q::catalog::members::by_user(conn, tenant, &user_id))
    }

    /// Add a member.
    pub async fn create_member(&self, member: MemberRecord, audit: Audit) -> Result<(), StoreError> {
        write_tx!(self, [member, audit], |q, conn| q::catalog::members::insert(conn, &member, &audit))
    }

    /// Make or change a member and put them into event types, in one transaction; what is as it should be is not written. `Stale` if one of
    /// them was changed in between.
    pub async fn join_team(&self, join: MemberJoin, audit: Audit) -> Result<MemberRecord, StoreError> {
        write_tx!(self, [join, audit], |q, conn| async move {
            let member = match join.expected_revision {
                None => {
                    q::catalog::members::insert(conn, &join.member, &audit).await?;
                    join.member.clone()
                }
                Some(revision) if join.is_changed => {
                    q::catalog::members::update(conn, &join.member, revision, &audit).await?
                }
                Some(_) => join.member.clone(),
            };
            for (event_type, audit) in &join.event_types {
                q::catalog::event_types::update(conn, event_type, event_type.revision, audit).await?;
            }
            Ok(member)
        })
    }

    /// One member.
    pub async fn member(&self, tenant: TenantId, member: MemberId) -> Result<MemberRecord, StoreError> {
        read!(self, |q, conn| q::catalog::members::get(conn, tenant, member))
    }

    /// One member, with what bears on their time.
    pub async fn member_setup(&self, tenant: TenantId, member: MemberId) -> Result<MemberSetup, StoreError> {
        read!(self, |q, conn| async move {
            // No event type has the nil id: of the tenant alone. First its version, so that what follows is not older.
            let nobody = EventTypeId::from_uuid(uuid::Uuid::nil());
            let versions = q::availability::busy::scene_versions(conn, tenant, nobody).await?;
            let (setup, _) = versions.ok_or(StoreError::NotFound("tenant"))?;
            let places = q::availability::busy::versions(conn, tenant, &[member]).await?;
            let (_, places) = places.first().copied().ok_or(StoreError::NotFound("member"))?;
            let calendars = q::calendars::connected::of_members(conn, tenant, &[member]).await?;
            let member = q::catalog::members::get(conn, tenant, member).await?;
            let tenant = q::tenants::get(conn, tenant).await?;
            Ok(MemberSetup { setup, tenant, member, calendars, places })
        })
    }

    /// A page of members in the order of their ids, after this one.
    pub async fn list_members(
        &self,
        tenant: TenantId,
        after: Option<MemberId>,
        limit: u32,
    ) -> Result<Vec<MemberRecord>, StoreError> {
        read!(self, |q, conn| q::catalog::members::list(conn, tenant, after, limit))
    }

    /// Replace a member; `Stale` if its revision is not the expected one, `LastOwner` if no active owner would be left. Returns it
    /// with its new revision.
    pub async fn update_member(
        &self,
        member: MemberRecord,
        expected_revision: i64,
        audit: Audit,
    ) -> Result<MemberRecord, StoreError> {
        write_tx!(self, [member, audit], |q, conn| q::catalog::members::update(
            conn,
            &member,
            expected_revision,
            &audit
        ))
    }

    /// Remove a member; `InUse` while event types or bookings refer to it, `LastOwner` if no active owner would be left.
    pub async fn delete_member(
        &self,
        tenant: TenantId,
        member: MemberId,
        audit: Audit,
    ) -> Result<(), StoreError> {
        write_tx!(self, [audit], |q, conn| q::catalog::members::delete(conn, tenant, member, &audit))
    }
}
