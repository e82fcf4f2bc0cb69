//! How a simulator is set up, and with what.

use chrono_tz::Tz;

use crate::{Clock, hours::Hours, machine_clock};

/// How a simulator is set up.
#[derive(Clone)]
pub struct Config {
    /// Port on 127.0.0.1; 0 for any free one.
    pub port: u16,
    /// Seed of chance.
    pub seed: u64,
    /// The client that the token endpoint knows: the business's API key and API secret.
    pub client_id: String,
    pub client_secret: String,
    /// How long its tokens last.
    pub token_seconds: i64,
    /// An access token that is accepted without the token endpoint, and has no end.
    pub access_token: String,
    pub business_id: String,
    pub clock: Clock,
    /// Offer `/_simulator/…`.
    pub control: bool,
    /// Send webhooks; else they are kept for [`take_deliveries`](super::Simulator::take_deliveries).
    pub deliver_webhooks: bool,
    /// Enforce 200 requests a minute, and 10 of the token endpoint.
    pub rate_limit: bool,
    pub hours: Hours,
    pub services: Vec<Service>,
    pub staff: Vec<Staff>,
}

impl Default for Config {
    fn default() -> Self {
        let service = |id: &str, name: &str, minutes, capacity, staff: &[&str]| Service {
            id: id.to_owned(),
            name: name.to_owned(),
            duration_minutes: minutes,
            buffer_before_minutes: 0,
            buffer_after_minutes: 0,
            price: 12_000,
            capacity,
            active: true,
            asks_first: false,
            staff: staff.iter().map(|id| (*id).to_owned()).collect(),
        };
        let staff = |id: &str, name: &str, active| Staff { id: id.to_owned(), name: name.to_owned(), active };
        Self {
            port: 0,
            seed: 1,
            client_id: "booksy_test_client".to_owned(),
            client_secret: "booksy_test_not_a_real_secret".to_owned(),
            token_seconds: 3_600,
            access_token: "booksy_test_not_a_real_token".to_owned(),
            business_id: "biz_1".to_owned(),
            clock: machine_clock(),
            control: false,
            deliver_webhooks: false,
            rate_limit: true,
            hours: Hours {
                time_zone: Tz::Europe__Warsaw,
                opens_minute: 9 * 60,
                closes_minute: 17 * 60,
                weekends: false,
            },
            services: vec![
                Service { buffer_after_minutes: 10, ..service("svc_1", "Haircut", 45, 1, &["stf_1"]) },
                service("svc_2", "Consultation", 30, 1, &["stf_1", "stf_2"]),
                service("svc_3", "Yoga", 60, 8, &["stf_2"]),
                Service { asks_first: true, ..service("svc_4", "Patch test", 30, 1, &["stf_1"]) },
                Service { active: false, ..service("svc_5", "Perm", 90, 1, &["stf_1"]) },
            ],
            staff: vec![
                staff("stf_1", "Ola", true),
                staff("stf_2", "Jan", true),
                staff("stf_3", "Iga", false),
            ],
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    pub id: String,
    pub name: String,
    pub duration_minutes: u32,
    pub buffer_before_minutes: u32,
    pub buffer_after_minutes: u32,
    /// In grosze.
    pub price: i64,
    pub capacity: u32,
    pub active: bool,
    /// Does the business confirm each booking?
    pub asks_first: bool,
    pub staff: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staff {
    pub id: String,
    pub name: String,
    pub active: bool,
}
