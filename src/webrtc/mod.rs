//! Connections of the `webrtc` crate.
//!
//! The modules of the `webrtc` crate are re-exported here, so that applications need no second
//! dependency of the same version. Its types appear nowhere else in this crate.
//!
//! **Callbacks of a handler run inside the connection's driver.** Until a callback returns, nothing
//! is sent or received on its connection. In a callback, do not:
//!
//! - loop over `channel.poll()` or over a track, or do other work that takes time: spawn a task on
//!   [`peer.tasks()`](crate::Peer::tasks);
//! - block the thread;
//! - await what needs the driver to go on: [`connected`](crate::Peer::connected),
//!   [`gathering_complete`](Peer::gathering_complete), or an [`offer`] or [`answer`] with
//!   [`Candidates::Complete`];
//! - await the close of the callback's own peer, which returns
//!   [`Outcome::InOwnHandler`](crate::Outcome::InOwnHandler) at once: call `drop(peer.close())`.
//!
//! There are three ways to bring in a connection:
//!
//! - [`open`] builds the connection from a builder, a handler and options. [`offer`] and [`answer`]
//!   then negotiate the session.
//! - [`instrument`] is for an application that builds its own connection. The application builds it
//!   with a runtime and a handler from here, and hands it over with [`Instrument::adopt`].
//! - [`adopt`] is for a connection that already exists. It can be asked to close, but its end
//!   cannot be observed: [`Outcome::Unconfirmed`](crate::Outcome::Unconfirmed).

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
/// The attribute for implementations of
/// [`PeerConnectionEventHandler`](peer_connection::PeerConnectionEventHandler).
pub use async_trait::async_trait;
// Types in the signatures of the `webrtc` crate that the `webrtc` crate does not re-export.
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
