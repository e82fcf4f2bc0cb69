use std::{fs, os::unix::fs::symlink, sync::LazyLock};

use berth_model::{limits, time::Interval};

use super::*;

static NAMES: LazyLock<Vec<String>> =
    LazyLock::new(|| ZoneData::embedded().names().map(str::to_owned).collect());

/// A folder with every zone.
fn fill(root: &Path, release: &str) {
    for name in NAMES.iter() {
        write(root, name, &tzif(0));
    }
    write(root, "+VERSION", format!("{release}\n").as_bytes());
    // What lies there beside.
    write(root, "leapseconds", b"# none");
    write(root, "zone.tab", b"PL\t+5215+02100\tEurope/Warsaw\n");
    fs::create_dir_all(root.join("right")).unwrap();
    write(root, "right/Europe/Warsaw", b"TZif");
    symlink("/etc/localtime", root.join("localtime")).unwrap();
}

fn write(root: &Path, name: &str, bytes: &[u8]) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// A clock that is always so many hours ahead.
fn tzif(hours: u8) -> Vec<u8> {
    let mut header = b"TZif2".to_vec();
    header.extend([0; 15]);
    for count in [0, 0, 0, 0, 1, 4] {
        header.extend([0, 0, 0, count]);
    }
    let kind = [&(i32::from(hours) * 3_600).to_be_bytes()[..], b"\0\0XXX\0"].concat();
    let footer = format!("\n<+{hours:02}>-{hours}\n").into_bytes();
    [header.clone(), kind.clone(), header, kind, footer].concat()
}

struct Folders {
    folder: tempfile::TempDir,
    keeper: ZoneKeeper,
}

impl Folders {
    fn named(&self) -> PathBuf {
        self.folder.path().join("named")
    }

    /// A folder that is named, and one of the system; none where its release is empty.
    fn new(named: &str, system: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, release) in [("named", named), ("system", system)] {
            if !release.is_empty() {
                fill(&folder.path().join(name), release);
            }
        }
        let keeper = ZoneKeeper::of(
            (!named.is_empty()).then(|| folder.path().join("named")).as_deref(),
            &folder.path().join("system"),
        );
        Self { folder, keeper }
    }

    /// What is used after a look; none if what was used stays.
    fn look(&self, now: bool) -> Option<(Source, String)> {
        let look = self.keeper.look(now);
        look.changed.map(|(source, data)| (source, named(data.release())))
    }

    fn wrong(&self, now: bool) -> String {
        let look = self.keeper.look(now);
        assert!(look.changed.is_none(), "what is in use stays");
        look.wrong()
    }
}

#[test]
fn the_newest_is_used_and_of_two_the_named_one() {
    let built_in = zone::embedded_release().to_string();
    for (named, system, expected) in [
        ("", "", None),
        ("2019a", "2019b", None),
        ("", &built_in, None),
        (&built_in, "", Some((Source::Configured, &*built_in))),
        ("", "2040a", Some((Source::System, "2040a"))),
        ("2040a", "2040b", Some((Source::System, "2040b"))),
        ("2040b", "2040a", Some((Source::Configured, "2040b"))),
        ("2040b", "2040b", Some((Source::Configured, "2040b"))),
        ("2040z", "2040za", Some((Source::System, "2040za"))),
        // Nobody has named the system's, and somebody has the other.
        ("", "of somebody", None),
        ("of somebody", "2040a", Some((Source::Configured, "unknown"))),
    ] {
        let folders = Folders::new(named, system);
        let expected = expected.map(|(source, release)| (source, release.to_owned()));
        assert_eq!(folders.look(true), expected, "{named}, {system}");
        assert_eq!(folders.look(true), None, "once is enough");
    }
}

#[test]
fn what_changes_is_taken_when_two_looks_saw_the_same() {
    let folders = Folders::new("2040a", "");
    assert_eq!(folders.look(true), Some((Source::Configured, "2040a".to_owned())));
    assert_eq!(folders.look(false), None);
    let named = folders.named();
    write(&named, "America/Vancouver", &tzif(7));
    assert_eq!(folders.look(false), None, "it may be under way");
    write(&named, "+VERSION", b"2040b\n");
    assert_eq!(folders.look(false), None, "and was");
    let look = folders.keeper.look(false);
    let (source, data) = look.changed.unwrap();
    assert_eq!((source, super::named(data.release())), (Source::Configured, "2040b".to_owned()));
    let now = Interval::of_minutes("2027-01-01T00:00:00Z".parse().unwrap(), 1);
    assert!(!data.agrees(&ZoneData::embedded(), "America/Vancouver", now));
    assert_eq!(folders.look(false), None);

    // Whole folders that take each other's place.
    fill(&folders.folder.path().join("next"), "2040c");
    fs::remove_dir_all(&named).unwrap();
    assert_eq!(folders.wrong(false), "configured folder: the folder: entity not found");
    symlink("next", &named).unwrap();
    assert_eq!(folders.look(false), None);
    assert_eq!(folders.look(false), Some((Source::Configured, "2040c".to_owned())));

    // Back to an older one: what is built in is newer.
    write(&named, "+VERSION", b"2019a\n");
    assert_eq!(folders.look(false), Some((Source::Embedded, zone::embedded_release().to_string())));
}

/// Something that goes wrong with a folder, and the word for it.
type Fault = (&'static str, fn(&Path));

const FAULTS: &[Fault] = &[
    ("America/Vancouver: broken or cut off", |root| {
        let whole = tzif(7);
        write(root, "America/Vancouver", &whole[..whole.len() - 3]);
    }),
    ("1 zones are missing, America/Vancouver among them", |root| {
        fs::remove_file(root.join("America/Vancouver")).unwrap();
    }),
    // Empty, and something else altogether.
    ("1 zones are missing, America/Vancouver among them", |root| write(root, "America/Vancouver", b"")),
    ("1 zones are missing, Europe/Warsaw among them", |root| write(root, "Europe/Warsaw", b"<html>")),
    ("zones are missing, America/", |root| fs::remove_dir_all(root.join("America")).unwrap()),
    ("America/Vancouver: more than 65536 bytes", |root| {
        let file = fs::File::create(root.join("America/Vancouver")).unwrap();
        file.set_len(1 << 40).unwrap();
    }),
    ("Europe/Warsaw: a link that leads out of the folder", |root| {
        fs::remove_file(root.join("Europe/Warsaw")).unwrap();
        symlink("/etc/hostname", root.join("Europe/Warsaw")).unwrap();
    }),
    ("Europe/Warsaw: entity not found", |root| {
        fs::remove_file(root.join("Europe/Warsaw")).unwrap();
        symlink("Warszawa", root.join("Europe/Warsaw")).unwrap();
    }),
    ("Loop: ", |root| symlink("Loop", root.join("Loop")).unwrap()),
    ("Europe/All: no file", |root| symlink("../Asia", root.join("Europe/All")).unwrap()),
    ("a/b/c/d/e: a folder too deep", |root| fs::create_dir_all(root.join("a/b/c/d/e")).unwrap()),
    ("more than 4096 entries", |root| {
        (0..limits::ZONE_ENTRIES_MAX).for_each(|n| write(root, &format!("More/{n}"), b""));
    }),
    ("more than 2048 zones", |root| {
        (0..1_600).for_each(|n| write(root, &format!("More/{n}"), &tzif(1)));
    }),
    ("tzdata.zi says 2041b and +VERSION 2041a: is it half copied?", |root| {
        write(root, "tzdata.zi", b"# version 2041b\n");
    }),
];

#[test]
fn what_is_wrong_is_refused_whole_and_what_is_in_use_stays() {
    for (word, fault) in FAULTS {
        let folders = Folders::new("2040a", "");
        assert_eq!(folders.look(true), Some((Source::Configured, "2040a".to_owned())));
        write(&folders.named(), "+VERSION", b"2041a\n");
        fault(&folders.named());
        folders.look(false);
        let wrong = folders.wrong(false);
        assert!(wrong.starts_with("configured folder: ") && wrong.contains(word), "{word}: {wrong}");
        assert!(!wrong.contains(&folders.folder.path().display().to_string()), "no path: {wrong}");
        // At a start nothing of it is used, either.
        let again = ZoneKeeper::of(Some(&folders.named()), Path::new("/nowhere"));
        let look = again.look(true);
        assert!(look.changed.is_none() && look.wrong().contains(word), "{word}: {}", look.wrong());
        // Mended.
        fs::remove_dir_all(folders.named()).unwrap();
        fill(&folders.named(), "2041a");
        folders.look(false);
        assert_eq!(folders.look(false), Some((Source::Configured, "2041a".to_owned())), "{word}");
        assert_eq!(folders.wrong(false), "");
    }
}

#[test]
fn links_inside_and_old_names_that_are_left_out_are_followed() {
    let folders = Folders::new("2040a", "");
    let named = folders.named();
    fs::remove_file(named.join("Poland")).unwrap();
    symlink("Europe/Warsaw", named.join("Poland")).unwrap();
    fs::remove_file(named.join("US/Pacific")).unwrap();
    write(&named, "tzdata.zi", b"# version 2040a\nL America/Los_Angeles US/Pacific\n");
    assert_eq!(folders.look(true), Some((Source::Configured, "2040a".to_owned())));
}

#[test]
fn what_is_wrong_is_a_remark_until_it_is_mended() {
    // Nothing is adopted here: the data is the whole process's.
    let (folders, readiness) = (Folders::new("2019a", ""), Readiness::default());
    folders.keeper.keep(true, &readiness);
    let built_in = zone::embedded_release();
    assert_eq!(readiness.all_remarks()[REMARK], "configured folder: 2019a is older than what is built in");
    assert!(readiness.failing().is_empty());
    assert_eq!(zone::in_use(), (Some(built_in), Source::Embedded));
    let none = ZoneKeeper::of(None, Path::new("/nowhere"));
    none.keep(true, &readiness);
    assert!(readiness.all_remarks().is_empty());
}
