//! Names of hosts, and which of them a pattern allows.

/// `api.example.com`, `api.example.com:8443`, `*.example.com`. No IP literal, no scheme, no path.
pub(super) fn is_host_pattern(text: &str) -> bool {
    let (host, port) = text.split_once(':').map_or((text, None), |(h, p)| (h, Some(p)));
    if port.is_some_and(|p| p.parse::<u16>().is_err()) {
        return false;
    }
    let name = host.strip_prefix("*.").unwrap_or(host);
    let labels: Vec<&str> = name.split('.').collect();
    let label_ok = |l: &&str| {
        (1..=63).contains(&l.len())
            && !l.starts_with('-')
            && !l.ends_with('-')
            && l.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    name.len() <= 253
        && labels.len() >= 2
        && labels.iter().all(label_ok)
        && labels.last().is_some_and(|l| l.bytes().any(|b| b.is_ascii_lowercase()))
}

/// Does a pattern allow this host (and port, if not the scheme's own)? `*.example.com` allows `a.example.com` and
/// `a.b.example.com`, but neither `example.com` nor `evilexample.com`.
#[must_use]
pub fn host_matches(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix('*') {
        Some(suffix) => host.len() > suffix.len() && host.ends_with(suffix),
        None => pattern == host,
    }
}
