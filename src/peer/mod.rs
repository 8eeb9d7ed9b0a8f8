//! Owning and closing connections of any kind.
//!
//! - [`Peers`] is a set of peers.
//! - [`Peer`] is an owner of a connection.
//! - [`Closing`] is a handle to a close in progress, and [`Outcome`] is the outcome of a close.
//! - [`PeerOptions`] are the options of one peer, and [`ReaperOptions`] say which peers are closed
//!   automatically.
//! - [`Connection`] is the trait to implement for connections of another stack. The functions in
//!   `anypeer::webrtc` create peers with connections of the `webrtc` crate.

mod alarm;
mod attach;
mod close;
mod connection;
mod life;
mod options;
mod owner;
mod reaper;
mod reaping;
mod record;
mod set;
mod status;

pub use self::close::handles::{Closing, ClosingAll};
pub use self::close::report::{PeerReport, Report};
pub use self::close::sweep::NotAllClosed;
pub use self::connection::{Connection, ConnectionError, EndNotice, ReleaseNotice, StateNotice};
pub use self::options::{DEFAULT_HANDLER_BUDGET, PeerOptions, ReaperOptions};
pub use self::owner::{Peer, PeerEnded, WeakPeer};
pub use self::set::builder::PeersBuilder;
pub use self::set::insert_error::InsertError;
pub use self::set::peers::Peers;
pub use self::set::reservation::Reservation;
pub use self::set::retained::Retained;
pub use crate::close_options::{CloseOptions, DEFAULT_CLOSE_TIMEOUT, DEFAULT_GRACE};
pub use crate::outcome::{CloseFailure, CloseMode, CloseReason, ForceCause, NotClosed, Outcome};
pub use crate::probe::{Probe, RetainedBy, Retention};

#[cfg(feature = "webrtc")]
pub(crate) use self::alarm::Due;
#[cfg(feature = "webrtc")]
pub(crate) use self::status::Status;
