//! Supervised tasks: each has a name, an owner and one end.
//!
//! A [`TaskGroup`] belongs to a peer ([`Peer::tasks`](crate::Peer::tasks)), to a set of peers
//! ([`Peers::tasks`](crate::Peers::tasks)), or to nobody. Closing a peer cancels its tasks, waits
//! for them within the bound of the close, and names those that would not stop. All of it works
//! on any executor, and is awaited on any other.
//!
//! What a task costs is chosen where it is started (`benches/cost.rs`, limits in brackets):
//!
//! - [`TaskGroup::track`] counts it, no more (1.10 times the executor's own spawn);
//! - [`TaskGroup::spawn`] and [`TaskGroup::task`] keep a record of it: id, name, place, end (1.40);
//! - in a [timed](TaskGroupBuilder::timed) group each poll is timed too (1.60).

mod batch;
mod books;
mod builder;
mod counted;
mod group;
mod handle;
mod idle;
mod record;
mod supervised;
mod token;

pub use self::batch::Batch;
pub use self::builder::TaskBuilder;
pub use self::group::{TaskGroup, TaskGroupBuilder};
pub use self::handle::TaskHandle;
pub use self::token::CancellationToken;
pub use crate::task_info::{
    CancelReason, PollTimes, StuckTasks, TaskEnd, TaskId, TaskInfo, WeakTaskGroup,
};

pub(crate) use self::books::Owner;
