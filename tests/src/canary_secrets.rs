//! Credentials that are planted, and the search for them wherever they must not be.

use std::{
    collections::BTreeSet,
    io,
    path::Path,
    sync::{Arc, Mutex},
};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use berth_model::connections::{oauth::TokenSet, secret::Secret};
use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection};
use tracing_subscriber::fmt::MakeWriter;

/// Shorter texts are in everything.
const CHARS_MIN: usize = 8;

/// What must be found nowhere.
#[derive(Debug, Default)]
pub struct CanarySecrets(BTreeSet<String>);

impl CanarySecrets {
    /// A credential: a text, the parts of `user:password` that are secret, or the tokens of a set.
    pub fn plant(&mut self, credential: &str) {
        if let Some(set) = TokenSet::read(&Secret::new(credential.to_owned())) {
            let secrets = [Some(set.access_token), set.refresh_token, set.client.and_then(|c| c.secret)];
            self.0.extend(secrets.into_iter().flatten().map(|secret| secret.expose().to_owned()));
        } else if let Some((_, password)) = credential.split_once(':') {
            self.0.insert(password.to_owned());
        }
        self.0.insert(credential.to_owned());
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Fail if one of them is there in any form.
    pub fn assert_absent(&self, place: &str, bytes: &[u8]) {
        // Every form is ASCII, which no other byte can be a part of.
        let text = String::from_utf8_lossy(bytes);
        for (n, canaries) in self.0.iter().enumerate() {
            assert!(canaries.chars().count() >= CHARS_MIN, "canaries credential {n} is too short");
            for (form, needle) in forms(canaries) {
                if let Some(at) = text.find(&needle) {
                    let before: String = text[..at].chars().rev().take(120).collect();
                    let before: String = before.chars().rev().collect();
                    panic!(
                        "canaries credential {n} ({}…) is in {place}, {form}, after {before:?}",
                        &canaries[..4]
                    );
                }
            }
        }
    }
}

/// How a text may be written where somebody thought little of it.
fn forms(text: &str) -> Vec<(&'static str, String)> {
    let bytes = text.as_bytes();
    let mut forms = vec![
        ("as it is", text.to_owned()),
        ("url-encoded", url::form_urlencoded::byte_serialize(bytes).collect()),
        ("in hex", bytes.iter().map(|b| format!("{b:02x}")).collect()),
        ("as numbers", bytes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
    ];
    // Inside of a longer text its letters depend on where it begins; those at both ends on what is around it too.
    for before in 0..3_usize {
        let padded = [&b"\0\0\0"[..before], bytes].concat();
        let (first, last) = ((before * 8).div_ceil(6), padded.len() * 8 / 6);
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            forms.push(("in base64", engine.encode(&padded)[first..last].to_owned()));
        }
    }
    forms
}

/// Every text and blob of a SQLite database, by table and column. A value that is longer than a page is in one piece here.
pub async fn texts_of(database: &Path) -> Vec<(String, Vec<u8>)> {
    let url = format!("sqlite:{}?mode=ro", database.display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    let columns =
        "SELECT t.name, c.name FROM sqlite_master t, pragma_table_info(t.name) c WHERE t.type = 'table'";
    let mut texts = Vec::new();
    for row in sqlx::query(columns).fetch_all(&mut connection).await.unwrap() {
        let (table, column): (String, String) = (row.get(0), row.get(1));
        let values = format!(
            r#"SELECT CAST("{column}" AS BLOB) FROM "{table}" WHERE typeof("{column}") IN ('text', 'blob')"#
        );
        let values = sqlx::query(AssertSqlSafe(values)).fetch_all(&mut connection).await.unwrap();
        let values: Vec<Vec<u8>> = values.iter().map(|row| row.get(0)).collect();
        texts.push((format!("{table}.{column}"), values.join(&b'\n')));
    }
    connection.close().await.unwrap();
    texts
}

/// Everything that is logged.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Keep what this process logs from now on, of every level. Once in a process.
    pub fn begin() -> Self {
        let log = Self::default();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(log.clone())
            .with_ansi(false)
            .finish();
        tracing::subscriber::set_global_default(subscriber).unwrap();
        log
    }

    /// What was logged until now.
    pub fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_found() {
        let mut canaries = CanarySecrets::default();
        canaries.plant("eve:pass+word/1234");
        let basic = STANDARD_NO_PAD.encode("somebody:pass+word/1234 and more");
        for found in [
            "x pass+word/1234 y",
            "pass%2Bword%2F1234",
            basic.as_str(),
            "706173732b776f72642f31323334",
            "[112, 97, 115, 115, 43, 119, 111, 114, 100, 47, 49, 50, 51, 52]",
        ] {
            let search = std::panic::catch_unwind(|| canaries.assert_absent("a text", found.as_bytes()));
            assert!(search.is_err(), "{found}");
        }
        canaries.assert_absent("a text", b"pass+word/123 eve: \xff\xfe");
    }
}
