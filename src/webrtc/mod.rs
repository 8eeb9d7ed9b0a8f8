//! The `webrtc` crate under this crate's care.
//!
//! The crate itself is re-exported here, module by module, so that applications need no second,
//! version-locked dependency; and no type of it appears anywhere else in this crate.
//!
//! **Callbacks of a handler run inside the connection's driver.** Until one returns the connection
//! stands still: work that takes time is spawned on [`peer.tasks()`](crate::Peer::tasks).
//!
//! There are three ways in:
//!
//! - [`open`]: a builder, a handler and options; the whole life is ours. [`offer`] and [`answer`]
//!   negotiate.
//! - [`instrument`]: for an application that builds its own connection. It is given the runtime
//!   and the handler to build with, and hands the connection over with [`Instrument::adopt`].
//! - [`adopt`]: for a connection that was built without us. It can be closed, but whether it
//!   really ended cannot be seen: [`Outcome::Unconfirmed`](crate::Outcome::Unconfirmed).

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
/// What an implementation of
/// [`PeerConnectionEventHandler`](peer_connection::PeerConnectionEventHandler) is annotated with.
pub use async_trait::async_trait;
// What `webrtc`'s own functions take and return, and it does not name.
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
