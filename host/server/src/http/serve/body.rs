//! The bodies of one connection: how fast they must come, and when the connection waits.

use std::{
    error::Error,
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Sleep, sleep};

use super::register::{Ticket, Waits};

/// Why a body did not come whole.
#[derive(Debug)]
pub(crate) enum Broken {
    /// Less than must come in a step.
    TooSlow,
    /// The connection was closed for another.
    Closed,
    /// It is not what HTTP says, or the connection ended.
    Malformed(hyper::Error),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooSlow => f.write_str("it came too slowly"),
            Self::Closed => f.write_str("the connection was closed"),
            Self::Malformed(error) => error.fmt(f),
        }
    }
}

impl Error for Broken {}

/// How fast a body must come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    pub(super) step: Duration,
    pub(super) bytes: u64,
}

/// A request's body.
pub(super) struct Received {
    body: Incoming,
    ticket: Arc<Ticket>,
    pace: Pace,
    /// The end of the step, and what came in it; none before the first wait.
    step: Option<Pin<Box<Sleep>>>,
    came: u64,
}

impl Received {
    pub(super) fn new(body: Incoming, ticket: Arc<Ticket>, pace: Pace) -> Self {
        Self { body, ticket, pace, step: None, came: 0 }
    }
}

impl HttpBody for Received {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let this = &mut *self;
        let frame = match Pin::new(&mut this.body).poll_frame(context) {
            Poll::Ready(frame) => frame.transpose().map_err(Broken::Malformed)?,
            Poll::Pending => {
                let step = this.step.get_or_insert_with(|| Box::pin(sleep(this.pace.step)));
                return match step.as_mut().poll(context) {
                    Poll::Ready(()) => Poll::Ready(Some(Err(Broken::TooSlow))),
                    Poll::Pending => Poll::Pending,
                };
            }
        };
        let bytes = frame.as_ref().and_then(Frame::data_ref).map_or(0, Bytes::len);
        this.came = this.came.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        let is_whole = frame.is_none() || this.body.is_end_stream();
        if is_whole || this.came >= this.pace.bytes {
            (this.step, this.came) = (None, 0);
            if !this.ticket.now((!is_whole).then_some(Waits::Receiving)) {
                return Poll::Ready(Some(Err(Broken::Closed)));
            }
        }
        Poll::Ready(frame.map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// An answer's body; when it is gone, the connection waits for another request.
pub(super) struct Sent {
    body: Body,
    ticket: Arc<Ticket>,
}

impl Sent {
    pub(super) fn new(body: Body, ticket: Arc<Ticket>) -> Self {
        Self { body, ticket }
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        self.ticket.now(Some(Waits::Idle));
    }
}

impl HttpBody for Sent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
