//! Groups of tasks that are cancelled and waited for together.
//!
//! A [`TaskGroup`] belongs to a peer ([`Peer::tasks`](crate::Peer::tasks)), to a set of peers
//! ([`Peers::tasks`](crate::Peers::tasks)), or to no peer ([`TaskGroup::new`]). Closing a peer
//! cancels its tasks, waits for them within the timeout of the close, and reports those that did
//! not stop. Tasks run on any executor, and their handles can be awaited on any other.
//!
//! ```no_run
//! async fn example(peer: &anypeer::Peer) {
//!     // Cancelled when the peer is closed.
//!     peer.tasks().spawn("echo", async { /* .. */ });
//! }
//! ```
//!
//! There are three kinds of tasks. The number in brackets is the highest cost that
//! `benches/cost.rs` accepts for spawning and awaiting such a task, relative to the executor's own
//! `spawn`:
//!
//! - [`TaskGroup::track`] only counts the task (1.10);
//! - [`TaskGroup::spawn`] and [`TaskGroup::task`] keep a record of the task, with its id, name,
//!   source location and end (1.40);
//! - in a [timed](TaskGroupBuilder::timed) group, each poll of a recorded task is timed too (1.60).

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
