//! A credential that is an address: whoever knows it may read what is there, so the component never does.

use berth_model::connections::secret::Secret;
use url::Url;

use super::{Outgoing, Refusal, unusable};

/// How calendar programs write an address that they shall subscribe to; it is asked by https.
const WEBCAL: [&str; 2] = ["webcal://", "webcals://"];

/// The address of a credential, without its fragment. None if it is none, or has a user in it.
pub(super) fn read(secret: &Secret) -> Option<Url> {
    let text = secret.expose().trim();
    let begins = |scheme: &&str| text.get(..scheme.len()).is_some_and(|s| s.eq_ignore_ascii_case(scheme));
    let mut url = match WEBCAL.iter().find(|scheme| begins(scheme)) {
        Some(scheme) => Url::parse(&format!("https://{}", text.get(scheme.len()..)?)).ok()?,
        None => Url::parse(text).ok()?,
    };
    url.set_fragment(None);
    let plain = url.has_host() && url.username().is_empty() && url.password().is_none();
    (plain && matches!(url.scheme(), "http" | "https")).then_some(url)
}

/// Path and query.
pub(super) fn path_of(url: &Url) -> &str {
    &url[url::Position::BeforePath..]
}

/// Let the request go to it: to the server that was decided on before, or not at all.
pub(super) fn put(name: &str, secret: &Secret, sent: &Url, request: &mut Outgoing) -> Result<(), Refusal> {
    let url =
        read(secret).ok_or_else(|| unusable(name, "is no address that begins with https:// or webcal://"))?;
    if url.origin() != sent.origin() {
        return Err(unusable(name, "is an address of another server than the one that the settings name"));
    }
    request.url.set_path(url.path());
    request.url.set_query(url.query());
    Ok(())
}
