//! Compiled code on disk, so that a restart does not compile again.
//!
//! Loading compiled code runs whatever it says, so an entry counts only with the host's own seal: `BERTHCW2`, the
//! engine's compatibility hash (version and every setting of the compiler), the component's SHA-256, the code, an HMAC-SHA256 over
//! all of these. Whatever is not exactly right is a miss.
//!
//! Code is run from a file without a name, into which it is copied while it is checked: what is mapped is what was checked, nobody
//! else can change it, and what is never run takes no memory. Where there are no such files it is copied into memory.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs,
    hash::{Hash, Hasher},
    io::{self, Read, Seek as _, Write as _},
    os::{
        fd::AsRawFd as _,
        unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    },
    path::{Path, PathBuf},
    time::SystemTime,
};

use berth_model::{limits, plugins::plugin::Digest};
use ring::{digest, hmac};
use rustix::fs::{Mode, OFlags};
use wasmtime::{Engine, component::Component};

const MAGIC: &[u8; 8] = b"BERTHCW2";
pub(crate) const HASH_BYTES: usize = 32;

/// Magic, and the hashes of compiler and component.
const HEAD_BYTES: usize = MAGIC.len() + 2 * HASH_BYTES;
/// How much of an entry is read at once.
const PIECE_BYTES: usize = 128 * 1024;

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
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&directory)?;
        // One that is there already may be open to others, and is ours alone.
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o700))?;
        Ok(Self { directory, key: hmac::Key::new(hmac::HMAC_SHA256, key) })
    }

    /// Look a component up. Blocks.
    pub(crate) fn find(&self, engine: &Engine, of: &Digest) -> Found {
        let Ok(mut entry) = fs::File::open(self.path(of)) else { return Found::Miss };
        let found = self.unseal(engine, of, &mut entry);
        if matches!(found, Found::Foreign) {
            tracing::warn!(
                digest = of.short(),
                "a cached component is not sealed by this host; compiling again"
            );
        }
        found
    }

    /// Keep a component's code. Failing costs the next start a compilation, so it is only reported. Blocks.
    pub(crate) fn keep(&self, engine: &Engine, of: &Digest, code: &[u8]) {
        if let Err(error) = self.write(engine, of, code) {
            tracing::warn!(digest = of.short(), %error, "the compiled component could not be cached");
        }
    }

    /// Remove what none of these digests needs, if it has been there for a while: a component that is being installed is in the
    /// cache before it is in the database. Returns how many files went. Blocks.
    pub(crate) fn clean(&self, needed: &BTreeSet<Digest>, now: SystemTime) -> io::Result<usize> {
        let mut removed = 0;
        for entry in fs::read_dir(&self.directory)?.take(limits::AOT_ENTRIES_CLEANED_MAX) {
            let entry = entry?;
            let path = entry.path();
            let ours = match path.extension().and_then(OsStr::to_str) {
                Some("cwasm") => {
                    let digest = path.file_stem().map(|stem| Digest(stem.to_string_lossy().into_owned()));
                    digest.is_none_or(|digest| !needed.contains(&digest))
                }
                // Left by a process that ended in the middle of writing.
                Some("tmp") => true,
                _ => false,
            };
            let age = entry.metadata()?.modified().ok().and_then(|at| now.duration_since(at).ok());
            if ours && age.is_some_and(|age| age.as_secs() >= limits::AOT_UNUSED_SECONDS_MIN) {
                fs::remove_file(&path)?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    fn path(&self, of: &Digest) -> PathBuf {
        self.directory.join(format!("{}.cwasm", of.0))
    }

    fn unseal(&self, engine: &Engine, of: &Digest, entry: &mut fs::File) -> Found {
        let Ok(Some((head, code))) = self.checked(entry) else { return Found::Foreign };
        if head != self.head(engine, of) {
            return Found::Miss;
        }
        // The HMAC under the host's own key covered the code, and the head says of what it is.
        match code.component(engine) {
            Ok(component) => Found::Hit(Box::new(component)),
            Err(error) => {
                tracing::warn!(digest = of.short(), %error, "a cached component cannot be used; compiling again");
                Found::Miss
            }
        }
    }

    /// The head and the code of an entry, if this host has sealed it.
    fn checked(&self, entry: &mut fs::File) -> io::Result<Option<(Vec<u8>, Code)>> {
        let bytes = entry.metadata()?.len();
        let around = u64::try_from(HEAD_BYTES + HASH_BYTES).unwrap_or(u64::MAX);
        let Some(code_bytes) = bytes.checked_sub(around).filter(|_| bytes <= limits::AOT_ENTRY_BYTES_MAX)
        else {
            return Ok(None);
        };
        let mut seal = hmac::Context::with_key(&self.key);
        let mut head = vec![0; HEAD_BYTES];
        entry.read_exact(&mut head)?;
        if !head.starts_with(MAGIC) {
            return Ok(None);
        }
        seal.update(&head);
        let mut code = Code::new(&self.directory);
        let mut left = Read::take(&mut *entry, code_bytes);
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            let read = left.read(&mut piece)?;
            let Some(piece) = piece.get(..read).filter(|piece| !piece.is_empty()) else { break };
            seal.update(piece);
            code.write_all(piece)?;
        }
        let mut found = [0; HASH_BYTES];
        entry.read_exact(&mut found)?;
        // Compared under the key once more, which takes the same time whatever differs.
        let right = hmac::sign(&self.key, seal.sign().as_ref());
        Ok(hmac::verify(&self.key, &found, right.as_ref()).is_ok().then_some((head, code)))
    }

    /// A component of code that was compiled now.
    pub(crate) fn fresh(&self, engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
        let mut kept = Code::new(&self.directory);
        kept.write_all(code)?;
        kept.component(engine)
    }

    fn write(&self, engine: &Engine, of: &Digest, code: &[u8]) -> io::Result<()> {
        let head = self.head(engine, of);
        let mut mac = hmac::Context::with_key(&self.key);
        mac.update(&head);
        mac.update(code);
        let mac = mac.sign();
        let path = self.path(of);
        // One load at a time in this process, and another process has another id: the name is free.
        let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
        let mut file =
            fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
        for part in [head.as_slice(), code, mac.as_ref()] {
            file.write_all(part)?;
        }
        fs::rename(&temporary, &path)
    }

    /// Everything before the seal.
    #[expect(clippy::unused_self, reason = "reads as a part of the cache's format")]
    fn head(&self, engine: &Engine, of: &Digest) -> Vec<u8> {
        let component = digest::digest(&digest::SHA256, of.0.as_bytes());
        [MAGIC.as_slice(), compatibility(engine).as_ref(), component.as_ref()].concat()
    }
}

/// Compiled code that came out of this host's own compiler: out of an entry whose seal was checked, or from the process that this one
/// started to compile (`compile`).
enum Code {
    /// In a file without a name: nobody else can open it, and it is gone with its last mapping.
    Unnamed(fs::File),
    /// In memory, where there are no such files.
    Memory(Vec<u8>),
}

impl Code {
    /// None yet.
    fn new(directory: &Path) -> Self {
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        let file = rustix::fs::open(directory, flags, Mode::RUSR | Mode::WUSR);
        file.map_or_else(|_| Self::Memory(Vec::new()), |file| Self::Unnamed(file.into()))
    }

    fn write_all(&mut self, piece: &[u8]) -> io::Result<()> {
        match self {
            Self::Unnamed(file) => file.write_all(piece),
            Self::Memory(bytes) => {
                bytes.extend_from_slice(piece);
                Ok(())
            }
        }
    }

    /// Make a component of it, for an engine of the same version and settings.
    fn component(self, engine: &Engine) -> wasmtime::Result<Component> {
        let mut file = match self {
            Self::Unnamed(file) => file,
            Self::Memory(code) => return take(engine, &code),
        };
        let path = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
        if path.exists() {
            // SAFETY: the file holds what `precompile_component` of this version of wasmtime with these settings wrote, all of it;
            // it has no name, so nobody opens it, and this handle, which alone can write to it, ends here.
            #[expect(
                unsafe_code,
                reason = "one of the two places where compiled code is taken from outside"
            )]
            return unsafe { Component::deserialize_file(engine, path) };
        }
        let mut code = Vec::new();
        file.seek(io::SeekFrom::Start(0))?;
        file.read_to_end(&mut code)?;
        take(engine, &code)
    }
}

/// Make a component of compiled code in memory, which is copied.
pub(crate) fn take(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: as above; the memory is this process's own.
    #[expect(unsafe_code, reason = "one of the two places where compiled code is taken from outside")]
    unsafe {
        Component::deserialize(engine, code)
    }
}

/// The engine's compatibility hash under a hash function that is the same in every process.
pub(crate) fn compatibility(engine: &Engine) -> digest::Digest {
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
        code: Vec<u8>,
    }

    fn world() -> World {
        let engine = engine::new().expect("an engine");
        let wasm = wat::parse_bytes(EMPTY).expect("wat");
        let code = engine.precompile_component(&wasm).expect("compiled");
        let directory = tempfile::tempdir().expect("a directory");
        World { engine, directory, digest: digest_of(&wasm), code }
    }

    fn cache(world: &World, key: &[u8; HASH_BYTES]) -> AotCache {
        AotCache::open(world.directory.path().to_owned(), key).expect("a cache")
    }

    #[test]
    fn kept_is_found() {
        let world = world();
        let cache = cache(&world, &KEY);
        assert!(matches!(cache.find(&world.engine, &world.digest), Found::Miss));
        cache.keep(&world.engine, &world.digest, &world.code);
        assert!(matches!(cache.find(&world.engine, &world.digest), Found::Hit(_)));
        assert!(matches!(cache.find(&engine::new().expect("another"), &world.digest), Found::Hit(_)));
    }

    #[test]
    fn another_key_is_foreign() {
        let world = world();
        cache(&world, &[8; HASH_BYTES]).keep(&world.engine, &world.digest, &world.code);
        assert!(matches!(cache(&world, &KEY).find(&world.engine, &world.digest), Found::Foreign));
    }

    #[test]
    fn every_changed_or_missing_byte_is_foreign() {
        let world = world();
        let cache = cache(&world, &KEY);
        cache.keep(&world.engine, &world.digest, &world.code);
        let good = fs::read(cache.path(&world.digest)).expect("an entry");
        for at in [0, 8, 40, 72, 103, 104, good.len() - 1] {
            let mut bad = good.clone();
            bad[at] ^= 1;
            fs::write(cache.path(&world.digest), &bad).expect("written");
            assert!(matches!(cache.find(&world.engine, &world.digest), Found::Foreign), "byte {at}");
        }
        for length in [0, 7, 8, 31, 32, 103, 104, good.len() - 1] {
            fs::write(cache.path(&world.digest), &good[..length]).expect("written");
            let found = cache.find(&world.engine, &world.digest);
            assert!(matches!(found, Found::Foreign), "{length} bytes");
        }
    }

    #[test]
    fn where_files_need_a_name_code_is_in_memory() {
        let world = world();
        for mut code in [Code::new(Path::new("/proc")), Code::new(world.directory.path())] {
            code.write_all(&world.code).expect("written");
            code.component(&world.engine).expect("a component");
        }
        assert_eq!(fs::read_dir(world.directory.path()).expect("read").count(), 0, "no file is left");
    }

    #[test]
    fn what_nothing_needs_goes_after_a_while() {
        let world = world();
        let cache = cache(&world, &KEY);
        cache.keep(&world.engine, &world.digest, &world.code);
        let (other, foreign) = (digest_of(b"something else"), world.directory.path().join("notes.txt"));
        fs::copy(cache.path(&world.digest), cache.path(&other)).expect("copied");
        fs::write(cache.path(&other).with_extension("1.tmp"), b"half").expect("written");
        fs::write(&foreign, b"not ours").expect("written");
        let needed = BTreeSet::from([world.digest.clone()]);
        #[expect(clippy::disallowed_methods, reason = "the files have the machine's time")]
        let now = SystemTime::now();
        assert_eq!(cache.clean(&needed, now).expect("cleaned"), 0, "perhaps being installed");
        let later = now + std::time::Duration::from_secs(limits::AOT_UNUSED_SECONDS_MIN + 1);
        assert_eq!(cache.clean(&needed, later).expect("cleaned"), 2);
        assert!(matches!(cache.find(&world.engine, &world.digest), Found::Hit(_)));
        assert!(!cache.path(&other).exists() && foreign.exists());
        assert_eq!(cache.clean(&BTreeSet::new(), later).expect("cleaned"), 1);
    }

    #[test]
    fn an_entry_under_another_name_is_a_miss() {
        let world = world();
        let cache = cache(&world, &KEY);
        cache.keep(&world.engine, &world.digest, &world.code);
        let other = digest_of(b"something else");
        fs::rename(cache.path(&world.digest), cache.path(&other)).expect("renamed");
        assert!(matches!(cache.find(&world.engine, &other), Found::Miss));
    }

    #[test]
    fn an_entry_of_another_compiler_is_a_miss() {
        let world = world();
        let cache = cache(&world, &KEY);
        cache.keep(&world.engine, &world.digest, &world.code);
        let mut config = wasmtime::Config::new();
        config.epoch_interruption(false);
        let other = Engine::new(&config).expect("an engine");
        assert!(matches!(cache.find(&other, &world.digest), Found::Miss));
    }
}
