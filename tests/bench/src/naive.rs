//! The baseline of the scheduling benchmarks: a straightforward scan that looks at every busy time for every slot.

use berth_model::{
    scheduling::question::{Host, Question},
    time::Instant,
};

fn free(question: &Question, host: &Host, start: Instant) -> bool {
    let when = question.meeting.at(start);
    let ours = when.widened(question.meeting.buffer_before_minutes, question.meeting.buffer_after_minutes);
    host.windows.iter().any(|w| w.contains(when))
        && host
            .taken
            .iter()
            .all(|t| !t.when.widened(t.buffer_before_minutes, t.buffer_after_minutes).overlaps(ours))
}

/// Starts that somebody (or everybody) can take.
pub fn starts(question: &Question, everybody: bool) -> Vec<Instant> {
    let mut found = Vec::new();
    for host in question.hosts.iter().take(if everybody { 1 } else { question.hosts.len() }) {
        for window in &host.windows {
            let mut start = window.start();
            while question.meeting.at(start).end() <= window.end() {
                let taken = if everybody {
                    question.hosts.iter().all(|h| free(question, h, start))
                } else {
                    free(question, host, start)
                };
                if taken && question.range.contains(question.meeting.at(start)) {
                    found.push(start);
                }
                start = start.plus_minutes(i64::from(question.step_minutes));
            }
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}
