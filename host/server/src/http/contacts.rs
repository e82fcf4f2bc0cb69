//! How people can be reached, as an answer shows it: whole to whoever may read customers, and masked to everybody else. What is shown is
//! decided where it is written, by the types here, and nowhere else.
//!
//! Who reads is known while a request is answered ([`shown_to_key`]). Without one nothing is shown: what is forgotten is masked.

use std::{borrow::Cow, sync::Arc};

use axum::{extract::Request, middleware::Next, response::Response};
use berth_model::{
    masked::{self, Masked},
    tenants::scope::Scope,
};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use super::auth::Authenticated;

/// For whom something is written.
#[derive(Debug, Clone)]
pub(crate) enum Reader {
    /// Whoever has the key that the request came with.
    Key(Arc<Authenticated>),
    /// Nobody: it is read again here.
    Here,
    /// Somebody of whom nothing is known.
    Unknown,
}

tokio::task_local! {
    static READER: Reader;
}

impl Reader {
    /// For whom is written now: for what is written later, while the answer is sent.
    pub(crate) fn now() -> Self {
        READER.try_with(Clone::clone).unwrap_or(Self::Unknown)
    }

    /// Write something for them.
    pub(crate) fn is_written<T>(&self, write: impl FnOnce() -> T) -> T {
        READER.sync_scope(self.clone(), write)
    }
}

/// Answer a request that came with a key by what that key may see.
pub(crate) async fn shown_to_key(request: Request, next: Next) -> Response {
    match request.extensions().get::<Authenticated>().cloned() {
        Some(key) => READER.scope(Reader::Key(Arc::new(key)), next.run(request)).await,
        None => next.run(request).await,
    }
}

/// May whoever reads see addresses? Asking is noted: a repeat of the answer needs the same right.
pub(crate) fn shown() -> bool {
    let sees = |reader: &Reader| match reader {
        Reader::Key(key) => key.may(Scope::CustomersRead),
        Reader::Here => true,
        Reader::Unknown => false,
    };
    READER.try_with(sees).unwrap_or(false)
}

macro_rules! contact {
    ($(#[$doc:meta])* $name:ident, $mask:path) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Deserialize)]
        #[serde(transparent)]
        pub(crate) struct $name(pub(crate) String);

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if shown() { serializer.serialize_str(&self.0) } else { serializer.serialize_str(&$mask(&self.0)) }
            }
        }
    };
}

contact!(
    /// An e-mail address.
    Email,
    masked::email
);
contact!(
    /// A telephone number.
    Phone,
    masked::phone
);
contact!(
    /// Text in which addresses may stand.
    Words,
    masked::words
);

/// Something of any form, in which addresses may stand.
#[derive(Debug, Clone)]
pub(crate) struct Anything(pub(crate) Value);

impl Anything {
    /// Of what is written as JSON.
    pub(crate) fn of(value: &impl Serialize) -> Self {
        Self(serde_json::to_value(value).unwrap_or_default())
    }
}

impl Serialize for Anything {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if shown() { self.0.serialize(serializer) } else { Masked(&self.0).serialize(serializer) }
    }
}

/// A message as it came: where it is JSON, without addresses; otherwise not at all.
#[derive(Debug, Clone)]
pub(crate) struct Message(pub(crate) String);

impl Serialize for Message {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text: Cow<'_, str> = if shown() {
            Cow::Borrowed(&self.0)
        } else {
            match serde_json::from_str::<Value>(&self.0) {
                Ok(value) => Cow::Owned(serde_json::to_string(&Masked(&value)).unwrap_or_default()),
                Err(_) => Cow::Borrowed(masked::WHOLE),
            }
        };
        serializer.serialize_str(&text)
    }
}
