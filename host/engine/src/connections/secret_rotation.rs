//! Webhook secrets are exchanged without a gap: messages signed with the one before are accepted for a while, and the provider is given the
//! new one with a subscription of its own, before the old subscription is ended.

use berth_model::{
    connections::{
        connection::{ConnectionRecord, ConnectionState, Stopped},
        secret::{Credentials, Secret},
    },
    id::ConnectionId,
    limits,
    plugins::manifest::{CredentialKind, Manifest},
    problem::{Code, FieldError, Problem},
};
use berth_store::StoreError;

use crate::{
    Caller, ConnectionPatch, Engine, Outcome,
    problems::{of_stopped, of_store},
};

impl Engine {
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
            return Err(of_stopped(Stopped::Disconnected));
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
            credentials: Some(Credentials::from([(name.clone(), self.made_up_secret())])),
            ..ConnectionPatch::default()
        };
        self.change_connection(caller, id, patch, overlap, expected_revision, None).await
    }

    /// Save credentials with another webhook secret; the one before, if there was one, is accepted for so many seconds.
    pub(crate) async fn exchange_secret(
        &self,
        caller: &Caller,
        connection: ConnectionRecord,
        credentials: Credentials,
        before: Option<(String, Secret)>,
        overlap_seconds: i64,
        revision: i64,
    ) -> Outcome<ConnectionRecord> {
        let until = self.now().plus_seconds(overlap_seconds);
        let before = before.filter(|_| overlap_seconds > 0).map(|old| (Credentials::from([old]), until));
        let saved =
            self.store().change_webhook_secret(connection, credentials, before, revision, self.audit(caller));
        saved.await.map_err(|error| match error {
            StoreError::WrongState => Problem::new(
                Code::WrongState,
                format!("{} secrets before this one are accepted still.", limits::OLD_WEBHOOK_SECRETS_MAX),
            )
            .with_hint("Wait until one has ended, or rotate with `overlap_seconds` 0, which ends them all."),
            other => of_store(other),
        })
    }

    /// Subscribe with a secret that is new, and end the subscription before. What fails is tried again in the background.
    pub(crate) async fn subscribe_anew(
        &self,
        caller: &Caller,
        connection: ConnectionRecord,
    ) -> Outcome<ConnectionRecord> {
        let kept = async {
            let context = self.call_context(&connection, None, &caller.request_id).await?;
            self.keep_subscription(&connection, &context, 0).await.map_err(of_store)
        };
        match kept.await {
            Ok(kept) => Ok(kept),
            Err(problem) => {
                tracing::warn!(%problem, connection = %connection.id, "the new webhook secret was not told yet");
                Ok(connection)
            }
        }
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
