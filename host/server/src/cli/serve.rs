//! `berth serve` and `berth migrate`.

use std::{sync::Arc, time::Duration};

use berth_model::limits as model_limits;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::Mutex,
    task::JoinSet,
};

use super::{CliError, Context};
use crate::{
    App, AppConfig, ConnectionLimits, HttpServer, Tls,
    background::{self, supervisor::Supervisor},
    config::Config,
    http::serve::accept,
    metrics_router,
    ports::MachineRandom,
    process,
    wiring::{self, Wired},
    zones::ZoneKeeper,
};

/// Connections at the address of metrics: some that watch, and a person.
const METRICS_CONNECTIONS: usize = 16;
/// Sent when a file would grow beyond the process's limit (25 on Linux, macOS and the BSDs).
const SIGXFSZ: i32 = 25;
/// How long requests, calls and jobs may take to end when the server stops.
const DRAIN: Duration = Duration::from_secs(30);

pub(super) async fn serve(config: Config, zones: ZoneKeeper) -> Result<(), CliError> {
    let wired = wiring::wire(&config).await?;
    if let Some(room) = super::doctor::low_disk(&config) {
        tracing::warn!(room, "there is little room on the disk; a full one refuses every booking");
    }
    // What is wrong is logged by the store, and said by /readyz: what is there can be read all the same.
    let _ = wired.engine.store().try_write().await;
    let listener = listen(&config).await?;
    run(config, wired, zones, listener).await
}

pub(super) async fn listen(config: &Config) -> Result<TcpListener, CliError> {
    TcpListener::bind(config.listen).await.map_err(|error| {
        CliError::Other(format!(
            "listen {}: {error}. Choose another with BERTH_LISTEN=127.0.0.1:8081",
            config.listen
        ))
    })
}

/// What stands between the machine and the requests.
struct Front {
    tls: Option<Arc<Tls>>,
    limits: ConnectionLimits,
    metrics: Option<TcpListener>,
}

async fn front(config: &Config) -> Result<Front, CliError> {
    let files = process::take_files();
    if !config.core_dumps {
        process::no_core_dumps();
    }
    let connections = process::connections(config.connections_max, files);
    let metrics = match config.metrics_address()? {
        None => None,
        Some(address) => Some(
            TcpListener::bind(address)
                .await
                .map_err(|error| CliError::Other(format!("metrics-listen {address}: {error}")))?,
        ),
    };
    Ok(Front { tls: config.tls()?, limits: ConnectionLimits::new(connections), metrics })
}

/// Serve until a signal; then drain. A second signal ends at once.
pub(super) async fn run(
    config: Config,
    wired: Wired,
    zones: ZoneKeeper,
    listener: TcpListener,
) -> Result<(), CliError> {
    // Listened to so that a limit on the size of files is an error to be told, and does not end the process.
    let _file_too_large =
        signal(SignalKind::from_raw(SIGXFSZ)).map_err(|e| CliError::Other(e.to_string()))?;
    let address = listener.local_addr().map_err(|e| CliError::Other(e.to_string()))?;
    let supervisor = wired.supervisor.clone();
    let plugin_dir = (!config.plugin_dir.is_empty()).then(|| config.plugin_dir.clone().into());
    let Front { tls, limits, metrics } = front(&config).await?;
    let proxies: Vec<_> = config.trusted_proxies.iter().copied().collect();
    let app = App::with(
        wired.engine.clone(),
        Arc::new(MachineRandom::new()),
        AppConfig {
            requests_per_minute: config.requests_per_minute,
            trusted_proxies: proxies.clone(),
            https_only: config.is_https(),
        },
    )
    .with_readiness(wired.readiness.clone());
    // What was found at the start is said now that it can be asked for.
    zones.keep(true, &wired.readiness);
    let work = tokio::spawn(background::run(wired.clone(), app.clone(), zones, plugin_dir));
    let scheme = if tls.is_some() { "https" } else { "http" };
    tracing::info!(url = %format!("{scheme}://{address}"), connections = limits.connections, "berth serves");
    if config.is_https() && tls.is_none() && proxies.is_empty() {
        tracing::warn!(
            "public-url is https, but TLS ends neither here (tls-certificate) nor at a proxy of ours (trusted-proxies): every API key is refused"
        );
    }
    let mut servers = JoinSet::new();
    if let Some(tls) = tls.clone() {
        let (every, stop) = (Duration::from_millis(model_limits::TLS_RELOAD_MS), supervisor.stopping());
        servers.spawn(
            supervisor.clone().keep("certificate", move || Arc::clone(&tls).keep(every, stop.clone())),
        );
    }
    if let Some(listener) = metrics {
        let limits = ConnectionLimits::new(METRICS_CONNECTIONS);
        let router = metrics_router(app.clone());
        let server = HttpServer { router, limits, tls: None, trusted_proxies: [].into() };
        servers.spawn(keep_open("metrics", &supervisor, listener, server));
    }
    let server = HttpServer { router: crate::router(app), limits, tls, trusted_proxies: proxies.into() };
    servers.spawn(keep_open("connections", &supervisor, listener, server));

    a_signal().await?;
    tracing::info!("stopping; calls and jobs under way are finished");
    supervisor.stop();
    let drained = async {
        while servers.join_next().await.is_some() {}
        let _ = work.await;
        wired.engine.store().close().await;
    };
    tokio::select! {
        done = tokio::time::timeout(DRAIN, drained) => {
            if done.is_err() {
                tracing::warn!("not everything ended in time; it goes on after the next start");
            }
        }
        second = a_signal() => second?,
    }
    Ok(())
}

/// Connections of a server, whatever becomes of those who accept them.
fn keep_open(
    name: &'static str,
    supervisor: &Supervisor,
    listener: TcpListener,
    server: HttpServer,
) -> impl Future<Output = ()> + Send + use<> {
    let (listener, stop) = (Arc::new(Mutex::new(Some(listener))), supervisor.stopping());
    supervisor.clone().keep(name, move || {
        let (listener, server, stop) = (Arc::clone(&listener), server.clone(), stop.clone());
        async move { accept(&listener, server, stop).await }
    })
}

async fn a_signal() -> Result<(), CliError> {
    let failed = |error: std::io::Error| CliError::Other(format!("signals: {error}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

pub(super) async fn migrate(context: &Context) -> Result<(), CliError> {
    let store = wiring::open_store(&context.config).await?;
    let applied = store.migrate().await.map_err(|e| CliError::Other(format!("migrations: {e}")))?;
    let rows: Vec<_> = applied.iter().map(|name| vec![("applied", name.as_str().into())]).collect();
    super::output::rows(context.json, &rows);
    Ok(())
}
