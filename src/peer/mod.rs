//! Owning and closing connections of any kind.
//!
//! [`Peers`] is the registry, [`Peer`] an owner, [`Closing`] a close under way, [`Outcome`] what
//! became of it. [`Connection`] is what a kind of connection implements; the one for the `webrtc`
//! crate is in [`crate::webrtc`].

mod attempt;
mod builder;
mod close;
mod connection;
mod held;
mod insert;
mod options;
mod outcome;
mod owner;
mod peers;
mod probe;
mod reaper;
mod record;
mod registry;
mod report;
mod sweep;

pub use self::builder::PeersBuilder;
pub use self::close::{Closing, ClosingAll};
pub use self::connection::{Connection, ConnectionError, EndNotice, ReleaseNotice};
pub use self::held::{Held, Holder, Holders};
pub use self::insert::InsertError;
pub use self::options::{
    CloseOptions, DEFAULT_CLOSE_TIMEOUT, DEFAULT_GRACE, DEFAULT_HANDLER_BUDGET, PeerOptions,
};
pub use self::outcome::{CloseFailure, CloseReason, Closure, ForceCause, NotClosed, Outcome};
pub use self::owner::{Peer, WeakPeer};
pub use self::peers::Peers;
pub use self::probe::Probe;
pub use self::reaper::ReaperOptions;
pub use self::report::{PeerReport, Report};
pub use self::sweep::NotAllClosed;

#[cfg(feature = "test-util")]
pub(crate) use self::record::Record;
#[cfg(feature = "webrtc")]
pub(crate) use self::record::Status;
#[cfg(feature = "test-util")]
pub(crate) use self::registry::Registry;
