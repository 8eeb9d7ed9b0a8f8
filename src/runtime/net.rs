//! Reactor-bound I/O: UDP sockets and timers of the runtime's own where it has them.
//!
//! tokio's sockets and timers are used on tokio; async-io's everywhere else, which work on any
//! executor. TCP is async-io's on every runtime: it carries ICE only where UDP is blocked.

use std::io;
use std::net;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use async_io::Async;

use super::handle::{Backend, Runtime};
use super::spawner::BoxFuture;

/// A non-blocking UDP socket with its runtime's readiness.
#[derive(Debug)]
pub(crate) enum UdpSocket {
    AsyncIo(Async<net::UdpSocket>),
    #[cfg(feature = "tokio")]
    Tokio(tokio::net::UdpSocket),
}

/// Which readiness an operation waits for.
#[derive(Clone, Copy)]
pub(crate) enum Interest {
    Read,
    Write,
}

impl Runtime {
    /// Registers `socket` with the runtime's reactor.
    ///
    /// On tokio to be called within the runtime.
    pub(crate) fn udp_socket(&self, socket: net::UdpSocket) -> io::Result<UdpSocket> {
        socket.set_nonblocking(true)?;
        match &self.backend {
            #[cfg(feature = "tokio")]
            Backend::Tokio(spawner) => {
                let register = || tokio::net::UdpSocket::from_std(socket);
                spawner.within_typed(register).map(UdpSocket::Tokio)
            }
            Backend::Background | Backend::Executor(_) | Backend::Custom(_) => async_io(socket),
            #[cfg(feature = "smol")]
            Backend::Smol(_) => async_io(socket),
            #[cfg(feature = "async-std")]
            Backend::AsyncStd(_) => async_io(socket),
        }
    }

    /// Completes after `duration`: by the runtime's own timer on the runtime, and elsewhere by one
    /// that needs no runtime.
    pub(crate) fn sleep(&self, duration: Duration) -> BoxFuture {
        match &self.backend {
            #[cfg(feature = "tokio")]
            Backend::Tokio(spawner) if spawner.is_current() => {
                Box::pin(tokio::time::sleep(duration))
            }
            _ => Box::pin(self.clock().sleep(duration)),
        }
    }
}

fn async_io(socket: net::UdpSocket) -> io::Result<UdpSocket> {
    Async::new_nonblocking(socket).map(UdpSocket::AsyncIo)
}

impl UdpSocket {
    pub(crate) fn local_addr(&self) -> io::Result<net::SocketAddr> {
        match self {
            Self::AsyncIo(socket) => socket.get_ref().local_addr(),
            #[cfg(feature = "tokio")]
            Self::Tokio(socket) => socket.local_addr(),
        }
    }

    /// Repeats `operation` until it would not block, waiting for readiness in between.
    pub(crate) fn poll_io<T>(
        &self,
        cx: &mut Context<'_>,
        interest: Interest,
        mut operation: impl FnMut() -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        loop {
            match self {
                // async-io reports only events that are new, so the operation comes first.
                Self::AsyncIo(socket) => {
                    match operation() {
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                        done => return Poll::Ready(done),
                    }
                    ready!(match interest {
                        Interest::Read => socket.poll_readable(cx),
                        Interest::Write => socket.poll_writable(cx),
                    })?;
                }
                // tokio keeps readiness, and `try_io` clears it.
                #[cfg(feature = "tokio")]
                Self::Tokio(socket) => {
                    let interest = match interest {
                        Interest::Read => {
                            ready!(socket.poll_recv_ready(cx))?;
                            tokio::io::Interest::READABLE
                        }
                        Interest::Write => {
                            ready!(socket.poll_send_ready(cx))?;
                            tokio::io::Interest::WRITABLE
                        }
                    };
                    match socket.try_io(interest, &mut operation) {
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                        done => return Poll::Ready(done),
                    }
                }
            }
        }
    }
}
