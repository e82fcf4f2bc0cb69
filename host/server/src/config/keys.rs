//! The keys of a set-up: from the configuration, or from files in the data folder.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use berth_model::random::Random;
use ring::digest::{SHA256, digest};

use super::{Config, ConfigError};

const KEY_LEN: usize = 32;
/// Bytes of a key's SHA-256 that name it in what it sealed.
const NAME_LEN: usize = 8;
/// Key files in the data folder.
const VAULT: &str = "vault.key";
const VAULT_OLD: &str = "vault.key.old";
const CACHE: &str = "cache.key";

/// A key with the name that is written into what it seals. The name follows from the key, so that every replica has the same.
type NamedKey = (String, [u8; KEY_LEN]);

impl Config {
    /// The keys that seal credentials: the first seals, all open. Made on the first start for SQLite, with a loud note; never for
    /// PostgreSQL, where other replicas would not have it.
    pub fn vault_keys(&self, random: &dyn Random) -> Result<Vec<NamedKey>, ConfigError> {
        let mut keys = vec![named(self.vault_key(random)?)];
        let old = self.data_dir.join(VAULT_OLD);
        if !self.vault_key_old.is_empty() {
            keys.push(named(key_of(&self.vault_key_old, "vault-key-old")?));
        } else if old.is_file() {
            keys.push(named(read(&old)?));
        }
        Ok(keys)
    }

    fn vault_key(&self, random: &dyn Random) -> Result<[u8; KEY_LEN], ConfigError> {
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
            VAULT,
            random,
            "It seals the credentials of all connections: keep a copy, apart from the database.",
        )
    }

    /// The key that authenticates the cache of compiled components. Losing it only costs the cache.
    pub fn cache_key(&self, random: &dyn Random) -> Result<[u8; KEY_LEN], ConfigError> {
        self.key_file(CACHE, random, "")
    }

    /// The key in this file of the data folder, made if it is not there.
    fn key_file(&self, name: &str, random: &dyn Random, note: &str) -> Result<[u8; KEY_LEN], ConfigError> {
        let path = self.data_dir.join(name);
        if path.is_file() {
            return read(&path);
        }
        let mut key = [0; KEY_LEN];
        random.fill(&mut key);
        match write(&path, &STANDARD.encode(key)) {
            Ok(()) => {}
            // Another process was faster: its key counts.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return read(&path),
            Err(error) => return Err(ConfigError(format!("{}: {error}", path.display()))),
        }
        if !note.is_empty() {
            // Whether or not anybody reads it, the key is there.
            let _ = writeln!(io::stderr(), "NOTE: a key was made: {}. {note}", path.display());
        }
        Ok(key)
    }
}

/// Write a new file as a whole or not at all, and safe on disk before anything is sealed with it.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let temporary = path.with_extension(format!("key.{}.new", std::process::id()));
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        // Unlike a rename this never replaces a key that is there.
        .and_then(|()| fs::hard_link(&temporary, path));
    fs::remove_file(&temporary)?;
    written?;
    path.parent().map_or(Ok(()), |folder| fs::File::open(folder)?.sync_all())
}

fn read(path: &Path) -> Result<[u8; KEY_LEN], ConfigError> {
    let text =
        fs::read_to_string(path).map_err(|error| ConfigError(format!("{}: {error}", path.display())))?;
    key_of(text.trim(), &path.display().to_string())
}

fn key_of(text: &str, name: &str) -> Result<[u8; KEY_LEN], ConfigError> {
    let bytes = STANDARD.decode(text).ok().and_then(|bytes| <[u8; KEY_LEN]>::try_from(bytes).ok());
    bytes.ok_or_else(|| {
        ConfigError(format!(
            "{name} must be 32 bytes in base64; make one with: head -c 32 /dev/urandom | base64"
        ))
    })
}

fn named(key: [u8; KEY_LEN]) -> NamedKey {
    let hash = digest(&SHA256, &key);
    let head = hash.as_ref().iter().take(NAME_LEN).fold(0_u64, |head, byte| head << 8 | u64::from(*byte));
    (format!("{head:016x}"), key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::MachineRandom;

    fn config(folder: &tempfile::TempDir) -> Config {
        Config { data_dir: folder.path().to_owned(), ..Config::default() }
    }

    #[test]
    fn a_key_is_made_once_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let made = config(&folder).vault_keys(&MachineRandom::new()).unwrap();
        assert_eq!(config(&folder).vault_keys(&MachineRandom::new()).unwrap(), made);
        let permissions = fs::metadata(folder.path().join(VAULT)).unwrap().permissions();
        assert_eq!(permissions.mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
        assert_eq!(
            write(&folder.path().join(VAULT), "other").unwrap_err().kind(),
            io::ErrorKind::AlreadyExists,
            "a key is never replaced"
        );
    }

    #[test]
    fn the_key_before_still_opens() {
        let folder = tempfile::tempdir().unwrap();
        let before = config(&folder).vault_keys(&MachineRandom::new()).unwrap();
        fs::rename(folder.path().join(VAULT), folder.path().join(VAULT_OLD)).unwrap();
        let now = config(&folder).vault_keys(&MachineRandom::new()).unwrap();
        assert_eq!((now.len(), &now[1]), (2, &before[0]));
        assert_ne!(now[0].0, now[1].0, "another key, another name");
        let given = Config { vault_key_old: STANDARD.encode([5; KEY_LEN]), ..config(&folder) };
        assert_eq!(given.vault_keys(&MachineRandom::new()).unwrap()[1].1, [5; KEY_LEN]);
        let bad = Config { vault_key: "short".to_owned(), ..config(&folder) };
        let error = bad.vault_keys(&MachineRandom::new()).unwrap_err().to_string();
        assert!(error.contains("vault-key must be 32 bytes"), "{error}");
    }
}
