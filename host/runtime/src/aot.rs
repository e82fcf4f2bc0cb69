//! Compiled code on disk, so that a restart does not compile again.
//!
//! Loading compiled code runs whatever it says, so an entry counts only with the host's own seal: `BERTHCW1`, the
//! engine's compatibility hash (version and every setting of the compiler), the component's SHA-256, an HMAC-SHA256 over
//! all of these and the code, the code. It is read into memory before it is checked: a file that changes under a mapping
//! would be checked in vain. Whatever is not exactly right is a miss.

use std::{
    fs,
    hash::{Hash, Hasher},
    io::{self, Read},
    path::{Path, PathBuf},
};

use berth_model::{limits, plugin::Digest};
use ring::{digest, hmac};
use wasmtime::{Engine, component::Component};

const MAGIC: &[u8; 8] = b"BERTHCW1";
const HASH_BYTES: usize = 32;

/// The cache directory with the key that seals its entries.
pub(crate) struct AotCache {
    directory: PathBuf,
    key: hmac::Key,
}

/// What a look into the cache found.
pub(crate) enum Found {
    /// The compiled component.
    Hit(Box<Component>),
    /// Nothing, or something of another engine.
    Miss,
    /// Something that this host has not sealed: damaged, or put there by somebody else.
    Foreign,
}

impl AotCache {
    /// Use a directory; it is made if it is not there.
    pub(crate) fn open(directory: PathBuf, key: &[u8; HASH_BYTES]) -> io::Result<Self> {
        fs::create_dir_all(&directory)?;
        Ok(Self { directory, key: hmac::Key::new(hmac::HMAC_SHA256, key) })
    }

    /// Look a component up. Blocks.
    pub(crate) fn find(&self, engine: &Engine, of: &Digest) -> Found {
        let Some(entry) = read(&self.path(of)) else { return Found::Miss };
        let found = self.unseal(engine, of, &entry);
        if matches!(found, Found::Foreign) {
            tracing::warn!(
                digest = of.short(),
                "a cached component is not sealed by this host; compiling again"
            );
        }
        found
    }

    /// Keep a component. Failing costs the next start a compilation, so it is only reported. Blocks.
    pub(crate) fn keep(&self, engine: &Engine, of: &Digest, component: &Component) {
        if let Err(error) = self.write(engine, of, component) {
            tracing::warn!(digest = of.short(), %error, "the compiled component could not be cached");
        }
    }

    fn path(&self, of: &Digest) -> PathBuf {
        self.directory.join(format!("{}.cwasm", of.0))
    }

    fn unseal(&self, engine: &Engine, of: &Digest, entry: &[u8]) -> Found {
        let Some((head, mac, code)) = split(entry) else { return Found::Foreign };
        if hmac::verify(&self.key, &[head, code].concat(), mac).is_err() {
            return Found::Foreign;
        }
        if head != self.head(engine, of) {
            return Found::Miss;
        }
        // SAFETY: `code` came out of `Component::serialize` of this host, for this component, this version of wasmtime
        // and these settings: the HMAC under the host's own key, checked above, covers all of it. It is in memory that
        // nobody else can write to.
        #[expect(unsafe_code, reason = "the one place where compiled code is taken from outside")]
        let component = unsafe { Component::deserialize(engine, code) };
        match component {
            Ok(component) => Found::Hit(Box::new(component)),
            Err(error) => {
                tracing::warn!(digest = of.short(), %error, "a cached component cannot be used; compiling again");
                Found::Miss
            }
        }
    }

    fn write(&self, engine: &Engine, of: &Digest, component: &Component) -> wasmtime::Result<()> {
        let code = component.serialize()?;
        let head = self.head(engine, of);
        let mac = hmac::sign(&self.key, &[head.as_slice(), &code].concat());
        let path = self.path(of);
        // One load at a time in this process, and another process has another id: the name is free.
        let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
        fs::write(&temporary, [head.as_slice(), mac.as_ref(), &code].concat())?;
        fs::rename(&temporary, &path)?;
        Ok(())
    }

    /// Everything before the seal.
    #[expect(clippy::unused_self, reason = "reads as a part of the cache's format")]
    fn head(&self, engine: &Engine, of: &Digest) -> Vec<u8> {
        let component = digest::digest(&digest::SHA256, of.0.as_bytes());
        [MAGIC.as_slice(), compatibility(engine).as_ref(), component.as_ref()].concat()
    }
}

/// Magic, hashes; the seal; the code.
fn split(entry: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (head, rest) = entry.split_at_checked(MAGIC.len() + 2 * HASH_BYTES)?;
    let (mac, code) = rest.split_at_checked(HASH_BYTES)?;
    head.starts_with(MAGIC).then_some((head, mac, code))
}

fn read(path: &Path) -> Option<Vec<u8>> {
    let mut entry = Vec::new();
    fs::File::open(path).ok()?.take(limits::AOT_ENTRY_BYTES_MAX).read_to_end(&mut entry).ok()?;
    Some(entry)
}

/// The engine's compatibility hash under a hash function that is the same in every process.
fn compatibility(engine: &Engine) -> digest::Digest {
    struct Stable(digest::Context);
    impl Hasher for Stable {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
        /// Not used: the whole digest is taken instead.
        fn finish(&self) -> u64 {
            0
        }
    }
    let mut hasher = Stable(digest::Context::new(&digest::SHA256));
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.0.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{engine, load::digest_of};

    const KEY: [u8; HASH_BYTES] = [7; HASH_BYTES];
    const EMPTY: &[u8] = b"(component)";

    struct World {
        engine: Engine,
        directory: tempfile::TempDir,
        digest: Digest,
        component: Component,
    }

    fn world() -> World {
        let engine = engine::new().expect("an engine");
        let wasm = wat::parse_bytes(EMPTY).expect("wat");
        let component = Component::new(&engine, &wasm).expect("a component");
        let directory = tempfile::tempdir().expect("a directory");
        World { engine, directory, digest: digest_of(&wasm), component }
    }

    fn cache(world: &World, key: &[u8; HASH_BYTES]) -> AotCache {
        AotCache::open(world.directory.path().to_owned(), key).expect("a cache")
    }

    #[test]
    fn kept_is_found() {
        let world = world();
        let cache = cache(&world, &KEY);
        assert!(matches!(cache.find(&world.engine, &world.digest), Found::Miss));
        cache.keep(&world.engine, &world.digest, &world.component);
        assert!(matches!(cache.find(&world.engine, &world.digest), Found::Hit(_)));
        assert!(matches!(cache.find(&engine::new().expect("another"), &world.digest), Found::Hit(_)));
    }

    #[test]
    fn another_key_is_foreign() {
        let world = world();
        cache(&world, &[8; HASH_BYTES]).keep(&world.engine, &world.digest, &world.component);
        assert!(matches!(cache(&world, &KEY).find(&world.engine, &world.digest), Found::Foreign));
    }

    #[test]
    fn every_changed_or_missing_byte_is_foreign() {
        let world = world();
        let cache = cache(&world, &KEY);
        cache.keep(&world.engine, &world.digest, &world.component);
        let good = fs::read(cache.path(&world.digest)).expect("an entry");
        for at in [0, 8, 40, 72, 103, 104, good.len() - 1] {
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert!(matches!(cache.unseal(&world.engine, &world.digest, &bad), Found::Foreign), "byte {at}");
        }
        for length in [0, 7, 8, 103, 104, good.len() - 1] {
            let cut = &good[..length];
            assert!(
                matches!(cache.unseal(&world.engine, &world.digest, cut), Found::Foreign),
                "{length} bytes"
            );
        }
    }

    #[test]
    fn an_entry_under_another_name_is_a_miss() {
        let world = world();
        let cache = cache(&world, &KEY);
        cache.keep(&world.engine, &world.digest, &world.component);
        let other = digest_of(b"something else");
        fs::rename(cache.path(&world.digest), cache.path(&other)).expect("renamed");
        assert!(matches!(cache.find(&world.engine, &other), Found::Miss));
    }

    #[test]
    fn an_entry_of_another_compiler_is_a_miss() {
        let world = world();
        let cache = cache(&world, &KEY);
        cache.keep(&world.engine, &world.digest, &world.component);
        let mut config = wasmtime::Config::new();
        config.epoch_interruption(false);
        let other = Engine::new(&config).expect("an engine");
        assert!(matches!(cache.find(&other, &world.digest), Found::Miss));
    }
}
