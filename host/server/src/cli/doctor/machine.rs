//! What the machine gives: folders, disk, address, clock.

use std::{fs, io, os::unix::fs::PermissionsExt, path::Path, time::Duration};

use berth_model::{
    limits,
    time::{Clock, Instant},
};

use super::Finding;
use crate::{cli::client::probe, config::Config, ports::MachineClock, process};

/// How long the program that has our address may take to say that it is ready.
const PROBE: Duration = Duration::from_secs(5);
/// No clock that is set shows an earlier time than when this was written: 2026-01-01T00:00:00Z.
const EARLIEST: Instant = Instant::from_seconds(1_767_225_600);

pub(super) async fn findings(config: &Config) -> Vec<Finding> {
    let mut findings = vec![data_folder(config)];
    findings.push(private(&config.data_dir));
    findings.extend(disk(&config.data_dir));
    findings.push(address(config).await);
    findings.push(public_address(config));
    findings.push(encryption(config));
    findings.push(files(config, process::files()));
    findings.extend(plugin_folder(config));
    findings.push(clock(MachineClock.now()));
    findings
}

/// Can files be made in this folder?
pub(super) fn writable(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let probe = folder.join(format!("doctor.{}.tmp", std::process::id()));
    fs::write(&probe, b"probe")?;
    fs::remove_file(&probe)
}

fn data_folder(config: &Config) -> Finding {
    let folder = config.data_dir.display();
    let done = config.make_data_dir().map_err(|error| error.to_string());
    match done.and_then(|()| writable(&config.data_dir).map_err(|error| format!("{folder}: {error}"))) {
        Ok(()) => Finding::ok("data folder", folder.to_string()),
        Err(error) => {
            Finding::fail("data folder", error, "give this user the folder, or set BERTH_DATA_DIR to another")
        }
    }
}

/// Are the folder and the files in it for this user only? Keys and databases are among them.
fn private(folder: &Path) -> Finding {
    const CHECK: &str = "private files";
    let of_others = |path: &Path| fs::metadata(path).map_or(0, |found| found.permissions().mode() & 0o077);
    let open = |path: &Path| of_others(path) > 0;
    let files = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let found: Vec<String> = files.filter(|path| open(path)).map(|path| path.display().to_string()).collect();
    if !found.is_empty() {
        let advice = format!("chmod go= {}", found.join(" "));
        return Finding::warn(CHECK, "others on this machine may use what is in the data folder", advice);
    }
    if open(folder) {
        let advice = format!("chmod 700 {}, unless others are meant to look into it", folder.display());
        return Finding::warn(CHECK, "others on this machine may look into the data folder", advice);
    }
    Finding::ok(CHECK, "for this user only")
}

/// Is there room for the database? None if that cannot be found out.
pub(super) fn disk(folder: &Path) -> Option<Finding> {
    let stat = rustix::fs::statvfs(folder).ok()?;
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    let found = format!("{} MiB free", free / (1024 * 1024));
    let advice = "make room: a full disk refuses every booking";
    Some(if free < limits::DISK_FREE_BYTES_MIN {
        Finding::fail("disk", found, advice)
    } else if free < limits::DISK_FREE_BYTES_LOW {
        Finding::warn("disk", found, advice)
    } else {
        Finding::ok("disk", found)
    })
}

async fn address(config: &Config) -> Finding {
    let address = config.listen;
    let Err(error) = tokio::net::TcpListener::bind(address).await else {
        return Finding::ok("address", format!("{address} is free"));
    };
    match server_is_ready(config).await {
        Some(true) => Finding::ok("address", format!("a berth server answers at {address}")),
        Some(false) => Finding::warn(
            "address",
            format!("a berth server answers at {address}, and is not ready"),
            format!("curl http://{address}/readyz says why"),
        ),
        None => Finding::fail(
            "address",
            format!("{address}: {error}"),
            "another program has it: set BERTH_LISTEN=127.0.0.1:8081",
        ),
    }
}

/// Is the server that has the address one of ours, and is it ready? None if it is not ours.
async fn server_is_ready(config: &Config) -> Option<bool> {
    let scheme = if config.tls_certificate.is_empty() { "http" } else { "https" };
    let request = probe().ok()?.get(format!("{scheme}://{}/readyz", config.listen)).timeout(PROBE);
    let answer = request.send().await.ok()?;
    let body: serde_json::Value = answer.json().await.ok()?;
    body.get("ready")?.as_bool()
}

fn public_address(config: &Config) -> Finding {
    let url = config.public_url.as_str();
    if url.is_empty() {
        return Finding::warn(
            "public address",
            "none: providers cannot send webhooks",
            "set public-url to where providers reach this server",
        );
    }
    if url.starts_with("https://") {
        return Finding::ok("public address", url);
    }
    if url.starts_with("http://127.0.0.1") || url.starts_with("http://localhost") {
        return Finding::warn(
            "public address",
            url,
            "only programs on this machine reach it; fine for trying",
        );
    }
    Finding::fail("public address", url, "must begin with https://: providers send webhooks nowhere else")
}

/// Can a key reach this server without being read on the way?
fn encryption(config: &Config) -> Finding {
    let tls = match config.tls() {
        Ok(tls) => tls,
        Err(error) => {
            return Finding::fail("encryption", error.to_string(), "mend the files, or unset both keys");
        }
    };
    let proxies = &config.trusted_proxies;
    if tls.is_some() {
        Finding::ok("encryption", "TLS ends here")
    } else if !proxies.is_empty() {
        let networks: Vec<String> = proxies.iter().map(ToString::to_string).collect();
        Finding::ok("encryption", format!("TLS ends at a proxy in {}", networks.join(", ")))
    } else if config.is_https() {
        Finding::fail(
            "encryption",
            "public-url is https, but nothing here ends TLS: every API key is refused",
            "set tls-certificate and tls-key, or trusted-proxies to the network of the proxy that ends TLS (it must send X-Forwarded-Proto)",
        )
    } else if config.listen.ip().is_loopback() {
        Finding::ok("encryption", "none, and only this machine reaches it")
    } else {
        Finding::warn(
            "encryption",
            format!("none, and other machines reach {}", config.listen),
            "set tls-certificate and tls-key, or put a proxy in front: keys can be read on the way",
        )
    }
}

/// How many files may a program have open that is started like this one?
fn files(config: &Config, files: process::Files) -> Finding {
    let most = files.most.min(limits::FILES_MAX);
    let connections = process::connections(config.connections_max, most);
    let found = format!("at most {most}: {connections} connections at the same time");
    if most < limits::FILES_LOW {
        let advice = format!("raise the limit to {} (ulimit -Hn, LimitNOFILE)", limits::FILES_LOW);
        Finding::warn("open files", found, advice)
    } else {
        Finding::ok("open files", found)
    }
}

fn plugin_folder(config: &Config) -> Option<Finding> {
    if config.plugin_dir.is_empty() {
        return None;
    }
    Some(match fs::read_dir(&config.plugin_dir) {
        Ok(entries) => {
            let components = entries.flatten().filter(|e| e.path().extension().is_some_and(|e| e == "wasm"));
            Finding::ok("plugin folder", format!("{}, {} components", config.plugin_dir, components.count()))
        }
        Err(error) => Finding::fail(
            "plugin folder",
            format!("{}: {error}", config.plugin_dir),
            "make the folder, or unset plugin-dir",
        ),
    })
}

fn clock(now: Instant) -> Finding {
    let text = now.to_string();
    if now < EARLIEST {
        Finding::fail("clock", text, "set the machine's clock (timedatectl set-ntp true)")
    } else {
        Finding::ok("clock", text)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Level, *};

    #[test]
    fn a_clock_that_is_not_set_is_seen() {
        assert_eq!(clock("1970-01-01T00:00:10Z".parse().unwrap()).level, Level::Fail);
        assert_eq!(clock("2026-12-31T00:00:00Z".parse().unwrap()).level, Level::Ok);
    }

    #[test]
    fn few_files_are_warned_of_and_a_key_that_would_be_refused_fails() {
        let config = Config::default();
        let level = |most| files(&config, process::Files { now: 1_024, most }).level;
        assert_eq!((level(1_024), level(65_536), level(u64::MAX)), (Level::Warn, Level::Ok, Level::Ok));
        let found = files(&config, process::Files { now: 256, most: 1_024 }).found;
        assert!(found.contains("768 connections"), "{found}");

        let with = |url: &str, proxies: &[&str], listen: &str, certificate: &str| {
            let config = Config {
                public_url: url.to_owned(),
                trusted_proxies: proxies.iter().map(|network| network.parse().unwrap()).collect(),
                listen: listen.parse().unwrap(),
                tls_certificate: certificate.to_owned(),
                ..Config::default()
            };
            encryption(&config).level
        };
        let (local, open) = ("127.0.0.1:8080", "0.0.0.0:8080");
        assert_eq!(with("https://booking.example.com", &[], local, ""), Level::Fail);
        assert_eq!(with("HTTPS://booking.example.com", &["10.0.0.0/8"], open, ""), Level::Ok);
        assert_eq!(with("", &[], local, ""), Level::Ok);
        assert_eq!(with("http://booking.example.com", &[], open, ""), Level::Warn);
        assert_eq!(with("", &[], local, "only-one.pem"), Level::Fail);
    }

    #[test]
    fn a_folder_that_is_a_file_is_not_writable() {
        let folder = tempfile::tempdir().unwrap();
        assert!(writable(&folder.path().join("new")).is_ok());
        let file = folder.path().join("file");
        fs::write(&file, b"").unwrap();
        assert!(writable(&file).is_err());
    }
}
