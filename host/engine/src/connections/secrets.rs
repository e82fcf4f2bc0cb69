//! Webhook secrets: made, and put in place of another one without a message lost.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use berth_model::{
    connections::{
        connection::ConnectionRecord,
        secret::{Credentials, Secret},
    },
    limits,
    problem::{Code, Problem},
};
use berth_store::StoreError;

use crate::{Caller, Outcome, connections::Connections};

impl Connections {
    /// Save credentials with another webhook secret; the one before, if there was one, is accepted for so many seconds.
    pub(crate) async fn replace_secret(
        &self,
        caller: &Caller,
        connection: ConnectionRecord,
        credentials: Credentials,
        before: Option<(String, Secret)>,
        overlap_seconds: i64,
        revision: i64,
    ) -> Outcome<ConnectionRecord> {
        let until = self.base.now().plus_seconds(overlap_seconds);
        let before = before.filter(|_| overlap_seconds > 0).map(|old| (Credentials::from([old]), until));
        let saved = self.base.store().change_webhook_secret(
            connection,
            credentials,
            before,
            revision,
            self.base.audit(caller),
        );
        saved.await.map_err(|error| match error {
            StoreError::WrongState => Problem::new(
                Code::WrongState,
                format!("{} secrets before this one are accepted still.", limits::OLD_WEBHOOK_SECRETS_MAX),
            )
            .with_hint("Wait until one has ended, or rotate with `overlap_seconds` 0, which ends them all."),
            other => Problem::from(other),
        })
    }

    /// Subscribe with a secret that is new, and end the subscription before. What fails is tried again in the background.
    pub(crate) async fn subscribe_anew(
        &self,
        caller: &Caller,
        connection: ConnectionRecord,
    ) -> Outcome<ConnectionRecord> {
        let kept = async {
            let context = self.contexts.call_context(&connection, None, &caller.request_id).await?;
            self.keep_subscription(&connection, &context, 0).await.map_err(Problem::from)
        };
        match kept.await {
            Ok(kept) => Ok(kept),
            Err(problem) => {
                tracing::warn!(%problem, connection = %connection.id, "the new webhook secret was not delivered yet");
                Ok(connection)
            }
        }
    }

    pub(crate) fn generate_secret(&self) -> Secret {
        let mut bytes = [0; 32];
        self.base.random().fill(&mut bytes);
        Secret::new(URL_SAFE_NO_PAD.encode(bytes))
    }
}
