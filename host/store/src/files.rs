//! The files of a SQLite database are for their owner only, whatever the folder and the umask: customers' names and answers are in them.

use std::{
    ffi::OsString,
    fs, io,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// Read and write, for the owner.
const OWNER_ONLY: u32 = 0o600;

/// What SQLite puts beside a database. It gives new ones the mode of the database.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Make the database's file if it is not there, and narrow what others may read.
pub(crate) fn keep_private(database: &Path) -> io::Result<()> {
    // Not after it was opened: what is open stays open to who was faster.
    let file = fs::OpenOptions::new().append(true).create(true).mode(OWNER_ONLY).open(database)?;
    narrow(&file)?;
    for ending in BESIDE {
        let path = beside(database, ending);
        match fs::OpenOptions::new().read(true).open(path) {
            Ok(file) => narrow(&file)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn narrow(file: &fs::File) -> io::Result<()> {
    let mut permissions = file.metadata()?.permissions();
    let of_others = permissions.mode() & 0o077;
    if of_others == 0 {
        return Ok(());
    }
    permissions.set_mode(permissions.mode() & 0o700);
    file.set_permissions(permissions)
}

fn beside(database: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(database);
    name.push(ending);
    name.into()
}
