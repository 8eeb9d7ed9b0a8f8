//! The executors that a cell's peer lives on.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use anypeer::runtime::Runtime;

/// A cell's patience with its own executor.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    #[cfg(feature = "tokio")]
    TokioMulti,
    #[cfg(feature = "tokio")]
    TokioOneWorker,
    #[cfg(feature = "tokio")]
    TokioCurrent,
    #[cfg(feature = "smol")]
    Smol,
}

pub(crate) const BACKENDS: &[Backend] = &[
    #[cfg(feature = "tokio")]
    Backend::TokioMulti,
    #[cfg(feature = "tokio")]
    Backend::TokioOneWorker,
    #[cfg(feature = "tokio")]
    Backend::TokioCurrent,
    #[cfg(feature = "smol")]
    Backend::Smol,
];

impl Backend {
    pub(crate) fn name(self) -> &'static str {
        match self {
            #[cfg(feature = "tokio")]
            Self::TokioMulti => "tokio, 2 workers",
            #[cfg(feature = "tokio")]
            Self::TokioOneWorker => "tokio, 1 worker",
            #[cfg(feature = "tokio")]
            Self::TokioCurrent => "tokio, current-thread",
            #[cfg(feature = "smol")]
            Self::Smol => "smol, 1 thread",
        }
    }

    pub(crate) fn is_tokio(self) -> bool {
        match self {
            #[cfg(feature = "tokio")]
            Self::TokioMulti | Self::TokioOneWorker | Self::TokioCurrent => true,
            #[cfg(feature = "smol")]
            Self::Smol => false,
        }
    }

    pub(crate) fn is_current_thread(self) -> bool {
        #[cfg(feature = "tokio")]
        return self == Self::TokioCurrent;
        #[cfg(not(feature = "tokio"))]
        return false;
    }
}

/// An executor, running.
pub(crate) enum Host {
    #[cfg(feature = "tokio")]
    Tokio { handle: tokio::runtime::Handle, keeper: Keeper },
    #[cfg(feature = "smol")]
    Smol,
}

#[cfg(feature = "tokio")]
/// Drives a tokio runtime on a thread of its own, until told to stop; then it gives it back.
pub(crate) struct Keeper {
    stop: Sender<()>,
    thread: JoinHandle<tokio::runtime::Runtime>,
}

impl Host {
    pub(crate) fn start(backend: Backend) -> Self {
        match backend {
            #[cfg(feature = "tokio")]
            Backend::TokioMulti => {
                Self::tokio(tokio::runtime::Builder::new_multi_thread().worker_threads(2))
            }
            #[cfg(feature = "tokio")]
            Backend::TokioOneWorker => {
                Self::tokio(tokio::runtime::Builder::new_multi_thread().worker_threads(1))
            }
            #[cfg(feature = "tokio")]
            Backend::TokioCurrent => {
                Self::tokio(&mut tokio::runtime::Builder::new_current_thread())
            }
            #[cfg(feature = "smol")]
            Backend::Smol => Self::Smol,
        }
    }

    #[cfg(feature = "tokio")]
    fn tokio(builder: &mut tokio::runtime::Builder) -> Self {
        let runtime = builder.enable_all().build().expect("a runtime can be built");
        let handle = runtime.handle().clone();
        let (stop, stopped) = channel();
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                let stopped = tokio::task::spawn_blocking(move || stopped.recv());
                let _ = stopped.await;
            });
            runtime
        });
        Self::Tokio { handle, keeper: Keeper { stop, thread } }
    }

    /// This crate's handle to it.
    pub(crate) fn runtime(&self) -> Runtime {
        match self {
            #[cfg(feature = "tokio")]
            Self::Tokio { handle, .. } => {
                anypeer::runtime::TokioSpawner::new(handle.clone()).into()
            }
            #[cfg(feature = "smol")]
            Self::Smol => anypeer::runtime::SmolSpawner::new().into(),
        }
    }

    /// Runs `future` in a task of the executor's own making, not of ours.
    pub(crate) fn in_task<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> T {
        let (done, result) = channel();
        let task = async move {
            let _ = done.send(future.await);
        };
        match self {
            #[cfg(feature = "tokio")]
            Self::Tokio { handle, .. } => drop(handle.spawn(task)),
            #[cfg(feature = "smol")]
            Self::Smol => smol::spawn(task).detach(),
        }
        received(&result)
    }

    /// Runs `work` in the executor's pool for blocking work.
    pub(crate) fn in_blocking_pool<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> T {
        let (done, result) = channel();
        let work = move || {
            let _ = done.send(work());
        };
        match self {
            #[cfg(feature = "tokio")]
            Self::Tokio { handle, .. } => drop(handle.spawn_blocking(work)),
            #[cfg(feature = "smol")]
            Self::Smol => smol::unblock(work).detach(),
        }
        received(&result)
    }

    /// Runs `work` on this thread under the executor's enter guard.
    pub(crate) fn entered<T>(&self, work: impl FnOnce() -> T) -> T {
        match self {
            #[cfg(feature = "tokio")]
            Self::Tokio { handle, .. } => {
                let _guard = handle.enter();
                work()
            }
            #[cfg(feature = "smol")]
            Self::Smol => {
                let _guard = anypeer::runtime::enter(&self.runtime());
                work()
            }
        }
    }

    #[cfg(feature = "tokio")]
    fn handle(&self) -> &tokio::runtime::Handle {
        match self {
            Self::Tokio { handle, .. } => handle,
            #[cfg(feature = "smol")]
            Self::Smol => panic!("smol has no handle"),
        }
    }

    /// Runs `future` in a `LocalSet`, on a thread of its own.
    #[cfg(feature = "tokio")]
    pub(crate) fn in_local_set<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> T {
        let handle = self.handle();
        let (done, result) = channel();
        let handle = handle.clone();
        std::thread::spawn(move || {
            let local = tokio::task::LocalSet::new();
            let ended = handle.block_on(local.run_until(async {
                tokio::task::spawn_local(future).await.expect("the local task ends")
            }));
            let _ = done.send(ended);
        });
        received(&result)
    }

    /// Stops driving the runtime, and gives it back.
    #[cfg(feature = "tokio")]
    pub(crate) fn stop(self) -> tokio::runtime::Runtime {
        match self {
            Self::Tokio { keeper, .. } => {
                keeper.stop.send(()).expect("the keeper waits");
                keeper.thread.join().expect("the keeper ends")
            }
            #[cfg(feature = "smol")]
            Self::Smol => panic!("smol's executor cannot be stopped"),
        }
    }
}

/// Waits for what another thread sends.
pub(crate) fn received<T>(result: &Receiver<T>) -> T {
    result.recv_timeout(PATIENCE).expect("expected a result in time, and the other side is silent")
}
