//! Configuration: `berth.toml`, then the environment (`BERTH_…`, and `DATABASE_URL`). Unknown keys are refused. Every key is
//! documented in `berth.example.toml`, which a test compares with the defaults.

mod keys;

use std::{
    collections::BTreeSet,
    fmt, fs,
    net::SocketAddr,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use berth_model::limits;
use figment::{
    Figment,
    providers::{Env, Format, Serialized, Toml},
};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::http::serve::tls::Tls;

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
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Folder of compiled time-zone data, used while it is the newest there is; empty: none.
    pub time_zone_dir: String,
    /// Hosts that components may reach over plain HTTP and at private addresses.
    pub insecure_hosts: BTreeSet<String>,
    /// Key that seals credentials: 32 bytes in base64; empty: a file in the data folder (SQLite only).
    pub vault_key: String,
    /// An earlier `vault-key` that still opens what it sealed; empty: `vault.key.old` in the data folder, if it is there.
    pub vault_key_old: String,
    /// How log lines look.
    pub log_format: LogFormat,
    /// What is logged: `info`, `berth_engine=debug,info`, …
    pub log_filter: String,
    /// API requests per minute and key.
    pub requests_per_minute: u32,
    /// Networks of our own proxies, whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
    pub trusted_proxies: BTreeSet<IpNet>,
    /// File with the TLS certificate and those between it and the root (PEM); empty: TLS ends before this server, or nowhere.
    pub tls_certificate: String,
    /// File with its key (PEM).
    pub tls_key: String,
    /// Connections at the same time.
    pub connections_max: u32,
    /// Address at which metrics are shown without a key; empty: none.
    pub metrics_listen: String,
    /// May a crash leave the memory of the process, with keys in it, in a file?
    pub core_dumps: bool,
}

impl fmt::Debug for Config {
    /// Without the keys, and without the database's URL, which may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("listen", &self.listen)
            .field("data_dir", &self.data_dir)
            .field("public_url", &self.public_url)
            .field("plugin_dir", &self.plugin_dir)
            .field("time_zone_dir", &self.time_zone_dir)
            .field("insecure_hosts", &self.insecure_hosts)
            .finish_non_exhaustive()
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            database_url: String::new(),
            data_dir: PathBuf::from(".berth"),
            public_url: String::new(),
            plugin_dir: String::new(),
            time_zone_dir: String::new(),
            insecure_hosts: BTreeSet::new(),
            vault_key: String::new(),
            vault_key_old: String::new(),
            log_format: LogFormat::Pretty,
            log_filter: "info".to_owned(),
            requests_per_minute: 1_200,
            trusted_proxies: BTreeSet::new(),
            tls_certificate: String::new(),
            tls_key: String::new(),
            connections_max: limits::CONNECTIONS_MAX,
            metrics_listen: String::new(),
            core_dumps: false,
        }
    }
}

/// What is wrong with the configuration, and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);

/// Variables that begin with `BERTH_` and are no configuration: of commands, of `berth plugin check`, and of the tests.
fn is_for_others(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["components", "binaries", "provider_specs", "url", "key", "record"].contains(&key.as_str())
        || key.starts_with("test_")
        || key.starts_with("check_")
}

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
                    .filter(|key| !is_for_others(key.as_str()))
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

    /// Folder of the compiled components.
    #[must_use]
    pub fn compiled_dir(&self) -> PathBuf {
        self.data_dir.join("compiled")
    }

    /// Do clients reach this server over https? Then a key that comes over plain http is refused.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.public_url.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"))
    }

    /// TLS, if it ends here.
    pub fn tls(&self) -> Result<Option<Arc<Tls>>, ConfigError> {
        let both = "tls-certificate and tls-key belong together: set both, or neither";
        match (self.tls_certificate.as_str(), self.tls_key.as_str()) {
            ("", "") => Ok(None),
            ("", _) | (_, "") => Err(ConfigError(both.to_owned())),
            (certificate, key) => Tls::open(certificate.into(), key.into())
                .map(Some)
                .map_err(|error| ConfigError(format!("tls-certificate, tls-key: {error}"))),
        }
    }

    /// Where metrics are shown without a key.
    pub fn metrics_address(&self) -> Result<Option<SocketAddr>, ConfigError> {
        if self.metrics_listen.is_empty() {
            return Ok(None);
        }
        let address = self.metrics_listen.parse();
        let wrong = |_| {
            ConfigError("metrics-listen must be an address with a port, such as 127.0.0.1:9464".to_owned())
        };
        address.map(Some).map_err(wrong)
    }

    /// Make the data folder, for its owner only.
    pub fn make_data_dir(&self) -> Result<(), ConfigError> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.data_dir)
            .map_err(|error| ConfigError(format!("data-dir {}: {error}", self.data_dir.display())))
    }
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
    fn secrets_are_not_shown() {
        let config = Config {
            vault_key: "made-up-key".to_owned(),
            database_url: "postgres://u:made-up-word@h/d".to_owned(),
            ..Config::default()
        };
        assert!(!format!("{config:?}").contains("made-up"));
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
