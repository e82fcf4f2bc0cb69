//! Log lines and metrics.

use std::io::{self, IsTerminal};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
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
    let recorder = with_buckets(PrometheusBuilder::new()).build_recorder();
    let handle = recorder.handle();
    // Tests start several servers in one process; the first one's recorder stays.
    let _ = metrics::set_global_recorder(recorder);
    describe();
    handle
}

/// Upper bounds of the buckets of what is measured in seconds: from an answer out of memory to the longest request.
const SECONDS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
/// In microseconds: a call that asks nobody takes some hundred, the longest 20 s.
const MICROSECONDS: &[f64] = &[
    50.0, 100.0, 250.0, 500.0, 1e3, 2.5e3, 5e3, 1e4, 2.5e4, 5e4, 1e5, 2.5e5, 5e5, 1e6, 2.5e6, 5e6, 1e7, 2e7,
];
/// Of processor time, in ticks of 10 ms: at most twenty.
const TICKS: &[f64] = &[0.0, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 16.0, 20.0];
/// In bytes: from a small component's memory to the most that a call may have.
const BYTES: &[f64] = &[
    65_536.0,
    262_144.0,
    1_048_576.0,
    2_097_152.0,
    4_194_304.0,
    8_388_608.0,
    16_777_216.0,
    33_554_432.0,
    67_108_864.0,
];
/// Of what is counted within one call.
const COUNTS: &[f64] = &[0.0, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0];
/// Which metric has which; others have [`SECONDS`]. Buckets of replicas can be added up, quantiles cannot.
const BUCKETS: &[(&str, &[f64])] = &[
    ("berth_call_us", MICROSECONDS),
    ("berth_call_inst_us", MICROSECONDS),
    ("berth_call_cpu_ticks", TICKS),
    ("berth_call_mem_peak_bytes", BYTES),
    ("berth_call_egress_count", COUNTS),
];

fn with_buckets(builder: PrometheusBuilder) -> PrometheusBuilder {
    let set = |builder: PrometheusBuilder| {
        BUCKETS.iter().try_fold(builder.set_buckets(SECONDS)?, |builder, (name, buckets)| {
            builder.set_buckets_for_metric(Matcher::Full((*name).to_owned()), buckets)
        })
    };
    // It fails only for a metric without buckets, and none is; a test renders them.
    set(builder).unwrap_or_default()
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
        "Jobs that became dead letters because the process died during them"
    );
    describe_counter!(
        "berth_sync_conflicts_left_total",
        "Conflicts that came back again and again, left to a person"
    );
    describe_counter!("berth_log_lines_lost_total", "Lines of the log that could not be written");
    describe_gauge!("berth_jobs_open", "Jobs that wait or are held, by queue");
    describe_gauge!("berth_tzdata_info", "Release and source of the time-zone data; 1 for what is in use");
    describe_gauge!(
        "berth_bookings_clock_changed",
        "Bookings to come whose clocks showed another time than was told when they were last looked through"
    );
    describe_gauge!("berth_connections_open", "Connections to this server");
    describe_counter!("berth_connections_closed_total", "Connections that were closed by us, and why");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_measured_has_buckets_that_can_be_added_up() {
        let recorder = with_buckets(PrometheusBuilder::new()).build_recorder();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            for (name, _) in BUCKETS {
                metrics::histogram!(*name).record(7.0);
            }
            metrics::histogram!("berth_request_seconds").record(0.003);
            metrics::histogram!("berth_of_tomorrow").record(0.003);
        });
        let text = handle.render();
        assert!(!text.contains("quantile") && !text.contains("summary"), "{text}");
        for name in
            BUCKETS.iter().map(|(name, _)| *name).chain(["berth_request_seconds", "berth_of_tomorrow"])
        {
            assert!(text.contains(&format!("{name}_bucket{{le=\"+Inf\"}} 1")), "{name}: {text}");
        }
        assert!(text.contains("berth_request_seconds_bucket{le=\"0.005\"} 1"), "{text}");
        assert!(text.contains("berth_request_seconds_bucket{le=\"0.0025\"} 0"), "{text}");
    }
}
