//! Log lines and metrics.

use std::io::{self, IsTerminal};

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::{EnvFilter, fmt};

use crate::{
    config::{Config, ConfigError, LogFormat},
    log_lines::Lines,
};

/// Send log lines to standard error, in colour on a terminal.
pub(crate) fn start_logging(config: &Config) -> Result<(), ConfigError> {
    let filter = EnvFilter::try_new(&config.log_filter)
        .map_err(|error| ConfigError(format!("log-filter: {error}")))?;
    let json = matches!(config.log_format, LogFormat::Json);
    let writer = move || Lines { to: io::stderr(), json };
    let builder = fmt().with_env_filter(filter).with_writer(writer).with_ansi(io::stderr().is_terminal());
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
    describe();
    handle
}

/// What each metric is, for `# HELP`. Labels never hold a tenant.
fn describe() {
    use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
    describe_histogram!("berth_request_seconds", Unit::Seconds, "Time to answer a request, by route");
    describe_counter!("berth_calls_total", "Calls into components, by outcome");
    describe_histogram!(
        "berth_call_us",
        Unit::Microseconds,
        "Time of a call into a component, its requests included"
    );
    describe_histogram!("berth_call_inst_us", Unit::Microseconds, "Time to make the sandbox of a call");
    describe_histogram!("berth_call_cpu_ticks", "Processor time of a call, in ticks of 10 ms");
    describe_histogram!("berth_call_mem_peak_bytes", Unit::Bytes, "Most memory of a call");
    describe_histogram!("berth_call_egress_count", "Requests that a call made");
    describe_counter!(
        "berth_calls_not_recorded_total",
        "Calls that are missing in a connection's list of calls"
    );
    describe_gauge!("berth_calls_in_flight", "Calls under way, by version");
    describe_gauge!("berth_pool_in_use", "Places of the instance pool that are taken");
    describe_counter!("berth_task_restarts_total", "Times that a background task was started again");
    describe_counter!("berth_duty_failures_total", "Times that a duty in the background was not done");
    describe_gauge!(
        "berth_duty_last_success_seconds",
        Unit::Seconds,
        "When a duty was done last, since 1970"
    );
    describe_counter!("berth_job_panics_total", "Jobs that panicked, by kind");
    describe_counter!(
        "berth_jobs_crashed_total",
        "Jobs that were put aside because the process died during them"
    );
    describe_counter!(
        "berth_sync_conflicts_left_total",
        "Conflicts that came back again and again, left to a person"
    );
    describe_gauge!("berth_jobs_open", "Jobs that wait or are held");
}
