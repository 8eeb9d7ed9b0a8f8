//! Owns, closes and watches WebRTC peer connections, from synchronous or asynchronous code, under
//! whichever executor the host runs.

mod event;
mod id;
pub mod peer;
pub mod runtime;
mod state;
mod sync;
#[cfg(feature = "webrtc")]
pub mod webrtc;

pub use crate::event::{Event, Observer, OperationEnd};
pub use crate::id::{GroupId, IdError, MAX_ID_BYTES, PeerId};
pub use crate::peer::{Closing, ClosingAll, Outcome, Peer, PeerOptions, Peers, WeakPeer};
pub use crate::state::ConnectionState;
