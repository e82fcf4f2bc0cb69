//! `berth serve` and `berth migrate`.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

use super::{CliError, Context};
use crate::{
    App, background,
    config::Config,
    ports::MachineRandom,
    wiring::{self, Wired},
};

/// How long requests, calls and jobs may take to end when the server stops.
const DRAIN: Duration = Duration::from_secs(30);

pub(super) async fn serve(config: Config) -> Result<(), CliError> {
    let wired = wiring::wire(&config).await?;
    let listener = listen(&config).await?;
    run(config, wired, listener).await
}

pub(super) async fn listen(config: &Config) -> Result<TcpListener, CliError> {
    TcpListener::bind(config.listen).await.map_err(|error| {
        CliError::Other(format!(
            "listen {}: {error}. Choose another with BERTH_LISTEN=127.0.0.1:8081",
            config.listen
        ))
    })
}

/// Serve until a signal; then drain. A second signal ends at once.
pub(super) async fn run(config: Config, wired: Wired, listener: TcpListener) -> Result<(), CliError> {
    let address = listener.local_addr().map_err(|e| CliError::Other(e.to_string()))?;
    let supervisor = wired.supervisor.clone();
    let plugin_dir = (!config.plugin_dir.is_empty()).then(|| config.plugin_dir.clone().into());
    let proxies = config.trusted_proxies.iter().copied().collect();
    let app =
        App::new(wired.engine.clone(), Arc::new(MachineRandom::new()), config.requests_per_minute, proxies)
            .with_readiness(wired.readiness.clone());
    let work = tokio::spawn(background::run(wired.clone(), app.clone(), plugin_dir));
    tracing::info!(url = %format!("http://{address}"), "berth serves");

    let mut ending = supervisor.stopping();
    let service = crate::router(app).into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, service).with_graceful_shutdown(async move {
        let _ = ending.wait_for(|stop| *stop).await;
    });
    let server = tokio::spawn(async move { server.await });

    a_signal().await?;
    tracing::info!("stopping; calls and jobs under way are finished");
    supervisor.stop();
    let drained = async {
        let _ = server.await;
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
