//! Executors: how futures get onto the host's, and what to do where there is none.
//!
//! [`Spawner`] is what a backend implements; [`Runtime`] is the cheap handle that the rest of the
//! crate holds. [`current`] is the counterpart of Python's `sniffio.current_async_library`, and
//! [`run`] that of `anyio.from_thread.run`: it starts a future from anywhere.
//!
//! ```
//! # #[cfg(feature = "smol")] {
//! use std::time::Duration;
//! use anypeer::runtime::{Runtime, SmolSpawner};
//!
//! let runtime = Runtime::from(SmolSpawner::new());
//! let mut answer = runtime.spawn(async { 6 * 7 });
//! // From synchronous code, with a bound; in a task, `answer.await` instead.
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
