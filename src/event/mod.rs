//! Events of peers, operations and tasks, and the observers that receive them.

mod guard;
mod kind;
mod observer;
mod operation;
mod watch;

pub use self::kind::{Configuration, Event, EventKind, Sdp};
pub use self::observer::Observer;
pub use self::operation::{OperationEnd, Target};

pub(crate) use self::guard::OperationGuard;
pub(crate) use self::watch::Watch;
