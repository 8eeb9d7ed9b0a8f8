//! UDP sockets and timers for connections of the `webrtc` crate.
//!
//! On tokio, tokio's sockets and timers are used. On every other runtime, the sockets are those of
//! async-io, which work on any executor. ICE over TCP uses async-io on every runtime, because it is
//! only needed where UDP is blocked.

use std::io;
use std::net;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use async_io::Async;

use super::handle::{Backend, Runtime};
use super::spawner::BoxFuture;

/// A non-blocking UDP socket that is registered with a reactor.
#[derive(Debug)]
pub(crate) enum UdpSocket {
    AsyncIo(Async<net::UdpSocket>),
    #[cfg(feature = "tokio")]
    Tokio(tokio::net::UdpSocket),
}

/// The readiness that an operation waits for.
#[derive(Clone, Copy)]
pub(crate) enum Interest {
    Read,
    Write,
}

impl Runtime {
    /// Registers `socket` with tokio's reactor on tokio, and with async-io's on any other runtime.
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

    /// Returns a future that completes after `duration`. Within its own tokio runtime it uses
    /// tokio's timer, and otherwise the runtime's [`Clock`](super::Clock), which needs no executor.
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

    /// Repeats `operation` until it returns something other than `WouldBlock`, and waits for
    /// readiness in between.
    pub(crate) fn poll_io<T>(
        &self,
        cx: &mut Context<'_>,
        interest: Interest,
        mut operation: impl FnMut() -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        loop {
            match self {
                // async-io reports only readiness that is new, so the operation is tried first.
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
                // tokio remembers readiness, and `try_io` clears it on `WouldBlock`.
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
