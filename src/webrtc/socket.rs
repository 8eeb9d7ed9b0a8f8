//! Sockets that can be closed while their driver uses them.

use std::fmt;
use std::io;
use std::io::{IoSliceMut, Read, Write};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};

use ::webrtc::runtime::{
    AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, RecvMeta, Transmit, UdpSockRef,
    UdpSocketState,
};
use async_io::Async;

use super::alert::Alerts;
use super::live_objects::{Counted, SOCKETS};
use crate::candidate::Side;
use crate::runtime::net::{Interest, UdpSocket};
use crate::sync::Mutex;

/// The sockets of one driver.
#[derive(Default)]
pub(super) struct Sockets(Mutex<Known>);

/// The sockets of one driver that still exist.
#[derive(Default)]
struct Known {
    sockets: Vec<Weak<dyn Revoke>>,
    /// Whether the sockets were revoked. New sockets are then closed at once.
    revoked: bool,
}

impl Sockets {
    /// Adds a socket, or closes it at once if the sockets were revoked.
    fn add<T: Send + 'static>(&self, socket: T, local_addr: SocketAddr) -> Arc<Revocable<T>> {
        let open = Open { io: socket, local_addr, _counted: SOCKETS.count() };
        let socket = Arc::new(Revocable(Mutex::new(Some(open))));
        let weak: Weak<dyn Revoke> = Arc::<Revocable<T>>::downgrade(&socket);
        let mut known = self.0.lock();
        known.sockets.retain(|socket| socket.strong_count() > 0);
        known.sockets.push(weak);
        let revoked = known.revoked;
        drop(known);
        if revoked {
            socket.revoke();
        }
        socket
    }

    /// The local addresses of the open sockets.
    pub(super) fn open(&self) -> Vec<SocketAddr> {
        let sockets: Vec<_> = self.0.lock().sockets.iter().filter_map(Weak::upgrade).collect();
        sockets.iter().filter_map(|socket| socket.local_addr()).collect()
    }

    /// Closes every socket, also while the driver uses it, and every socket that is added later.
    pub(super) fn revoke(&self) {
        let sockets = {
            let mut known = self.0.lock();
            known.revoked = true;
            std::mem::take(&mut known.sockets)
        };
        for socket in sockets.iter().filter_map(Weak::upgrade) {
            socket.revoke();
        }
    }

    /// Wraps a UDP socket.
    pub(super) fn udp(
        &self,
        socket: UdpSocket,
        alerts: Alerts,
    ) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        let batch = UdpSocketState::new(sock_ref(&socket))?;
        let local_addr = socket.local_addr()?;
        Ok(Arc::new(Udp { batch, local_addr, alerts, socket: self.add(socket, local_addr) }))
    }

    /// Wraps a TCP listener. The streams that it accepts can be revoked too.
    pub(super) fn tcp_listener(
        self: &Arc<Self>,
        listener: std::net::TcpListener,
    ) -> io::Result<Arc<dyn AsyncTcpListener>> {
        let local_addr = listener.local_addr()?;
        let socket = self.add(Async::new(listener)?, local_addr);
        Ok(Arc::new(TcpListener { sockets: Arc::clone(self), local_addr, socket }))
    }

    /// Wraps a TCP stream.
    pub(super) fn tcp_stream(
        &self,
        stream: Async<std::net::TcpStream>,
    ) -> io::Result<Arc<dyn AsyncTcpStream>> {
        let (local_addr, peer_addr) =
            (stream.get_ref().local_addr()?, stream.get_ref().peer_addr()?);
        Ok(Arc::new(TcpStream { local_addr, peer_addr, socket: self.add(stream, local_addr) }))
    }
}

/// A socket of any kind that can be closed.
trait Revoke: Send + Sync {
    /// Closes the socket.
    fn revoke(&self);

    /// The local address; `None` once the socket is closed.
    fn local_addr(&self) -> Option<SocketAddr>;
}

/// A socket that any thread can close.
///
/// The lock is held during a non-blocking system call, and never longer.
struct Revocable<T>(Mutex<Option<Open<T>>>);

/// An open socket.
struct Open<T> {
    io: T,
    local_addr: SocketAddr,
    _counted: Counted,
}

impl<T: Send> Revoke for Revocable<T> {
    fn revoke(&self) {
        let taken = self.0.lock().take();
        drop(taken);
    }

    fn local_addr(&self) -> Option<SocketAddr> {
        self.0.lock().as_ref().map(|open| open.local_addr)
    }
}

impl<T> Revocable<T> {
    /// Runs `poll` on the socket. Fails with [`io::ErrorKind::NotConnected`] once the socket is
    /// closed.
    fn poll<R>(&self, poll: impl FnOnce(&T) -> Poll<io::Result<R>>) -> Poll<io::Result<R>> {
        match &*self.0.lock() {
            Some(open) => poll(&open.io),
            None => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }
}

/// A reference to the socket of the operating system.
fn sock_ref(socket: &UdpSocket) -> UdpSockRef<'_> {
    match socket {
        UdpSocket::AsyncIo(socket) => UdpSockRef::from(socket.get_ref()),
        #[cfg(feature = "tokio")]
        UdpSocket::Tokio(socket) => UdpSockRef::from(socket),
    }
}

/// A UDP socket that can be revoked.
struct Udp {
    batch: UdpSocketState,
    local_addr: SocketAddr,
    alerts: Alerts,
    socket: Arc<Revocable<UdpSocket>>,
}

impl AsyncUdpSocket for Udp {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.local_addr)
    }

    fn poll_send(&self, cx: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        self.alerts.pass(Side::Local, transmit.contents);
        self.socket.poll(|socket| {
            let send = || self.batch.try_send(sock_ref(socket), transmit);
            socket.poll_io(cx, Interest::Write, send).map_ok(|()| transmit.contents.len())
        })
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let received = self.socket.poll(|socket| {
            let received = ready!(socket.poll_io(cx, Interest::Read, || {
                match self.batch.recv(sock_ref(socket), bufs, meta)? {
                    0 => Err(io::ErrorKind::WouldBlock.into()),
                    received => Ok(received),
                }
            }))?;
            Poll::Ready(Ok(received))
        });
        if let Poll::Ready(Ok(received)) = received {
            for (meta, buf) in meta.iter_mut().zip(bufs).take(received) {
                // The driver divides by the stride, which is 0 for an empty datagram.
                meta.stride = meta.stride.max(1);
                self.alerts.pass(Side::Remote, &buf[..meta.len.min(buf.len())]);
            }
        }
        received
    }

    fn max_gso_segments(&self) -> usize {
        self.batch.max_gso_segments()
    }

    fn max_gro_segments(&self) -> usize {
        self.batch.gro_segments()
    }
}

/// A TCP listener that can be revoked.
struct TcpListener {
    sockets: Arc<Sockets>,
    local_addr: SocketAddr,
    socket: Arc<Revocable<Async<std::net::TcpListener>>>,
}

type Boxed<'a, T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send + 'a>>;

impl AsyncTcpListener for TcpListener {
    fn accept<'a>(&'a self) -> Boxed<'a, (Arc<dyn AsyncTcpStream>, SocketAddr)> {
        Box::pin(async move {
            let (stream, peer_addr) = std::future::poll_fn(|cx| {
                self.socket.poll(|listener| {
                    loop {
                        match listener.get_ref().accept() {
                            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                            accepted => return Poll::Ready(accepted),
                        }
                        ready!(listener.poll_readable(cx))?;
                    }
                })
            })
            .await?;
            Ok((self.sockets.tcp_stream(Async::new(stream)?)?, peer_addr))
        })
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.local_addr)
    }
}

/// A TCP stream that can be revoked.
struct TcpStream {
    local_addr: SocketAddr,
    peer_addr: SocketAddr,
    socket: Arc<Revocable<Async<std::net::TcpStream>>>,
}

impl AsyncTcpStream for TcpStream {
    fn read<'a, 'b>(&'a self, buf: &'b mut [u8]) -> Boxed<'b, usize>
    where
        'a: 'b,
    {
        Box::pin(std::future::poll_fn(move |cx| {
            self.socket.poll(|stream| {
                loop {
                    match stream.get_ref().read(buf) {
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                        read => return Poll::Ready(read),
                    }
                    ready!(stream.poll_readable(cx))?;
                }
            })
        }))
    }

    fn write_all<'a, 'b>(&'a self, buf: &'b [u8]) -> Boxed<'b, ()>
    where
        'a: 'b,
    {
        let mut left = buf;
        Box::pin(std::future::poll_fn(move |cx| {
            self.socket.poll(|stream| {
                while !left.is_empty() {
                    match stream.get_ref().write(left) {
                        Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                        Ok(written) => left = &left[written..],
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                            ready!(stream.poll_writable(cx))?;
                        }
                        Err(error) => return Poll::Ready(Err(error)),
                    }
                }
                Poll::Ready(Ok(()))
            })
        }))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.local_addr)
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.peer_addr)
    }
}

impl fmt::Debug for Udp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Udp").field(&self.local_addr).finish()
    }
}

impl fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TcpListener").field(&self.local_addr).finish()
    }
}

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TcpStream").field(&self.local_addr).field(&self.peer_addr).finish()
    }
}
