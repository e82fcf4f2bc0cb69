//! Standard output and standard error of a guest: log lines at level debug. A guest's panic message comes this way.

use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use wasmtime_wasi::{
    cli::{IsTerminal, StdoutStream},
    p2::{OutputStream, Pollable, StreamResult},
};

use crate::{contract::bindings::berth::provider::log::Level, guest_log::GuestLog};

/// Longest line that is waited for, in bytes; a longer one is broken.
const STDIO_LINE_BYTES_MAX: usize = 4 * 1024;
/// Bytes that a guest is told it may write at once.
const STDIO_WRITE_BYTES: usize = 64 * 1024;

/// What a call says, shared by its streams and by whoever reads the tail afterwards.
#[derive(Debug, Default)]
pub(crate) struct GuestOutput {
    book: Mutex<GuestLog>,
    /// Begun lines of the two streams.
    begun: [Mutex<Vec<u8>>; 2],
}

impl GuestOutput {
    /// What a component says that is tried out, if it is.
    pub(crate) fn new(is_trial: bool) -> Self {
        let book = if is_trial { GuestLog::of_trial() } else { GuestLog::default() };
        Self { book: Mutex::new(book), ..Self::default() }
    }

    /// The log of the call.
    pub(crate) fn book(&self) -> MutexGuard<'_, GuestLog> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last lines, begun ones included.
    pub(crate) fn tail(&self) -> String {
        for begun in &self.begun {
            let rest = mem::take(&mut *begun.lock().unwrap_or_else(PoisonError::into_inner));
            if !rest.is_empty() {
                self.book().line(Level::Debug, &String::from_utf8_lossy(&rest));
            }
        }
        self.book().tail()
    }

    /// Take bytes of a stream: whole lines go to the log, the rest waits. One pass over the bytes.
    fn take(&self, begun: &Mutex<Vec<u8>>, bytes: &[u8]) {
        let mut begun = begun.lock().unwrap_or_else(PoisonError::into_inner);
        for piece in bytes.split_inclusive(|b| *b == b'\n') {
            let (line, ended) = piece.strip_suffix(b"\n").map_or((piece, false), |line| (line, true));
            let room = STDIO_LINE_BYTES_MAX.saturating_sub(begun.len());
            // What does not fit is not kept: the log cuts lines of this length anyway.
            begun.extend(line.iter().take(room));
            if ended {
                self.book().line(Level::Debug, &String::from_utf8_lossy(&begun));
                begun.clear();
            }
        }
    }
}

/// One of the two streams.
#[derive(Clone)]
pub(crate) struct GuestStream {
    output: Arc<GuestOutput>,
    which: Which,
}

#[derive(Clone, Copy)]
enum Which {
    Out,
    Err,
}

impl GuestStream {
    /// Standard output and standard error of a call.
    pub(crate) fn both(output: &Arc<GuestOutput>) -> (Self, Self) {
        let stream = |which| Self { output: Arc::clone(output), which };
        (stream(Which::Out), stream(Which::Err))
    }

    fn accept(&self, bytes: &[u8]) {
        let [out, err] = &self.output.begun;
        let begun = match self.which {
            Which::Out => out,
            Which::Err => err,
        };
        self.output.take(begun, bytes);
    }
}

impl IsTerminal for GuestStream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for GuestStream {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }

    /// Only WASI 0.3 asks for this form, and that is not linked; so it leads nowhere.
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink())
    }
}

impl OutputStream for GuestStream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.accept(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(STDIO_WRITE_BYTES)
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for GuestStream {
    async fn ready(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_put_together_and_streams_kept_apart() {
        let output = Arc::new(GuestOutput::default());
        let (mut out, mut err) = GuestStream::both(&output);
        out.write(Bytes::from_static(b"one ")).expect("written");
        err.write(Bytes::from_static(b"panicked\nat ")).expect("written");
        out.write(Bytes::from_static(b"line\ntwo")).expect("written");
        assert_eq!(output.tail(), "panicked\none line\ntwo\nat");
    }

    #[test]
    fn an_endless_line_is_cut() {
        let output = Arc::new(GuestOutput::default());
        let (mut out, _) = GuestStream::both(&output);
        for _ in 0..10 {
            out.write(Bytes::from(vec![b'x'; STDIO_LINE_BYTES_MAX])).expect("written");
        }
        assert!(output.tail().len() <= STDIO_LINE_BYTES_MAX);
    }
}
