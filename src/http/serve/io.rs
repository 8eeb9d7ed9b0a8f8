//! The streams of HTTP connections.

use std::net::TcpStream;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::{io, mem};

use async_io::Async;
use futures::io::{AsyncRead, AsyncWrite};
use hyper::rt::{Read, ReadBufCursor, Write};
#[cfg(feature = "tokio")]
use hyper_util::rt::TokioIo;
use smol_hyper::rt::FuturesIo;

use super::watch::Watched;
use crate::runtime::tcp;

/// The stream of a connection, which reports its writes to the watchdog.
pub(super) struct Io {
    stream: Stream,
    watched: Arc<Watched>,
}

/// A stream of async-io or of tokio.
enum Stream {
    AsyncIo(FuturesIo<Sparing>),
    #[cfg(feature = "tokio")]
    Tokio(TokioIo<tokio::net::TcpStream>),
}

impl Io {
    pub(super) fn new(stream: tcp::TcpStream, watched: Arc<Watched>) -> Self {
        let stream = match stream {
            tcp::TcpStream::AsyncIo(stream) => {
                Stream::AsyncIo(FuturesIo::new(Sparing { stream, is_drained: false }))
            }
            #[cfg(feature = "tokio")]
            tcp::TcpStream::Tokio(stream) => Stream::Tokio(TokioIo::new(stream)),
        };
        Self { stream, watched }
    }
}

/// A stream that does not read again immediately after a read that did not fill the buffer, because
/// that system call would almost always return nothing. tokio's streams do the same.
struct Sparing {
    stream: Async<TcpStream>,
    /// Whether the last read did not fill the buffer.
    is_drained: bool,
}

impl AsyncRead for Sparing {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        // `take` clears the flag, because the stream must be read after the next wake-up.
        if mem::take(&mut self.is_drained)
            && let Poll::Ready(told) = self.stream.poll_readable(cx)
        {
            // The first readiness usually belongs to the data that was read before, and the second
            // to new data.
            told?;
            ready!(self.stream.poll_readable(cx))?;
        }
        let read = ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        self.is_drained = 0 < read && read < buffer.len();
        Poll::Ready(Ok(read))
    }
}

impl AsyncWrite for Sparing {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_close(cx)
    }
}

/// Calls a method of either stream.
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
        self.watched.wrote(written.is_ready());
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_stream!(self, stream => stream.poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_stream!(self, stream => stream.poll_shutdown(cx))
    }
}
