//! `berth demo`: a tenant to try things with. What to connect is the seed's business; the host knows no provider by name.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::BufRead,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use berth_engine::{
    Caller, Engine, GrantChange, NewConnection, NewEventType, NewKey, NewListing, NewMember, NewTenant,
    TENANT_SCOPES,
};
use berth_model::{
    catalog::{
        event_type::EventTypePolicy,
        member::{MemberRole, RoundRobinShare, WeeklyHours},
    },
    connections::secret::{Credentials, Secret},
    id::ConnectionId,
    plugins::manifest::PluginId,
    time::Instant,
    zone::Zone,
};
use clap::Args;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{CliError, keys::ACTOR, output, serve};
use crate::{config::Config, wiring, zones::ZoneKeeper};

const REQUEST: &str = "demo";
const TENANT: &str = "demo";

#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Folder with components to install.
    #[arg(long)]
    components: PathBuf,
    /// What to connect: a TOML file.
    #[arg(long)]
    seed: Option<PathBuf>,
    /// Program that simulates the provider.
    #[arg(long)]
    simulator: Option<PathBuf>,
    /// Set up, print, and stop instead of serving.
    #[arg(long)]
    once: bool,
}

/// The seed: which plugin to connect, with what.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Seed {
    plugin: PluginId,
    name: String,
    /// Arguments of the simulator; it prints its URL.
    simulator: Vec<String>,
    /// Setting that takes the simulator's URL.
    url_setting: String,
    credentials: BTreeMap<String, String>,
    external_event_type: String,
    time_zone: String,
}

/// A program that ends when this is dropped.
struct Running(Child);
impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn other(what: &str) -> impl Fn(std::io::Error) -> CliError + '_ {
    move |error| CliError::Other(format!("{what}: {error}"))
}

pub(super) async fn demo(mut config: Config, zones: ZoneKeeper, demo: Demo) -> Result<(), CliError> {
    let seed: Option<Seed> = demo.seed.as_deref().map(read_seed).transpose()?;
    config.make_data_dir()?;
    // A fixed public address: on loopback, where the simulator can send its webhooks.
    if config.public_url.is_empty() {
        config.public_url = format!("http://{}", config.listen);
    }
    let (simulator, url) = match (&seed, &demo.simulator) {
        (Some(seed), Some(program)) => {
            let (running, url) = start_simulator(program, &seed.simulator)?;
            (Some(running), Some(url))
        }
        _ => (None, None),
    };
    if let Some(host) = url.as_deref().and_then(|u| u.strip_prefix("http://")) {
        config.insecure_hosts.insert(host.to_owned());
    }
    let listener = serve::listen(&config).await?;
    let wired = wiring::wire(&config).await?;
    let engine = &wired.engine;
    output::line("Installing components …");
    install(engine, &demo.components, url.as_deref(), seed.as_ref()).await?;
    let caller = tenant(engine).await?;
    let connection = match (&seed, &url) {
        (Some(seed), Some(url)) => Some(connect(engine, &caller, seed, url).await?),
        _ => None,
    };
    let event_type = offer(engine, &caller, seed.as_ref(), connection).await?;
    let new = NewKey {
        tenant: Some(caller.tenant),
        name: "demo".to_owned(),
        scopes: TENANT_SCOPES.iter().map(ToString::to_string).collect(),
        requests_per_minute: None,
        sources: Vec::new(),
        expires_at: Some(engine.now().plus_seconds(86_400)),
    };
    let (_, key) = engine.tenants.create_key(ACTOR, REQUEST, new).await?;
    print_session(&config, key.expose(), &event_type, engine.now(), url.as_deref());
    if demo.once {
        return Ok(());
    }
    let done = serve::run(config, wired, zones, listener).await;
    drop(simulator);
    done
}

fn read_seed(path: &Path) -> Result<Seed, CliError> {
    let text = std::fs::read_to_string(path).map_err(other(&path.display().to_string()))?;
    toml::from_str(&text).map_err(|error| CliError::Other(format!("{}: {error}", path.display())))
}

fn start_simulator(program: &Path, args: &[String]) -> Result<(Running, String), CliError> {
    let name = program.display().to_string();
    // It ends with this process, however that ends: its standard input does.
    let child = Command::new(program)
        .arg("--until-stdin-ends")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(other(&name))?;
    let mut running = Running(child);
    let output = running.0.stdout.take().ok_or_else(|| CliError::Other(format!("{name} has no output")))?;
    let mut url = String::new();
    std::io::BufReader::new(output).read_line(&mut url).map_err(other(&name))?;
    let url = url.trim().to_owned();
    if url.starts_with("http://127.0.0.1:") {
        Ok((running, url))
    } else {
        Err(CliError::Other(format!(
            "{name} did not print its address; is its port in use by an earlier demo?"
        )))
    }
}

/// Install and activate every component of the folder, granted what it asks for.
async fn install(
    engine: &Engine,
    folder: &Path,
    url: Option<&str>,
    seed: Option<&Seed>,
) -> Result<(), CliError> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .map_err(other(&folder.display().to_string()))?
        .flatten()
        .map(|e| e.path())
        .collect();
    files.sort();
    for file in files.into_iter().filter(|f| f.extension().is_some_and(|e| e == "wasm")) {
        // Only what the seed connects, where there is one: the other components are for tests.
        if seed
            .is_some_and(|s| file.file_stem().is_none_or(|stem| stem.to_string_lossy() != s.plugin.as_str()))
        {
            continue;
        }
        let bytes = std::fs::read(&file).map_err(other(&file.display().to_string()))?;
        let version = engine.plugins.install_plugin(ACTOR, REQUEST, bytes).await?.version;
        let mut hosts: BTreeSet<String> = version.manifest.hosts.iter().cloned().collect();
        hosts.extend(url.and_then(|u| u.strip_prefix("http://")).map(str::to_owned));
        let grant = GrantChange {
            plugin: version.plugin.clone(),
            tenant: None,
            listing: None,
            add: hosts,
            remove: BTreeSet::new(),
            force: false,
        };
        engine.plugins.change_grant(ACTOR, REQUEST, grant).await?;
        let version = engine.plugins.activate_plugin(ACTOR, REQUEST, &version.digest).await?;
        output::line(&format!("  {}@{} {}", version.plugin, version.version, version.digest.short()));
    }
    Ok(())
}

async fn tenant(engine: &Engine) -> Result<Caller, CliError> {
    let tenant = if let Ok(tenant) = engine.store().tenant_by_slug(TENANT).await {
        tenant
    } else {
        let new = NewTenant { slug: TENANT.to_owned(), name: "Demo Studio".to_owned() };
        engine.tenants.create_tenant(ACTOR, REQUEST, new).await?
    };
    Ok(Caller {
        tenant: tenant.id,
        actor: ACTOR.to_owned(),
        request_id: REQUEST.to_owned(),
        idempotency_key: None,
    })
}

async fn connect(engine: &Engine, caller: &Caller, seed: &Seed, url: &str) -> Result<ConnectionId, CliError> {
    let there = engine.connections.list_connections(caller, None, 100).await?;
    if let Some(connection) = there.iter().find(|c| {
        c.name == seed.name && c.settings.get(&seed.url_setting).and_then(Value::as_str) == Some(url)
    }) {
        return Ok(connection.id);
    }
    let credentials: Credentials =
        seed.credentials.iter().map(|(name, text)| (name.clone(), Secret::new(text.clone()))).collect();
    let mut settings = Map::new();
    settings.insert(seed.url_setting.clone(), Value::String(url.to_owned()));
    let new = NewConnection {
        plugin: seed.plugin.clone(),
        name: seed.name.clone(),
        listing: None,
        settings: Value::Object(settings),
        credentials,
        granted_hosts: None,
        webhook_sources: None,
    };
    let connection = engine.connections.create_connection(caller, new).await?;
    let account = connection.account.get("name").and_then(Value::as_str).unwrap_or("?");
    output::line(&format!("Connected {} as {account}", seed.name));
    Ok(connection.id)
}

/// Listing, member and event type; those of an earlier start are used again.
async fn offer(
    engine: &Engine,
    caller: &Caller,
    seed: Option<&Seed>,
    connection: Option<ConnectionId>,
) -> Result<String, CliError> {
    let time_zone: Zone = seed.map_or("Europe/Lisbon", |s| s.time_zone.as_str()).parse().unwrap_or(Zone::UTC);
    let listings = engine.catalog.list_listings(caller, true, None, 100).await?;
    let listing = match listings.into_iter().find(|l| l.slug == "studio") {
        Some(listing) if listing.booking_provider == connection => listing,
        Some(listing) => {
            let patch =
                berth_engine::ListingPatch { booking_provider: Some(connection), ..Default::default() };
            engine.catalog.update_listing(caller, listing.id, patch, None).await?
        }
        None => {
            let new = NewListing {
                slug: "studio".to_owned(),
                title: "Demo Studio".to_owned(),
                description: String::new(),
                time_zone,
                currency: None,
                booking_provider: connection,
                offer_when_degraded: false,
            };
            engine.catalog.create_listing(caller, new).await?
        }
    };
    let event_types = engine.catalog.list_event_types(caller, Some(listing.id), true, None, 100).await?;
    if let Some(event_type) = event_types.first() {
        return Ok(event_type.id.to_string());
    }
    let member = NewMember {
        name: "Eve".to_owned(),
        email: Some("eve@example.com".to_owned()),
        user_id: None,
        time_zone,
        schedule: None,
        weekly_hours: week()?,
        role: MemberRole::Member,
        turns: RoundRobinShare::default(),
    };
    let member = engine.catalog.create_member(caller, member).await?;
    let new = NewEventType {
        listing: listing.id,
        slug: "consultation".to_owned(),
        title: "Consultation".to_owned(),
        description: String::new(),
        length_minutes: 30,
        slot_interval_minutes: None,
        buffer_before_minutes: 0,
        buffer_after_minutes: 0,
        minimum_notice_minutes: 0,
        booking_window_days: 60,
        members: vec![member.id],
        policy: EventTypePolicy::default(),
        external_id: seed.map(|s| s.external_event_type.clone()),
        external: None,
    };
    Ok(engine.catalog.create_event_type(caller, new).await?.id.to_string())
}

/// Monday to Friday, nine to five.
fn week() -> Result<Vec<WeeklyHours>, CliError> {
    let hours = serde_json::json!([{ "weekdays": ["Mon", "Tue", "Wed", "Thu", "Fri"], "start": "09:00", "end": "17:00" }]);
    serde_json::from_value(hours).map_err(|error| CliError::Other(error.to_string()))
}

/// What to paste after the variables; the README shows the same lines.
const TRY: &str = r#"  # the slots of the next week
  SLOTS=$(curl -s -H "Authorization: Bearer $KEY" "$URL/api/booking/availability?event_type_id=$ID&from=$FROM&to=$TO&time_zone=Europe/Warsaw"); echo "$SLOTS"
  # book the first of them
  START=$(echo "$SLOTS" | grep -o '"start":"[^"]*' | head -1 | cut -d'"' -f4)
  BOOKING=$(curl -s -X POST -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' -H "Idempotency-Key: demo-$START" $URL/api/booking \
    -d '{"event_type_id":"'$ID'","start":"'$START'","attendee":{"name":"Ada","email":"ada@example.com","time_zone":"Europe/Warsaw"}}'); echo "$BOOKING"
  # and cancel it
  curl -s -X POST -H "Authorization: Bearer $KEY" $URL/api/booking/$(echo "$BOOKING" | grep -o '"id":"[^"]*' | head -1 | cut -d'"' -f4)/cancel
"#;

fn print_session(config: &Config, key: &str, event_type: &str, now: Instant, simulator: Option<&str>) {
    let url = format!("http://{}", config.listen);
    let day = |days: i64| {
        let text = now.plus_seconds(days.saturating_mul(86_400)).to_string();
        text.get(..10).unwrap_or_default().to_owned()
    };
    let (from, to) = (day(1), day(8));
    output::line(&format!(
        "
Berth is ready.

  API            {url}
  Documentation  {url}/docs{}
  API key        {key}   (for a day)

Try it:

  # once, then the lines below as they are
  export URL={url} KEY={key} ID={event_type} FROM={from}T00:00:00Z TO={to}T00:00:00Z
{TRY}
Stop with Ctrl-C; the next start goes on with the same data ({}).
",
        simulator.map(|s| format!("\n  Simulator      {s}/_simulator/state")).unwrap_or_default(),
        config.data_dir.display(),
    ));
}
