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

use crate::{contract::bindings::berth::provider::log::Level, logbook::LogBook};

/// Longest line that is waited for, in bytes; a longer one is broken.
const STDIO_LINE_BYTES_MAX: usize = 4 * 1024;
/// Bytes that a guest is told it may write at once.
const STDIO_WRITE_BYTES: usize = 64 * 1024;

/// What a call says, shared by its streams and by whoever reads the tail afterwards.
#[derive(Debug, Default)]
pub(crate) struct Said {
    book: Mutex<LogBook>,
    /// Begun lines of the two streams.
    begun: [Mutex<Vec<u8>>; 2],
}

impl Said {
    /// What a component says that is tried out, if it is.
    pub(crate) fn new(is_trial: bool) -> Self {
        let book = if is_trial { LogBook::of_trial() } else { LogBook::default() };
        Self { book: Mutex::new(book), ..Self::default() }
    }

    /// The log of the call.
    pub(crate) fn book(&self) -> MutexGuard<'_, LogBook> {
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
pub(crate) struct GuestOutput {
    said: Arc<Said>,
    which: Which,
}

#[derive(Clone, Copy)]
enum Which {
    Out,
    Err,
}

impl GuestOutput {
    /// Standard output and standard error of a call.
    pub(crate) fn both(said: &Arc<Said>) -> (Self, Self) {
        let stream = |which| Self { said: Arc::clone(said), which };
        (stream(Which::Out), stream(Which::Err))
    }

    fn accept(&self, bytes: &[u8]) {
        let [out, err] = &self.said.begun;
        let begun = match self.which {
            Which::Out => out,
            Which::Err => err,
        };
        self.said.take(begun, bytes);
    }
}

impl IsTerminal for GuestOutput {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for GuestOutput {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }

    /// Only WASI 0.3 asks for this form, and that is not linked; so it leads nowhere.
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink())
    }
}

impl OutputStream for GuestOutput {
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
impl Pollable for GuestOutput {
    async fn ready(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_put_together_and_streams_kept_apart() {
        let said = Arc::new(Said::default());
        let (mut out, mut err) = GuestOutput::both(&said);
        out.write(Bytes::from_static(b"one ")).expect("written");
        err.write(Bytes::from_static(b"panicked\nat ")).expect("written");
        out.write(Bytes::from_static(b"line\ntwo")).expect("written");
        assert_eq!(said.tail(), "panicked\none line\ntwo\nat");
    }

    #[test]
    fn an_endless_line_is_cut() {
        let said = Arc::new(Said::default());
        let (mut out, _) = GuestOutput::both(&said);
        for _ in 0..10 {
            out.write(Bytes::from(vec![b'x'; STDIO_LINE_BYTES_MAX])).expect("written");
        }
        assert!(said.tail().len() <= STDIO_LINE_BYTES_MAX);
    }
}
