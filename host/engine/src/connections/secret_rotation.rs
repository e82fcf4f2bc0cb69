//! Webhook secrets are rotated without a gap: messages signed with the one before are accepted for a while, and the provider is given the
//! new one with a subscription of its own, before the old subscription is ended.

use berth_model::{
    connections::{
        connection::{ConnectionRecord, ConnectionState, Stopped},
        secret::Credentials,
    },
    id::ConnectionId,
    limits,
    plugins::manifest::{CredentialKind, Manifest},
    problem::{Code, FieldError, Problem},
};

use crate::{Caller, ConnectionPatch, Outcome, connections::Connections};

impl Connections {
    /// Make up another webhook secret. The one before is accepted for so many seconds; with none of them it ends now, and with it those
    /// before it, which is for a secret that others know.
    pub async fn rotate_webhook_secret(
        &self,
        caller: &Caller,
        id: ConnectionId,
        overlap_seconds: Option<i64>,
        expected_revision: Option<i64>,
    ) -> Outcome<ConnectionRecord> {
        let overlap = overlap_seconds.unwrap_or(limits::WEBHOOK_SECRET_OVERLAP_SECONDS);
        if !(0..=limits::WEBHOOK_SECRET_OVERLAP_SECONDS).contains(&overlap) {
            let allowed = format!("must be 0 to {}", limits::WEBHOOK_SECRET_OVERLAP_SECONDS);
            return Err(Problem::invalid(vec![FieldError::new("/overlap_seconds", allowed)]));
        }
        let connection = self.connection(caller, id).await?;
        if connection.state == ConnectionState::Disconnected {
            return Err(Problem::from(Stopped::Disconnected));
        }
        let manifest = self.active_manifest(&connection.plugin)?;
        let name = webhook_secret(&manifest).ok_or_else(|| {
            Problem::new(Code::ProviderUnsupported, "Messages of this provider are not signed with a secret.")
        })?;
        if manifest.credentials.get(name).is_none_or(|spec| spec.kind != CredentialKind::Generated) {
            return Err(Problem::new(
                Code::WrongState,
                "The provider gives this secret; it cannot be made up.",
            )
            .with_hint(format!(
                "Give the new one with PATCH /api/booking-providers/{id}, as credential {name}."
            )));
        }
        let patch = ConnectionPatch {
            credentials: Some(Credentials::from([(name.clone(), self.generate_secret())])),
            ..ConnectionPatch::default()
        };
        self.change_connection(caller, id, patch, overlap, expected_revision, None).await
    }
}

fn webhook_secret(manifest: &Manifest) -> Option<&String> {
    manifest.webhook.as_ref()?.secret.as_ref()
}

/// The name of the webhook secret, if it is another one than before.
pub(crate) fn changed_secret<'a>(
    manifest: &'a Manifest,
    before: &Credentials,
    after: &Credentials,
) -> Option<&'a String> {
    webhook_secret(manifest).filter(|name| before.get(*name) != after.get(*name))
}
