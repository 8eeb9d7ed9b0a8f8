//! What hyper reads from and writes to.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_io::Async;
use hyper::rt::{Read, ReadBufCursor, Write};
#[cfg(feature = "tokio")]
use hyper_util::rt::TokioIo;
use smol_hyper::rt::FuturesIo;

use super::watch::Watched;
use crate::runtime::tcp::TcpStream;

/// A connection whose writes are watched.
pub(super) struct Io {
    stream: Stream,
    watched: Arc<Watched>,
}

enum Stream {
    AsyncIo(FuturesIo<Async<std::net::TcpStream>>),
    #[cfg(feature = "tokio")]
    Tokio(TokioIo<tokio::net::TcpStream>),
}

impl Io {
    pub(super) fn new(stream: TcpStream, watched: Arc<Watched>) -> Self {
        let stream = match stream {
            TcpStream::AsyncIo(stream) => Stream::AsyncIo(FuturesIo::new(stream)),
            #[cfg(feature = "tokio")]
            TcpStream::Tokio(stream) => Stream::Tokio(TokioIo::new(stream)),
        };
        Self { stream, watched }
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
        self.watched.wrote(written.is_ready());
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_stream!(self, stream => stream.poll_flush(cx))
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
        self.watched.wrote(written.is_ready());
        written
    }
}
