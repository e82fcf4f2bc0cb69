//! What OpenAPI says of a tenant's settings.
//!
//! The values themselves, and what may be in them, are the model's; these types are never made. `api/drift.rs` compares them.

#![expect(dead_code, reason = "read by the derive alone")]

use serde::Serialize;
use utoipa::ToSchema;

/// What a tenant says of itself to people without a key.
#[derive(Default, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(example = json!({
    "public": true, "brand": { "name": "Studio Ana", "accent": "#1a7f5a", "logo_url": "https://studio.example/logo.png" },
    "languages": ["pt", "en"], "clock": "24h", "time_zone": "Europe/Lisbon", "currency": "EUR", "embed_origins": ["https://studio.example"],
    "return_urls": ["https://studio.example/thanks"], "imprint_url": "https://studio.example/imprint",
    "privacy_url": "https://studio.example/privacy", "public_bookings_per_hour": 200,
}))]
pub(crate) struct TenantSettings {
    /// May people without a key see what is offered, and book it (`/api/public/{tenant}`)?
    public: bool,
    brand: Brand,
    /// Languages that it speaks (BCP 47), the first by default, at most 20; none: whatever the page speaks.
    languages: Vec<String>,
    /// The clock that times are shown by unless somebody chooses; null: the language's own.
    clock: Option<HourClock>,
    /// IANA zone of times that belong to no listing; null: the listing's.
    time_zone: Option<String>,
    /// The currency (ISO 4217) of prices that are written as a bare number, where the listing has none; null: such prices are refused there.
    currency: Option<String>,
    /// Pages of others that may show and send the booking form, at most 50: origins, exact (`https://shop.example`) or with one leading
    /// wildcard (`https://*.shop.example`).
    embed_origins: Vec<String>,
    /// Where customers may be sent after a booking, at most 50: whole https addresses.
    return_urls: Vec<String>,
    /// Who is behind it, as the law asks: an https address.
    imprint_url: Option<String>,
    /// What it does with people's data: an https address.
    privacy_url: Option<String>,
    /// Bookings in an hour that people without a key may make in all, in each process of the server: 1 to 10 000.
    #[schema(default = 200)]
    public_bookings_per_hour: u32,
    /// Opening hours for all: nobody is booked outside of this schedule (`/api/booking/schedules`); null: no bound. A schedule without a
    /// `time_zone` is on the listing's clock here.
    #[schema(format = Uuid)]
    opening_schedule_id: Option<String>,
    /// The schedule of members who are added with neither `weekly_hours` nor `schedule_id`; null: none.
    #[schema(format = Uuid)]
    default_schedule_id: Option<String>,
}

/// How a tenant looks.
#[derive(Default, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Brand {
    /// Name for customers; null: the tenant's.
    name: Option<String>,
    /// Its colour; null: the page's own.
    #[schema(pattern = "^#[0-9a-fA-F]{6}$", example = "#1a7f5a")]
    accent: Option<String>,
    scheme: ColourScheme,
    /// Where its logo is: an https address.
    logo_url: Option<String>,
}

/// How bright pages are: as the reader's machine is, light, or dark.
#[derive(Default, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ColourScheme {
    #[default]
    Auto,
    Light,
    Dark,
}

/// How clocks count hours.
#[derive(Serialize, ToSchema)]
pub(crate) enum HourClock {
    /// To twelve, twice a day.
    #[serde(rename = "12h")]
    Twelve,
    /// To twenty-four.
    #[serde(rename = "24h")]
    TwentyFour,
}

/// Settings with a value everywhere.
#[cfg(test)]
pub(in crate::api) fn sample() -> berth_model::tenants::settings::TenantSettings {
    use berth_model::tenants::settings as of;
    of::TenantSettings {
        public: true,
        brand: of::Brand {
            name: Some("Studio Ana".into()),
            accent: Some("#1a7f5a".into()),
            scheme: of::ColourScheme::Dark,
            logo_url: Some("https://studio.example/logo.png".into()),
        },
        languages: vec!["pt".into()],
        clock: Some(of::HourClock::TwentyFour),
        time_zone: "Europe/Lisbon".parse().ok(),
        currency: Some("EUR".into()),
        embed_origins: vec!["https://studio.example".into()],
        return_urls: vec!["https://studio.example/thanks".into()],
        imprint_url: Some("https://studio.example/imprint".into()),
        privacy_url: Some("https://studio.example/privacy".into()),
        public_bookings_per_hour: 100,
        opening_schedule_id: Some(berth_model::id::ScheduleId::from_uuid(uuid::Uuid::from_u128(10))),
        default_schedule_id: Some(berth_model::id::ScheduleId::from_uuid(uuid::Uuid::from_u128(11))),
    }
}
