//! Limits of jobs.

/// Tries of a job before it is a dead letter, which waits for a person.
pub const JOB_ATTEMPTS_MAX: u32 = 20;
/// First wait between tries of a job, in milliseconds; doubles each time, with jitter.
pub const JOB_BACKOFF_MS_MIN: u64 = 1_000;
/// Longest wait between tries of a job, in milliseconds.
pub const JOB_BACKOFF_MS_MAX: u64 = 15 * 60 * 1_000;
/// Longest that a provider may put off the next try of a job, in milliseconds: a day. A provider that names more is wrong.
pub const JOB_RETRY_AFTER_MS_MAX: u64 = 24 * 3_600 * 1_000;
/// Jobs that are woken for each second when what stopped them recovers: more than a process works off, few enough that thousands do not come
/// at once.
pub const JOBS_WOKEN_PER_SECOND: u32 = 50;
/// Seconds over which they are spread at most: after the longest backoff (`JOB_BACKOFF_MS_MAX`) the others are due by themselves.
pub const JOBS_WOKEN_SECONDS_MAX: i64 = 15 * 60;
/// How long a worker holds a job, in milliseconds; longer than the longest call, so that no job runs twice at once.
pub const JOB_LEASE_MS: u64 = 60_000;
/// Times in a row that a process may die during a job before the job is a dead letter: a fourth would not end otherwise.
pub const JOB_CRASHES_MAX: i64 = 3;
/// Longest text of an error that is kept with a job, in characters.
pub const JOB_ERROR_CHARS_MAX: usize = 500;
/// Jobs of the queue `bookings` that one process works on at the same time, in jobs: what people wait for is mostly done in their own
/// request, and this is what is left of it.
pub const JOB_BOOKINGS_WORKERS: usize = 8;
/// Those of the queue `outbound`, in jobs: they wait for other parties and need little else. More of them than bookings have, so that some
/// endpoints that hang leave workers to the rest.
pub const JOB_OUTBOUND_WORKERS: usize = 32;
/// Those of the queue `upkeep`, in jobs: they keep the database busy.
pub const JOB_UPKEEP_WORKERS: usize = 4;
/// Shares that the workers of a queue are cut into, in shares: a tenant has one of them at most, and no less than one worker.
pub const JOB_QUEUE_SHARES: usize = 4;
/// A claim that passes over jobs of tenants that have their share is followed by a rest from such claims, so many times as long as it took: a
/// tenth of the time goes into them at most, however many jobs are passed over.
pub const JOB_PASSING_OVER_RESTS: u32 = 9;
/// First wait before a background task that ended is started again, in milliseconds; doubles with each time in a row.
pub const TASK_BACKOFF_MS_MIN: u64 = 1_000;
/// Longest such wait, in milliseconds: what is mended from outside is begun again within a minute.
pub const TASK_BACKOFF_MS_MAX: u64 = 60_000;
/// How long a task has to run to count as well again, in milliseconds: longer than it would wait before the next try.
pub const TASK_WELL_MS: u64 = 120_000;
/// Failures in a row after which a process is not ready: once is an accident, three times is not.
pub const TASK_FAILURES_MAX: u32 = 3;
