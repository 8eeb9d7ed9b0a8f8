//! What hyper reads from, writes to, and tells the time by.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use async_io::Async;
use hyper::rt::{Read, ReadBufCursor, Sleep, Timer, Write};
#[cfg(feature = "tokio")]
use hyper_util::rt::TokioIo;
use smol_hyper::rt::FuturesIo;

use crate::runtime::tcp::TcpStream;
use crate::runtime::time;

/// A connection on which a write that gets nowhere ends in an error.
pub(super) struct Io {
    stream: Stream,
    write_timeout: Duration,
    /// Set while a write gets nowhere.
    stalled: Option<time::Sleep>,
}

enum Stream {
    AsyncIo(FuturesIo<Async<std::net::TcpStream>>),
    #[cfg(feature = "tokio")]
    Tokio(TokioIo<tokio::net::TcpStream>),
}

impl Io {
    pub(super) fn new(stream: TcpStream, write_timeout: Duration) -> Self {
        let stream = match stream {
            TcpStream::AsyncIo(stream) => Stream::AsyncIo(FuturesIo::new(stream)),
            #[cfg(feature = "tokio")]
            TcpStream::Tokio(stream) => Stream::Tokio(TokioIo::new(stream)),
        };
        Self { stream, write_timeout, stalled: None }
    }

    /// Has a write that is pending end in time.
    fn bounded<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let limit = self.write_timeout;
        let stalled = self.stalled.get_or_insert_with(|| time::sleep(limit));
        Pin::new(stalled).poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

macro_rules! on_stream {
    ($self:ident, $stream:ident => $call:expr) => {
        match &mut $self.stream {
            Stream::AsyncIo(stream) => {
                let $stream = Pin::new(stream);
                $call
            }
            #[cfg(feature = "tokio")]
            Stream::Tokio(stream) => {
                let $stream = Pin::new(stream);
                $call
            }
        }
    };
}

impl Read for Io {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        on_stream!(self, stream => stream.poll_read(cx, buffer))
    }
}

impl Write for Io {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = on_stream!(self, stream => stream.poll_write(cx, bytes));
        self.bounded(cx, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = on_stream!(self, stream => stream.poll_flush(cx));
        self.bounded(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_stream!(self, stream => stream.poll_shutdown(cx))
    }

    fn is_write_vectored(&self) -> bool {
        match &self.stream {
            Stream::AsyncIo(stream) => stream.is_write_vectored(),
            #[cfg(feature = "tokio")]
            Stream::Tokio(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = on_stream!(self, stream => stream.poll_write_vectored(cx, buffers));
        self.bounded(cx, written)
    }
}

/// This crate's timers, which need no runtime.
#[derive(Clone, Copy, Debug)]
pub(super) struct AnyTimer;

impl Timer for AnyTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        Box::pin(time::sleep(duration))
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        Box::pin(time::sleep_until(deadline))
    }
}

impl Sleep for time::Sleep {}
