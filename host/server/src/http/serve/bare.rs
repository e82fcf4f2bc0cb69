//! What hyper answers by itself, to a request that it cannot read: a status and nothing else. Here it becomes a problem document.
//!
//! A connection that is closed while something still comes in is reset, and the answer with it. So what still comes after the last answer
//! is taken in for a moment, and thrown away.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::http::StatusCode;
use berth_model::{
    limits,
    problem::{Code, Problem},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

use crate::http::problem::document;

/// A stream on which bare refusals leave as problem documents.
pub(super) struct Documented<S> {
    stream: S,
    /// What is sent in place of a bare refusal, and how much of it is.
    instead: Vec<u8>,
    sent: usize,
    /// Until when what still comes is taken in; none before the last answer is out.
    lingers: Option<Pin<Box<Sleep>>>,
}

impl<S> Documented<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, instead: Vec::new(), sent: 0, lingers: None }
    }
}

/// The problem that this is the bare refusal of: the whole of it, with no header field of ours. All our own answers have one.
fn bare(message: &[u8]) -> Option<Problem> {
    let text = std::str::from_utf8(message).ok()?;
    let (head, rest) = text.split_once("\r\n\r\n")?;
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.strip_prefix("HTTP/1.1 ")?.split(' ');
    let status: u16 = first.next()?.parse().ok()?;
    let mut hypers =
        lines.map(|line| line.split_once(": ").map(|(name, value)| (name.to_ascii_lowercase(), value)));
    let are_hypers = hypers.all(|field| match field {
        Some((name, value)) => match name.as_str() {
            "content-length" => value == "0",
            name => ["connection", "date"].contains(&name),
        },
        None => false,
    });
    if !are_hypers || !rest.is_empty() {
        return None;
    }
    match status {
        400 => {
            Some(Problem::new(Code::MalformedRequest, "The first line, or a header field, cannot be read."))
        }
        414 | 431 => Some(Problem::new(
            Code::HeadersTooLarge,
            format!(
                "The first line and the header fields may be {} bytes together, and there may be 100 of them.",
                limits::REQUEST_HEADER_BYTES_MAX
            ),
        )),
        _ => None,
    }
}

/// A problem as a whole answer, after which the connection ends.
pub(super) fn answer(problem: Problem) -> Vec<u8> {
    let status = StatusCode::from_u16(problem.code.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let wait = problem.retry_after_seconds.map(|s| format!("retry-after: {s}\r\n")).unwrap_or_default();
    let body = serde_json::to_vec(&document(problem)).unwrap_or_default();
    let mut answer = format!(
        "HTTP/1.1 {} {}\r\ncontent-type: application/problem+json\r\n{wait}connection: close\r\ncontent-length: {}\r\n\r\n",
        status.as_u16(),
        status.canonical_reason().unwrap_or_default(),
        body.len()
    )
    .into_bytes();
    answer.extend(body);
    answer
}

impl<S: AsyncWrite + Unpin> Documented<S> {
    fn poll_instead(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(left) = self.instead.get(self.sent..).filter(|left| !left.is_empty()) {
            match ready!(Pin::new(&mut self.stream).poll_write(context, left))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                more => self.sent = self.sent.saturating_add(more),
            }
        }
        (self.instead, self.sent) = (Vec::new(), 0);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Documented<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Documented<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        message: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_instead(context))?;
        let Some(problem) = bare(message) else {
            return Pin::new(&mut self.stream).poll_write(context, message);
        };
        self.instead = answer(problem);
        // What cannot be written now is written when hyper flushes.
        if let Poll::Ready(Err(error)) = self.poll_instead(context) {
            return Poll::Ready(Err(error));
        }
        Poll::Ready(Ok(message.len()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        messages: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let [message] = messages {
            return self.poll_write(context, message);
        }
        ready!(self.poll_instead(context))?;
        Pin::new(&mut self.stream).poll_write_vectored(context, messages)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_instead(context))?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_instead(context))?;
        let this = &mut *self;
        if this.lingers.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(context))?;
        }
        let lingers =
            this.lingers.get_or_insert_with(|| Box::pin(sleep(Duration::from_millis(limits::LINGER_MS_MAX))));
        let mut thrown_away = [0; 4_096];
        loop {
            if lingers.as_mut().poll(context).is_ready() {
                return Poll::Ready(Ok(()));
            }
            let mut buffer = ReadBuf::new(&mut thrown_away);
            match ready!(Pin::new(&mut this.stream).poll_read(context, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {}
                // The other side has ended, one way or the other.
                _ => return Poll::Ready(Ok(())),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_hyper_says_by_itself_is_replaced() {
        let own = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\ndate: Mon, 23 Nov 2026 07:00:00 GMT\r\n\r\n";
        assert_eq!(bare(own.as_bytes()).unwrap().code, Code::MalformedRequest);
        assert_eq!(bare(own.replace("400", "431").as_bytes()).unwrap().code, Code::HeadersTooLarge);
        for ours in [
            own.replace("400", "200"),
            own.replace("date", "x-request-id"),
            own.replace("length: 0", "length: 2"),
            format!("{own}HTTP/1.1 200 OK\r\n\r\n"),
            format!("{{}}{own}"),
            own.trim_end().to_owned(),
        ] {
            assert!(bare(ours.as_bytes()).is_none(), "{ours}");
        }
    }
}
