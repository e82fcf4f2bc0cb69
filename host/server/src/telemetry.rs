//! Log lines and metrics.

use std::io::{self, IsTerminal};

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::{EnvFilter, fmt};

use crate::config::{Config, ConfigError, LogFormat};

/// Send log lines to standard error, in colour on a terminal.
pub(crate) fn start_logging(config: &Config) -> Result<(), ConfigError> {
    let filter = EnvFilter::try_new(&config.log_filter)
        .map_err(|error| ConfigError(format!("log-filter: {error}")))?;
    let builder = fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(io::stderr().is_terminal());
    let done = match config.log_format {
        LogFormat::Pretty => builder.compact().try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    done.map_err(|error| ConfigError(format!("logging did not start: {error}")))
}

/// Collect metrics; the handle renders them. A second call in one process has a collection of its own that nothing writes to.
pub(crate) fn start_metrics() -> PrometheusHandle {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    // Tests start several servers in one process; the first one's recorder stays.
    let _ = metrics::set_global_recorder(recorder);
    handle
}
