//! A real CalDAV server, Radicale, on a free port with a folder of its own. It ends with its value.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use reqwest::{Method, StatusCode};

/// Made up.
pub const LOGIN: &str = "eve:made-up-password-1234";
const USER: &str = "eve";
/// Lines of its log before it must have said where it listens.
const LINES_MAX: usize = 200;
/// Tries to find a port that is still free when it gets to it; it does not take port 0.
const STARTS_MAX: usize = 5;

/// A zone, as calendar programs write it.
pub const WARSAW: &str = "BEGIN:VTIMEZONE\r\nTZID:Europe/Warsaw\r\nBEGIN:STANDARD\r\nDTSTART:19961027T030000\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\nEND:STANDARD\r\nBEGIN:DAYLIGHT\r\nDTSTART:19810329T020000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE\r\n";

/// An event as a calendar program writes it.
pub fn object(uid: &str, lines: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Somebody//EN\r\n{WARSAW}BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20261123T070000Z\r\n{lines}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}

/// An event as it lies in a calendar.
#[derive(Debug)]
pub struct Entry {
    pub path: String,
    pub uid: String,
    /// As it is written.
    pub start: String,
}

fn line<'a>(object: &'a str, name: &str) -> Option<&'a str> {
    object.lines().find_map(|line| line.trim_end().strip_prefix(name))
}

/// A running server with one account, `eve`, and its calendars `/eve/home/` and `/eve/work/`.
pub struct Radicale {
    child: Child,
    address: String,
    _folder: tempfile::TempDir,
}

/// A Python that has Radicale: the test command makes one, else the system's may have it.
fn python() -> Option<PathBuf> {
    let named = std::env::var_os("BERTH_TEST_PYTHON").map(PathBuf::from);
    named.into_iter().chain([PathBuf::from("python3")]).find(|python| {
        let found = Command::new(python).args(["-c", "import radicale"]).stderr(Stdio::null()).status();
        found.is_ok_and(|status| status.success())
    })
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Radicale {
    /// Start one; none, said aloud, where there is no Python that has it.
    pub async fn start(suite: &str) -> Option<Self> {
        let Some(python) = python() else {
            println!("SKIPPED: {suite}: no Python with Radicale was found (BERTH_TEST_PYTHON)");
            return None;
        };
        let server = (0..STARTS_MAX).find_map(|_| Self::start_on(&python, free_port()));
        let server = server.expect("Radicale starts");
        for calendar in ["home", "work"] {
            server.make_calendar(calendar).await;
        }
        Some(server)
    }

    /// None if it ends at once: somebody else may have taken the port in between.
    fn start_on(python: &Path, port: u16) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        std::fs::write(path("users"), LOGIN).unwrap();
        let config = format!(
            "[server]\nhosts = 127.0.0.1:{port}\n[auth]\ntype = htpasswd\nhtpasswd_filename = {}\n\
             htpasswd_encryption = plain\ndelay = 0\n[storage]\nfilesystem_folder = {}\n[logging]\nlevel = info\n",
            path("users"),
            path("calendars")
        );
        std::fs::write(path("config"), config).unwrap();
        let mut child = Command::new(python)
            .args(["-m", "radicale", "--config", &path("config")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let listens = lines.by_ref().take(LINES_MAX).any(|line| line.contains("Listening on"));
        let server = Self { child, address: format!("127.0.0.1:{port}"), _folder: folder };
        // It would block when nobody reads what it says.
        listens.then(|| std::thread::spawn(move || lines.for_each(drop)))?;
        Some(server)
    }

    /// `http://127.0.0.1:…`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// `127.0.0.1:…`
    pub fn host(&self) -> &str {
        &self.address
    }

    async fn make_calendar(&self, name: &str) {
        let body = format!(
            r#"<C:mkcalendar xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><set><prop><displayname>Eve, {name}</displayname></prop></set></C:mkcalendar>"#
        );
        let path = format!("/{USER}/{name}/");
        let (status, _) = self.ask("MKCALENDAR", &path, &body).await;
        assert_eq!(status, StatusCode::CREATED);
    }

    /// Ask it as a person's calendar program does: no component, no gate in between.
    pub async fn ask(&self, method: &str, path: &str, body: &str) -> (StatusCode, String) {
        let (user, password) = LOGIN.split_once(':').unwrap();
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        // Another test of this process may have done it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = client.request(method, format!("{}{path}", self.url()));
        let request =
            request.basic_auth(user, Some(password)).header("content-type", "text/calendar; charset=utf-8");
        let answer = request.body(body.to_owned()).send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    }
}

impl Radicale {
    /// A calendar as it is, whatever is in the way of the component.
    pub async fn entries(&self, calendar: &str) -> Vec<Entry> {
        let query = r#"<C:calendar-query xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><prop><C:calendar-data/></prop><C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>"#;
        let (_, answer) = self.ask("REPORT", calendar, query).await;
        let entry = |response: &str| {
            let (path, rest) = response.split_once("</href>")?;
            // Zones have a start as well.
            let (_, event) = rest.split_once("BEGIN:VEVENT")?;
            let (uid, start) = (line(event, "UID:")?.to_owned(), line(event, "DTSTART:")?.to_owned());
            Some(Entry { path: path.to_owned(), uid, start })
        };
        let mut entries: Vec<Entry> = answer.split("<response><href>").skip(1).filter_map(entry).collect();
        // It says them in the order of its folder.
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        entries
    }
}

impl Drop for Radicale {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
