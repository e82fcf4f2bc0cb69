//! `berth compute`: availability as a pure function. No server, no database, no configuration but
//! for time-zone data.

use std::{
    io::{BufRead, BufReader, Read, Write},
    sync::Arc,
};

use berth_model::{
    budget::Budget,
    limits,
    problem::{Code, Problem},
    scheduling::compute::compute,
};
use clap::Args;
use serde_json::{Value, json};

use super::CliError;

/// Options of `berth compute`.
#[derive(Debug, Args)]
pub(super) struct Compute {
    /// Read one request and write one answer per line. A line that is refused is answered with its problem.
    #[arg(long)]
    lines: bool,
}

fn answer(text: &[u8]) -> Result<Value, Problem> {
    let request = serde_json::from_slice(text)
        .map_err(|error| Problem::new(Code::MalformedBody, format!("not JSON: {error}")))?;
    compute(request, &Budget::of_answer(Arc::default()))
}

/// The problem as HTTP would send it.
fn document(problem: &Problem) -> Value {
    json!({
        "error": {
            "code": problem.code.as_str(), "title": problem.code.title(), "detail": problem.detail,
            "hint": problem.hint.as_deref().unwrap_or_else(|| problem.code.hint()), "errors": problem.errors,
        }
    })
}

/// Read requests from `input`, write answers to `output`. True if none was refused.
fn run(compute: &Compute, input: impl Read, mut output: impl Write) -> std::io::Result<bool> {
    let most = u64::try_from(limits::COMPUTE_BODY_BYTES_MAX).unwrap_or(u64::MAX);
    let mut input = BufReader::new(input);
    let mut fine = true;
    loop {
        let mut text = Vec::new();
        // One byte more than is allowed shows that there is more.
        let mut limited = input.by_ref().take(most.saturating_add(1));
        let read = if compute.lines {
            limited.read_until(b'\n', &mut text)?
        } else {
            limited.read_to_end(&mut text)?
        };
        if compute.lines && read == 0 {
            return Ok(fine);
        }
        let too_large = u64::try_from(read).unwrap_or(u64::MAX) > most;
        let answered = if too_large {
            Err(Problem::new(Code::TooLarge, format!("A request may be at most {most} bytes.")))
        } else if compute.lines && text.trim_ascii().is_empty() {
            continue;
        } else {
            answer(&text)
        };
        fine &= answered.is_ok();
        let answer = answered.unwrap_or_else(|problem| document(&problem));
        writeln!(output, "{answer}")?;
        output.flush()?;
        if !compute.lines || too_large {
            return Ok(fine);
        }
    }
}

/// Answer what comes on standard input. False if a request was refused.
pub(super) fn compute_stdin(compute: &Compute) -> Result<bool, CliError> {
    run(compute, std::io::stdin().lock(), std::io::stdout().lock())
        .map_err(|error| CliError::Other(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(lines: bool, input: &str) -> (bool, String) {
        let mut output = Vec::new();
        let fine = run(&Compute { lines }, input.as_bytes(), &mut output).unwrap();
        (fine, String::from_utf8(output).unwrap())
    }

    #[test]
    fn one_request_has_one_answer() {
        let (fine, output) = ask(false, "{\"kind\": \"limits_config\",\n \"max_bookings\": {\"day\": 1}}");
        assert!(fine);
        assert_eq!(output, "{\"valid\":true}\n");
    }

    #[test]
    fn each_line_has_its_answer_and_a_refusal_stops_nothing() {
        let (fine, output) =
            ask(true, "{\"kind\":\"dance\"}\n\n{\"kind\":\"limits_config\",\"max_bookings\":{}}\nnot json\n");
        assert!(!fine);
        let lines: Vec<Value> = output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[0]["error"]["errors"][0]["field"], "/kind");
        assert_eq!(lines[1], json!({ "valid": true }));
        assert_eq!(lines[2]["error"]["code"], "BERTH-E0400");
    }
}
