//! What a tenant says of itself to people without a key: how it looks, in which languages, from which pages it may be booked, and how often.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    id::ScheduleId,
    limits,
    privacy::is_language,
    text::{is_https_address, is_web_address},
    validate::Fields,
    zone::Zone,
};

/// Settings of a tenant. Each default is neutral; nobody sees anything without a key until `public` says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TenantSettings {
    /// May people without a key see what is offered, and book it?
    pub public: bool,
    /// How it looks.
    pub brand: Brand,
    /// Languages that it speaks (BCP 47), the first by default; none: whatever the page speaks.
    pub languages: Vec<String>,
    /// The clock that times are shown by unless somebody chooses; none: the language's own.
    pub clock: Option<HourClock>,
    /// The zone of times that belong to no listing; none: the listing's.
    pub time_zone: Option<Zone>,
    /// The currency of prices that are written without one (ISO 4217), where the listing has none; none: such prices are refused there.
    pub currency: Option<String>,
    /// Pages of others that may show and send the booking form: origins, exact or with one leading wildcard (`https://*.shop.example`).
    pub embed_origins: Vec<String>,
    /// Where customers may be sent after a booking: whole addresses.
    pub return_urls: Vec<String>,
    /// Who is behind it, as the law asks.
    pub imprint_url: Option<String>,
    /// What it does with people's data.
    pub privacy_url: Option<String>,
    /// Bookings in an hour that people without a key may make in all.
    pub public_bookings_per_hour: u32,
    /// Opening hours for all: nobody is booked outside of this schedule; none: no bound.
    pub opening_schedule_id: Option<ScheduleId>,
    /// The schedule of members who are added without hours.
    pub default_schedule_id: Option<ScheduleId>,
}

impl Default for TenantSettings {
    fn default() -> Self {
        Self {
            public: false,
            brand: Brand::default(),
            languages: Vec::new(),
            clock: None,
            time_zone: None,
            currency: None,
            embed_origins: Vec::new(),
            return_urls: Vec::new(),
            imprint_url: None,
            privacy_url: None,
            public_bookings_per_hour: limits::PUBLIC_BOOKINGS_PER_HOUR_DEFAULT,
            opening_schedule_id: None,
            default_schedule_id: None,
        }
    }
}

/// How a tenant looks.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Brand {
    /// Name for customers; none: the tenant's.
    pub name: Option<String>,
    /// Its colour, `#1a7f5a`; none: the page's own.
    pub accent: Option<String>,
    /// Light, dark, or as the reader's machine is.
    pub scheme: ColourScheme,
    /// Where its logo is.
    pub logo_url: Option<String>,
}

/// How bright pages are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum ColourScheme {
    #[default]
    Auto,
    Light,
    Dark,
}

/// How clocks count hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum HourClock {
    /// To twelve, twice a day.
    #[serde(rename = "12h")]
    Twelve,
    /// To twenty-four.
    #[serde(rename = "24h")]
    TwentyFour,
}

impl TenantSettings {
    /// Note what is not acceptable.
    pub fn check(&self, fields: &mut Fields) {
        self.brand.check(fields);
        fields.count("/languages", self.languages.len(), 0, limits::TENANT_LANGUAGES_MAX);
        fields.distinct("/languages", self.languages.iter().map(|tag| tag.to_ascii_lowercase()));
        for (i, tag) in self.languages.iter().enumerate() {
            if !is_language(tag) {
                fields.bad(&format!("/languages/{i}"), "must be a BCP 47 tag such as de or en-GB");
            }
        }
        if let Some(currency) = &self.currency {
            fields.currency("/currency", currency);
        }
        fields.count("/embed_origins", self.embed_origins.len(), 0, limits::TENANT_ADDRESSES_MAX);
        fields.distinct("/embed_origins", &self.embed_origins);
        for (i, origin) in self.embed_origins.iter().enumerate() {
            if !is_embed_origin(origin) {
                let message = "must be an origin such as https://shop.example or https://*.shop.example, without a path and in lower case";
                fields.bad(&format!("/embed_origins/{i}"), message);
            }
        }
        fields.count("/return_urls", self.return_urls.len(), 0, limits::TENANT_ADDRESSES_MAX);
        fields.distinct("/return_urls", &self.return_urls);
        for (i, url) in self.return_urls.iter().enumerate() {
            https(fields, &format!("/return_urls/{i}"), url);
        }
        for (field, url) in [("/imprint_url", &self.imprint_url), ("/privacy_url", &self.privacy_url)] {
            if let Some(url) = url {
                https(fields, field, url);
            }
        }
        fields.range(
            "/public_bookings_per_hour",
            self.public_bookings_per_hour,
            1,
            limits::PUBLIC_BOOKINGS_PER_HOUR_MAX,
        );
    }

    /// May a page of this origin send the booking form? As browsers write it in `Origin`; `null` is nobody's.
    #[must_use]
    pub fn allows_origin(&self, origin: &str) -> bool {
        self.embed_origins.iter().any(|allowed| match allowed.split_once("*.") {
            None => allowed == origin,
            Some((scheme, parent)) => {
                let host = origin.strip_prefix(scheme).and_then(|rest| rest.strip_suffix(parent));
                host.and_then(|host| host.strip_suffix('.')).is_some_and(|labels| {
                    labels.split('.').all(|label| {
                        !label.is_empty()
                            && label
                                .bytes()
                                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b))
                    })
                })
            }
        })
    }
}

impl Brand {
    fn check(&self, fields: &mut Fields) {
        if let Some(name) = &self.name {
            fields.text("/brand/name", name, 200);
        }
        let is_colour = |text: &String| {
            text.strip_prefix('#')
                .is_some_and(|digits| digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit()))
        };
        if self.accent.as_ref().is_some_and(|accent| !is_colour(accent)) {
            fields.bad("/brand/accent", "must be a colour such as #1a7f5a");
        }
        if let Some(url) = &self.logo_url {
            https(fields, "/brand/logo_url", url);
        }
    }
}

fn https(fields: &mut Fields, field: &str, url: &str) {
    if !is_https_address(url, limits::TENANT_ADDRESS_BYTES_MAX) {
        let most = limits::TENANT_ADDRESS_BYTES_MAX;
        fields.bad(field, format!("must be an https address without user or password, at most {most} bytes"));
    }
}

/// An origin as browsers write it, or one with a wildcard in place of the first names of its host.
fn is_embed_origin(text: &str) -> bool {
    let plain = match text.split_once("://*.") {
        Some((scheme, parent)) => {
            // Of a whole top-level domain nobody is the master.
            let host = parent.split(':').next().unwrap_or_default();
            if !host.contains('.') || host.parse::<std::net::Ipv4Addr>().is_ok() {
                return false;
            }
            format!("{scheme}://{parent}")
        }
        None => text.to_owned(),
    };
    !plain.contains('*')
        && is_web_address(&plain, limits::TENANT_ADDRESS_BYTES_MAX)
        && Url::parse(&plain)
            .is_ok_and(|url| url.scheme() == "https" && url.origin().ascii_serialization() == plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(settings: &TenantSettings) -> Vec<String> {
        let mut fields = Fields::default();
        settings.check(&mut fields);
        fields.into_errors().into_iter().map(|error| error.field).collect()
    }

    #[test]
    fn origins_are_exact_or_have_one_leading_wildcard() {
        for good in [
            "https://shop.example",
            "https://shop.example:8443",
            "https://*.shop.example",
            "https://*.shop.example:8443",
            "https://xn--caf-dma.example",
        ] {
            assert!(is_embed_origin(good), "{good}");
        }
        for bad in [
            "*",
            "null",
            "",
            "http://shop.example",
            "https://shop.example/",
            "https://shop.example/a",
            "https://Shop.example",
            "https://shop.example:443",
            "https://*",
            "https://*.example",
            "https://*.127.0.0.1",
            "https://a.*.example",
            "https://*.*.shop.example",
            "https://u@shop.example",
            "https://shop.example?x",
            "https://café.example",
            "javascript:alert(1)",
        ] {
            assert!(!is_embed_origin(bad), "{bad}");
        }
        let settings = TenantSettings {
            embed_origins: vec!["https://shop.example".into(), "https://*.salon.example:8443".into()],
            ..TenantSettings::default()
        };
        for good in
            ["https://shop.example", "https://a.salon.example:8443", "https://a-1.b.salon.example:8443"]
        {
            assert!(settings.allows_origin(good), "{good}");
        }
        for bad in [
            "null",
            "",
            "http://shop.example",
            "https://shop.example.evil.example",
            "https://evilsalon.example:8443",
            "https://salon.example:8443",
            "https://.salon.example:8443",
            "https://evil.example/.salon.example:8443",
            "https://a.salon.example",
            "https://evil.example#.salon.example:8443",
        ] {
            assert!(!settings.allows_origin(bad), "{bad}");
        }
    }

    #[test]
    fn every_setting_has_bounds() {
        assert_eq!(wrong(&TenantSettings::default()), Vec::<String>::new());
        let bad = TenantSettings {
            public: true,
            brand: Brand {
                name: Some("a\u{202e}b".into()),
                accent: Some("red".into()),
                scheme: ColourScheme::Dark,
                logo_url: Some("http://a.example/logo.png".into()),
            },
            languages: vec!["en".into(), "EN".into(), "e".into()],
            clock: Some(HourClock::Twelve),
            time_zone: None,
            currency: Some("XAU".into()),
            embed_origins: vec!["*".into()],
            return_urls: vec!["javascript:alert(1)".into(), "https://a.example/thanks".into()],
            imprint_url: Some("https://u:p@a.example".into()),
            privacy_url: Some(format!("https://a.example/{}", "x".repeat(3_000))),
            public_bookings_per_hour: 0,
            opening_schedule_id: None,
            default_schedule_id: None,
        };
        assert_eq!(
            wrong(&bad),
            [
                "/brand/name",
                "/brand/accent",
                "/brand/logo_url",
                "/languages/1",
                "/languages/2",
                "/currency",
                "/embed_origins/0",
                "/return_urls/0",
                "/imprint_url",
                "/privacy_url",
                "/public_bookings_per_hour",
            ]
        );
        let many = TenantSettings {
            return_urls: (0..51).map(|n| format!("https://a.example/{n}")).collect(),
            ..TenantSettings::default()
        };
        assert_eq!(wrong(&many), ["/return_urls"]);
    }
}
