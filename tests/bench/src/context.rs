//! What a call is made with.

use std::{collections::BTreeSet, sync::Arc};

use berth_model::{
    id::{ConnectionId, ProviderCallId, TenantId},
    outbound::provider::{Asked, CallContext},
};
use serde_json::json;

/// A call of this tenant to the reference provider.
pub fn context(tenant: u128) -> CallContext {
    CallContext {
        tenant: TenantId::from_uuid(uuid::Uuid::from_u128(tenant)),
        listing: None,
        connection: ConnectionId::from_uuid(uuid::Uuid::from_u128(1)),
        plugin: "reference".parse().expect("an id"),
        call: ProviderCallId::from_uuid(uuid::Uuid::from_u128(2)),
        request_id: "bench".to_owned(),
        settings: Arc::new(json!({})),
        credentials: Arc::default(),
        granted_hosts: Arc::new(BTreeSet::new()),
        asked: Asked::default(),
        in_background: false,
        despite_state: false,
    }
}
