//! A folder of compiled time-zone data: `/usr/share/zoneinfo`, or one that an operator names. Everything is bounded, and one thing that is
//! wrong refuses all of it. What is said of it names no path: it is shown to whoever asks.

use std::{
    collections::BTreeMap,
    fmt, fs,
    io::{self, Read},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use berth_model::{
    limits,
    zone::{Release, ZoneData, read_index},
};

/// The list of rules that the data was compiled from: its first line names the release.
const INDEX: &str = "tzdata.zi";
/// A file with the release alone.
const VERSION: &str = "+VERSION";
/// What is no data of ours: the machine's own zone, and the same zones in other forms.
const LEFT_OUT: [&str; 4] = ["localtime", "posixrules", "posix", "right"];
/// Longest first line that is read for a release, in bytes.
const LINE_BYTES: u64 = 256;

/// Why a folder is not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal(String);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn refused<T>(why: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal(why.into()))
}

fn not_read(what: &str) -> impl Fn(io::Error) -> Refusal + '_ {
    move |error| Refusal(format!("{what}: {}", error.kind()))
}

/// How a file looks from outside: another content has another stamp.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    file: (u64, u64),
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl From<&fs::Metadata> for Stamp {
    fn from(found: &fs::Metadata) -> Self {
        Self {
            file: (found.dev(), found.ino()),
            bytes: found.len(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        }
    }
}

/// All files of a folder, by their path in it, each where it really is. Equal ones have the same content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Files(BTreeMap<String, (PathBuf, Stamp)>);

fn text(path: &Path, most: u64) -> io::Result<Option<String>> {
    match fs::File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
        Ok(file) if file.metadata()?.is_file() => {
            let mut bytes = Vec::new();
            file.take(most).read_to_end(&mut bytes)?;
            Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
        }
        Ok(_) => Err(io::ErrorKind::InvalidInput.into()),
    }
}

/// The release that a folder says it has; none if it does not say.
pub(super) fn release(root: &Path) -> Result<Option<Release>, Refusal> {
    let found = fs::metadata(root).map_err(not_read("the folder"))?;
    if !found.is_dir() {
        return refused("it is no folder");
    }
    let first_line = |name: &str| text(&root.join(name), LINE_BYTES).map_err(not_read(name));
    let index = first_line(INDEX)?.and_then(|text| read_index(&text).0);
    let version = first_line(VERSION)?.and_then(|text| text.lines().next()?.trim_ascii().parse().ok());
    match (index, version) {
        (Some(index), Some(version)) if index != version => {
            refused(format!("{INDEX} says {index} and {VERSION} {version}: is it half copied?"))
        }
        (index, version) => Ok(index.or(version)),
    }
}

/// Can this path be the name of a zone?
fn is_zone_name(path: &str) -> bool {
    path.len() <= limits::ZONE_NAME_BYTES_MAX
        && path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-_/".contains(&byte))
}

/// Look through a folder. Links may lead to other files of it.
pub(super) fn list(root: &Path) -> Result<Files, Refusal> {
    let root = fs::canonicalize(root).map_err(not_read("the folder"))?;
    let (mut files, mut looked) = (BTreeMap::new(), 0_usize);
    let mut folders = vec![(root.clone(), String::new(), 0_usize)];
    // Ends: every round takes a folder, and entries are counted.
    while let Some((folder, inside, deep)) = folders.pop() {
        let said = if inside.is_empty() { "the folder" } else { inside.as_str() };
        for entry in fs::read_dir(&folder).map_err(not_read(said))? {
            let entry = entry.map_err(not_read(said))?;
            looked = looked.saturating_add(1);
            if looked > limits::ZONE_ENTRIES_MAX {
                return refused(format!("more than {} entries", limits::ZONE_ENTRIES_MAX));
            }
            // A name in another encoding is no zone's.
            let Some(name) = entry.file_name().to_str().map(str::to_owned) else { continue };
            if name.starts_with('.') || (inside.is_empty() && LEFT_OUT.contains(&name.as_str())) {
                continue;
            }
            let path = if inside.is_empty() { name } else { format!("{inside}/{name}") };
            let kind = entry.file_type().map_err(not_read(&path))?;
            if kind.is_dir() {
                if deep >= limits::ZONE_FOLDERS_DEEP_MAX {
                    return refused(format!("{path}: a folder too deep"));
                }
                folders.push((entry.path(), path, deep.saturating_add(1)));
                continue;
            }
            let real = fs::canonicalize(entry.path()).map_err(not_read(&path))?;
            if !real.starts_with(&root) {
                return refused(format!("{path}: a link that leads out of the folder"));
            }
            let found = fs::metadata(&real).map_err(not_read(&path))?;
            if !found.is_file() {
                return refused(format!("{path}: no file"));
            }
            if is_zone_name(&path) && found.len() > limits::ZONE_FILE_BYTES_MAX {
                return refused(format!("{path}: more than {} bytes", limits::ZONE_FILE_BYTES_MAX));
            }
            files.insert(path, (real, Stamp::from(&found)));
        }
    }
    Ok(Files(files))
}

/// Read all of a folder that was looked through.
pub(super) fn read(root: &Path, files: &Files) -> Result<ZoneData, Refusal> {
    let release = release(root)?;
    let mut read: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
    let mut all = 0_u64;
    for (path, (real, _)) in files.0.iter().filter(|(path, _)| is_zone_name(path)) {
        let most = limits::ZONE_FILE_BYTES_MAX.saturating_add(1);
        let mut bytes = Vec::new();
        let file = fs::File::open(real).map_err(not_read(path))?;
        let length = file.take(most).read_to_end(&mut bytes).map_err(not_read(path))?;
        all = all.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
        if all > limits::ZONE_BYTES_MAX {
            return refused(format!("more than {} bytes of zones", limits::ZONE_BYTES_MAX));
        }
        // Other files lie there, too: lists of leap seconds, of countries.
        if bytes.starts_with(b"TZif") {
            read.insert(path, bytes);
        }
    }
    let index = text(&root.join(INDEX), limits::ZONE_INDEX_BYTES_MAX).map_err(not_read(INDEX))?;
    let links = index.map(|text| read_index(&text).1).unwrap_or_default();
    let zones = read.iter().map(|(name, tzif)| (*name, tzif.as_slice()));
    let data = ZoneData::read(release, zones, &links).map_err(|error| Refusal(error.to_string()))?;
    if list(root)? != *files {
        return refused("it changed while it was read");
    }
    Ok(data)
}
