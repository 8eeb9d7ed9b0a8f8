//! Spawns futures on the application's executor, or on a background executor of this crate if the
//! application has none.
//!
//! - [`Runtime`] is a handle to an executor, which the rest of the crate uses.
//! - [`Spawner`] is the trait by which tasks are spawned on an executor. There are spawners for
//!   tokio, smol, async-std and `async-executor`.
//! - [`current`] returns the runtime that the calling thread is on.
//! - [`run`] spawns a future from synchronous or asynchronous code.
//! - [`guide`] explains how to use any other executor.
//!
//! ```
//! # #[cfg(feature = "smol")] {
//! use std::time::Duration;
//! use anypeer::runtime::{Runtime, SmolSpawner};
//!
//! let runtime = Runtime::from(SmolSpawner::new());
//! let mut answer = runtime.spawn(async { 6 * 7 });
//! // This is synchronous code. In a task, write `answer.await` instead.
//! assert_eq!(answer.wait(Duration::from_secs(5)).unwrap().unwrap(), 42);
//! # }
//! ```

#[cfg(feature = "async-std")]
mod async_std;
#[cfg_attr(anypeer_loom, path = "../../loom/src/background.rs")]
pub(crate) mod background;
#[cfg_attr(anypeer_loom, path = "../../loom/src/clock.rs")]
pub(crate) mod clock;
mod current;
mod error;
mod executor;
pub mod guide {
    #![doc = include_str!("guide.md")]
}
mod handle;
mod join;
mod mark;
#[cfg(feature = "webrtc")]
pub(crate) mod net;
#[cfg(feature = "smol")]
mod smol;
mod spawn;
mod spawner;
#[cfg(feature = "http")]
pub(crate) mod tcp;
pub(crate) mod thread;
#[cfg(not(anypeer_loom))]
mod timers;
#[cfg(feature = "tokio")]
mod tokio;
mod wait;

#[cfg(feature = "async-std")]
pub use self::async_std::AsyncStdSpawner;
pub use self::clock::Clock;
pub use self::current::{current, run};
pub use self::error::JoinError;
pub use self::executor::ExecutorSpawner;
pub use self::handle::Runtime;
pub use self::join::JoinHandle;
pub use self::mark::{EnterGuard, enter};
#[cfg(feature = "smol")]
pub use self::smol::SmolSpawner;
pub use self::spawner::{BoxFuture, Spawner};
pub use self::thread::StartError;
#[cfg(feature = "tokio")]
pub use self::tokio::TokioSpawner;
pub use self::wait::WaitError;
pub use async_executor::{Executor, StaticExecutor};

pub(crate) use self::error::panicked;
pub(crate) use self::wait::wait;
