//! Connections of the `webrtc` crate, version 0.21.
//!
//! There are three ways to create a [`Peer`]:
//!
//! - [`open`] builds a connection from a builder, a handler and options.
//! - [`instrument`] is for an application that has to build the connection itself. It returns the
//!   runtime and the handler to build with, and [`Instrument::adopt`] then takes the connection.
//! - [`adopt`] takes a connection that already exists. anypeer can ask such a connection to close,
//!   but cannot observe its end: the best outcome of a close is
//!   [`Outcome::Unconfirmed`](crate::Outcome::Unconfirmed).
//!
//! [`offer`] and [`answer`] negotiate the session of a peer, and [`get`] finds a peer by its id.
//! The other calls on a connection are methods of [`Peer`].
//!
//! The modules of the `webrtc` crate are re-exported here, so an application does not have to
//! depend on the same version of that crate itself. No other module of anypeer has types of the
//! `webrtc` crate in its API.
//!
//! # Callbacks
//!
//! **Callbacks of a handler run inside the connection's driver**, the task that sends and receives
//! the connection's packets. Until a callback returns, nothing is sent or received on its
//! connection. In a callback, do not:
//!
//! - loop over `channel.poll()` or over the packets of a track, or do other work that takes time.
//!   Spawn a task on [`peer.tasks()`](crate::Peer::tasks) instead.
//! - block the thread.
//! - await [`connected`](crate::Peer::connected), [`wait_for`](crate::Peer::wait_for),
//!   [`closed`](crate::Peer::closed), [`gathering_complete`](Peer::gathering_complete), an
//!   [`offer`] or [`answer`] with [`Candidates::Complete`], or a `send` on a data channel whose
//!   buffer is full (`with_data_channel_send_buffer_limit`). Each of these waits for the driver,
//!   which waits for the callback.
//! - await the close of the callback's own peer. That returns
//!   [`Outcome::InOwnHandler`](crate::Outcome::InOwnHandler) at once. Call `drop(peer.close())`
//!   instead.

mod adaptor;
mod alert;
mod call;
mod calls;
mod candidate_queue;
mod connection;
mod convert;
mod descriptions;
mod driver;
mod goodbye;
mod handler;
mod link;
mod live_objects;
mod negotiate;
mod open;
mod operation_error;
mod peer;
mod socket;
mod stats;
mod transport;

pub use ::webrtc::runtime::Runtime as WebrtcRuntime;
pub use ::webrtc::{data_channel, error, media_stream, peer_connection, rtp_transceiver};
/// The attribute that an implementation of
/// [`PeerConnectionEventHandler`](peer_connection::PeerConnectionEventHandler) needs if it contains
/// any of the trait's async methods.
pub use async_trait::async_trait;
// Types that occur in signatures of the `webrtc` crate, but that it does not re-export.
pub use rtc::ice::mdns::MulticastDnsMode;
pub use rtc::peer_connection::configuration::{RTCAnswerOptions, RTCOfferOptions};
pub use rtc::peer_connection::transport::{
    RTCDtlsRole, RTCDtlsTransportState, RTCSctpTransportState,
};
pub use rtc::rtp_transceiver::RTCRtpTransceiverInit;
pub use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;

pub use self::call::Call;
pub use self::candidate_queue::MAX_QUEUED_CANDIDATES;
pub use self::live_objects::{LiveObjects, live_objects};
pub use self::negotiate::{Candidates, answer, offer};
pub use self::open::{Instrument, OpenError, adopt, instrument, open};
pub use self::operation_error::OperationError;
pub use self::peer::{NotWebrtc, Peer, WeakPeer, get};
