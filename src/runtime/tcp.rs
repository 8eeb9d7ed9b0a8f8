//! TCP sockets for the HTTP server: tokio's on tokio, and async-io's on every other runtime.

use std::io;
use std::net;

use async_io::Async;

use super::handle::{Backend, Runtime};

/// A listening socket that is registered with a reactor.
#[derive(Debug)]
pub(crate) enum TcpListener {
    AsyncIo(Async<net::TcpListener>),
    #[cfg(feature = "tokio")]
    Tokio(tokio::net::TcpListener),
}

/// A connected socket that is registered with a reactor.
#[derive(Debug)]
pub(crate) enum TcpStream {
    AsyncIo(Async<net::TcpStream>),
    #[cfg(feature = "tokio")]
    Tokio(tokio::net::TcpStream),
}

impl Runtime {
    /// Registers `listener` with tokio's reactor on tokio, and with async-io's on any other
    /// runtime.
    pub(crate) fn tcp_listener(&self, listener: net::TcpListener) -> io::Result<TcpListener> {
        listener.set_nonblocking(true)?;
        match &self.backend {
            #[cfg(feature = "tokio")]
            Backend::Tokio(spawner) => {
                let register = || tokio::net::TcpListener::from_std(listener);
                spawner.within_typed(register).map(TcpListener::Tokio)
            }
            Backend::Background | Backend::Executor(_) | Backend::Custom(_) => async_io(listener),
            #[cfg(feature = "smol")]
            Backend::Smol(_) => async_io(listener),
            #[cfg(feature = "async-std")]
            Backend::AsyncStd(_) => async_io(listener),
        }
    }
}

fn async_io(listener: net::TcpListener) -> io::Result<TcpListener> {
    Async::new_nonblocking(listener).map(TcpListener::AsyncIo)
}

impl TcpListener {
    /// Accepts a connection, and disables Nagle's algorithm (`TCP_NODELAY`) on it.
    pub(crate) async fn accept(&self) -> io::Result<TcpStream> {
        match self {
            Self::AsyncIo(listener) => {
                let (stream, _) = listener.accept().await?;
                stream.get_ref().set_nodelay(true)?;
                Ok(TcpStream::AsyncIo(stream))
            }
            #[cfg(feature = "tokio")]
            Self::Tokio(listener) => {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok(TcpStream::Tokio(stream))
            }
        }
    }
}
