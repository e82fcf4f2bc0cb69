//! What keeps the database from working for a while, told apart in one place: it is away, its disk is full, or it may only be read.
//! None of it is the caller's fault or lost work; it is named in answers, readiness and log, and is over when the database says so.

use std::{fmt, io};

/// What kind of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TroubleKind {
    /// It cannot be reached, or does not answer.
    Away,
    /// It can be read, and has no room to write.
    Full,
    /// It can be read, and refuses to be written.
    ReadOnly,
}

/// Why the database does not work at the moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What kind.
    pub kind: TroubleKind,
    /// The cause in words that anybody may see.
    pub cause: &'static str,
    /// The database's own words, for the log.
    pub detail: String,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.cause, self.detail)
    }
}

impl Trouble {
    pub(crate) fn away(cause: &'static str, detail: impl Into<String>) -> Self {
        Self { kind: TroubleKind::Away, cause, detail: detail.into() }
    }

    /// Nothing came back in time.
    pub(crate) fn silent() -> Self {
        Self::away("the database gives no answer", "nothing came back in time")
    }
}

/// `too_many_connections` of PostgreSQL: those that are open still work.
pub(crate) const CROWDED: &str = "the database has no connection left for us";
const LOST: &str = "the connection to the database was lost";

/// The trouble that an error tells of, if it does.
pub(crate) fn of(error: &sqlx::Error) -> Option<Trouble> {
    let away = |cause| Some((TroubleKind::Away, cause));
    let found = match error {
        sqlx::Error::Database(database) => {
            let code = database.code().unwrap_or_default();
            match sqlite_code(&code) {
                Some(code) => of_sqlite(code),
                None => of_postgres(&code),
            }
        }
        sqlx::Error::Io(error) => away(match error.kind() {
            io::ErrorKind::ConnectionRefused => "the database refuses connections",
            io::ErrorKind::TimedOut => "the database gives no answer",
            io::ErrorKind::NotFound => "the database is not there",
            _ => LOST,
        }),
        sqlx::Error::Tls(_) => away("the database cannot be reached by TLS"),
        sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => away(LOST),
        sqlx::Error::PoolClosed => away("the database is being closed"),
        _ => None,
    };
    found.map(|(kind, cause)| Trouble { kind, cause, detail: error.to_string() })
}

/// Does it say that too much is going on? (lock timeout, statement timeout and out of memory of PostgreSQL, `SQLITE_BUSY` in all its
/// forms, no free connection)
pub(crate) fn is_busy(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::PoolTimedOut => true,
        sqlx::Error::Database(database) => {
            let code = database.code().unwrap_or_default();
            match sqlite_code(&code) {
                Some(code) => code & PRIMARY == 5,
                None => ["55P03", "57014", "53200", "25P03", "25P04"].contains(&&*code),
            }
        }
        _ => false,
    }
}

/// The part of SQLite's extended result code that names the kind.
const PRIMARY: u32 = 0xff;

/// SQLite's result codes are numbers of up to four digits; those of PostgreSQL have five characters.
fn sqlite_code(code: &str) -> Option<u32> {
    if code.len() < 5 { code.parse().ok() } else { None }
}

/// Result codes: <https://www.sqlite.org/rescode.html>.
fn of_sqlite(code: u32) -> Option<(TroubleKind, &'static str)> {
    /// `SQLITE_IOERR_READ`, `_SHORT_READ`, `_FSTAT`, `_ACCESS`: nothing was to be written.
    const READS: [u32; 4] = [266, 522, 1_802, 3_338];
    match code & PRIMARY {
        8 => Some((TroubleKind::ReadOnly, "the database's file is read-only")),
        10 if READS.contains(&code) => Some((TroubleKind::Away, "the database's file cannot be read")),
        10 => Some((
            TroubleKind::Full,
            "the database's file cannot be written: its disk is full, limited or failing",
        )),
        13 => Some((TroubleKind::Full, "the disk of the database is full")),
        14 => Some((TroubleKind::Away, "the database's file cannot be opened")),
        _ => None,
    }
}

/// Error codes: appendix A of PostgreSQL's documentation.
fn of_postgres(code: &str) -> Option<(TroubleKind, &'static str)> {
    match code {
        "53100" => Some((TroubleKind::Full, "the disk of the database is full")),
        "58030" => Some((TroubleKind::Full, "the disk of the database fails")),
        "25006" => Some((TroubleKind::ReadOnly, "the database is read-only")),
        "53300" => Some((TroubleKind::Away, CROWDED)),
        "57P01" | "57P02" | "57P03" => {
            Some((TroubleKind::Away, "the database is starting, stopping or recovering"))
        }
        "57P04" | "3D000" => Some((TroubleKind::Away, "the database is not there")),
        code if code.starts_with("08") => Some((TroubleKind::Away, LOST)),
        code if code.starts_with("28") => Some((TroubleKind::Away, "the database refuses our login")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_apart() {
        let sqlite = |code: u32| of_sqlite(code).map(|(kind, _)| kind);
        // SQLITE_READONLY and _DBMOVED, SQLITE_IOERR_WRITE, _FSYNC, _SHMSIZE, SQLITE_FULL; then reading and opening.
        for (code, kind) in [
            (8, TroubleKind::ReadOnly),
            (1_032, TroubleKind::ReadOnly),
            (778, TroubleKind::Full),
            (1_034, TroubleKind::Full),
            (4_874, TroubleKind::Full),
            (13, TroubleKind::Full),
            (266, TroubleKind::Away),
            (14, TroubleKind::Away),
            (526, TroubleKind::Away),
        ] {
            assert_eq!(sqlite(code), Some(kind), "{code}");
        }
        // SQLITE_ERROR, _BUSY, _CORRUPT, _CONSTRAINT_UNIQUE, _NOTADB.
        for code in [1, 5, 517, 11, 2_067, 26] {
            assert_eq!(sqlite(code), None, "{code}");
        }
        let postgres = |code: &str| of_postgres(code).map(|(kind, _)| kind);
        for code in ["57P01", "57P03", "53300", "08006", "28P01", "3D000"] {
            assert_eq!(postgres(code), Some(TroubleKind::Away), "{code}");
        }
        assert_eq!(postgres("53100"), Some(TroubleKind::Full));
        assert_eq!(postgres("25006"), Some(TroubleKind::ReadOnly));
        for code in ["23505", "40001", "42P01", "55P03"] {
            assert_eq!(postgres(code), None, "{code}");
        }
        assert_eq!(sqlite_code("57014"), None);
        assert_eq!(sqlite_code("517"), Some(517));
    }

    #[test]
    fn connections_that_fail_are_trouble() {
        for kind in
            [io::ErrorKind::ConnectionRefused, io::ErrorKind::ConnectionReset, io::ErrorKind::TimedOut]
        {
            let trouble = of(&sqlx::Error::Io(kind.into())).unwrap();
            assert_eq!(trouble.kind, TroubleKind::Away);
        }
        assert!(of(&sqlx::Error::RowNotFound).is_none());
        assert!(of(&sqlx::Error::PoolTimedOut).is_none() && is_busy(&sqlx::Error::PoolTimedOut));
    }
}
