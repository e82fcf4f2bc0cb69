//! Configuration: `berth.toml`, then the environment (`BERTH_…`, and `DATABASE_URL`). Unknown keys are refused. Every key is
//! documented in `berth.example.toml`, which a test compares with the defaults.

use std::{
    collections::BTreeSet,
    fs,
    io::Write,
    net::SocketAddr,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use berth_model::random::Random;
use figment::{
    Figment,
    providers::{Env, Format, Serialized, Toml},
};
use serde::{Deserialize, Serialize};

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// One JSON object per line.
    Json,
}

/// The configuration. Keys are written in kebab-case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Address to listen on.
    pub listen: SocketAddr,
    /// `sqlite:path`, `postgres://…`; empty: `berth.db` in the data folder.
    pub database_url: String,
    /// Folder for the database, the keys and the compiled components.
    pub data_dir: PathBuf,
    /// Where providers and customers reach this server; empty: webhooks are not subscribed to.
    pub public_url: String,
    /// Folder that is watched for components; empty: none.
    pub plugin_dir: String,
    /// Hosts that components may reach over plain HTTP and at private addresses.
    pub insecure_hosts: BTreeSet<String>,
    /// Key that seals credentials: 32 bytes in base64; empty: a file in the data folder (SQLite only).
    pub vault_key: String,
    /// How log lines look.
    pub log_format: LogFormat,
    /// What is logged: `info`, `berth_engine=debug,info`, …
    pub log_filter: String,
    /// API requests per minute and key.
    pub requests_per_minute: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            database_url: String::new(),
            data_dir: PathBuf::from(".berth"),
            public_url: String::new(),
            plugin_dir: String::new(),
            insecure_hosts: BTreeSet::new(),
            vault_key: String::new(),
            log_format: LogFormat::Pretty,
            log_filter: "info".to_owned(),
            requests_per_minute: 1_200,
        }
    }
}

/// What is wrong with the configuration, and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);

impl Config {
    /// Defaults, then the file (if it is there or was named), then the environment.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let path = file.unwrap_or_else(|| Path::new("berth.toml"));
        if file.is_some() && !path.is_file() {
            return Err(ConfigError(format!("{} is not there; copy berth.example.toml", path.display())));
        }
        let figment = Figment::from(Serialized::defaults(Self::default()))
            .merge(Toml::file(path))
            .merge(Env::raw().only(&["DATABASE_URL"]).map(|_| "database-url".into()))
            .merge(
                Env::prefixed("BERTH_")
                    .ignore(&["test_pg_url", "components", "binaries", "provider_specs"])
                    .map(|key| key.as_str().to_ascii_lowercase().replace('_', "-").into()),
            );
        figment.extract().map_err(|error| {
            let known = error.to_string();
            ConfigError(format!("{known}\n  See berth.example.toml for every key; in the environment a key is written BERTH_DATA_DIR."))
        })
    }

    /// The database's URL.
    #[must_use]
    pub fn database(&self) -> String {
        if self.database_url.is_empty() {
            format!("sqlite:{}", self.data_dir.join("berth.db").display())
        } else {
            self.database_url.clone()
        }
    }

    /// Make the data folder, for its owner only.
    pub fn make_data_dir(&self) -> Result<(), ConfigError> {
        use std::os::unix::fs::DirBuilderExt;
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.data_dir)
            .map_err(|error| ConfigError(format!("data-dir {}: {error}", self.data_dir.display())))
    }

    /// The key that seals credentials. Made on the first start for SQLite, with a loud note; never for PostgreSQL, where other
    /// replicas would not have it.
    pub fn vault_key(&self, random: &dyn Random) -> Result<[u8; 32], ConfigError> {
        if !self.vault_key.is_empty() {
            return key_of(&self.vault_key, "vault-key");
        }
        if !self.database().starts_with("sqlite:") {
            return Err(ConfigError(
                "vault-key is needed with PostgreSQL: every replica seals with the same key.\n  Make one with: head -c 32 /dev/urandom | base64"
                    .to_owned(),
            ));
        }
        self.key_file(
            "vault.key",
            random,
            "It seals the credentials of all connections: keep a copy, apart from the database.",
        )
    }

    /// The key that authenticates the cache of compiled components. Losing it only costs the cache.
    pub fn cache_key(&self, random: &dyn Random) -> Result<[u8; 32], ConfigError> {
        self.key_file("cache.key", random, "")
    }

    fn key_file(&self, name: &str, random: &dyn Random, note: &str) -> Result<[u8; 32], ConfigError> {
        let path = self.data_dir.join(name);
        let failed = |error: std::io::Error| ConfigError(format!("{}: {error}", path.display()));
        if path.is_file() {
            return key_of(fs::read_to_string(&path).map_err(failed)?.trim(), &path.display().to_string());
        }
        let mut key = [0; 32];
        random.fill(&mut key);
        let mut file =
            fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(failed)?;
        file.write_all(STANDARD.encode(key).as_bytes()).map_err(failed)?;
        if !note.is_empty() {
            eprintln!("NOTE: a key was made: {}. {note}", path.display());
        }
        Ok(key)
    }
}

fn key_of(text: &str, name: &str) -> Result<[u8; 32], ConfigError> {
    let bytes = STANDARD.decode(text).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    bytes.ok_or_else(|| {
        ConfigError(format!(
            "{name} must be 32 bytes in base64; make one with: head -c 32 /dev/urandom | base64"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_documents_every_key_with_its_default() {
        let example = include_str!("../berth.example.toml");
        let parsed: Config = Figment::from(Toml::string(example)).extract().unwrap();
        assert_eq!(parsed, Config::default());
    }

    #[test]
    fn unknown_keys_are_refused_by_name() {
        let error = Figment::from(Serialized::defaults(Config::default()))
            .merge(Toml::string("lisen = \"127.0.0.1:1\""))
            .extract::<Config>()
            .unwrap_err();
        assert!(error.to_string().contains("lisen"), "{error}");
    }
}
