//! The executors that a cell's peer lives on.

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use anypeer::runtime::{BoxFuture, ExecutorSpawner, Runtime, Spawner};
use async_executor::Executor;
use futures::FutureExt;
use futures::executor::ThreadPool;

/// For how long a test waits for what runs elsewhere: longer than anything waits there, so that
/// what failed is what is told.
const PATIENCE: Duration = super::poll::PATIENCE.saturating_mul(2);

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
    #[cfg(feature = "async-std")]
    AsyncStd,
    /// An `async_executor::Executor` that one thread of the host's drives.
    Executor,
    /// A third party's spawner.
    ThreadPool,
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
    #[cfg(feature = "async-std")]
    Backend::AsyncStd,
    Backend::Executor,
    Backend::ThreadPool,
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
            #[cfg(feature = "async-std")]
            Self::AsyncStd => "async-std, 1 thread",
            Self::Executor => "host-driven executor",
            Self::ThreadPool => "futures' ThreadPool",
        }
    }

    pub(crate) fn is_tokio(self) -> bool {
        match self {
            #[cfg(feature = "tokio")]
            Self::TokioMulti | Self::TokioOneWorker | Self::TokioCurrent => true,
            #[cfg(feature = "smol")]
            Self::Smol => false,
            #[cfg(feature = "async-std")]
            Self::AsyncStd => false,
            Self::Executor | Self::ThreadPool => false,
        }
    }

    /// Whether it can be dropped: smol's, async-std's and the pool are static.
    pub(crate) fn can_be_dropped(self) -> bool {
        self.is_tokio() || self == Self::Executor
    }

    /// Whether it can stand still, driven by nobody.
    pub(crate) fn can_stand_still(self) -> bool {
        #[cfg(feature = "tokio")]
        if self == Self::TokioCurrent {
            return true;
        }
        self == Self::Executor
    }

    /// Whether a task of the host's own making is known for what it is. A bare `async-executor`
    /// leaves no mark.
    pub(crate) fn marks_native_tasks(self) -> bool {
        self != Self::Executor
    }

    /// What [`anypeer::runtime::current`] says in a task of the host's own making.
    pub(crate) fn recognised_as(self) -> Option<&'static str> {
        match self {
            #[cfg(feature = "async-std")]
            Self::AsyncStd => Some("async-std"),
            _ => self.is_tokio().then_some("tokio"),
        }
    }
}

/// All that it takes to bring one's own executor.
#[derive(Debug)]
struct PoolSpawner(ThreadPool);

impl Spawner for PoolSpawner {
    fn spawn(&self, task: BoxFuture) {
        self.0.spawn_ok(task);
    }

    fn name(&self) -> &'static str {
        "thread pool"
    }
}

/// An executor, running.
pub(crate) enum Host {
    #[cfg(feature = "tokio")]
    Tokio {
        handle: tokio::runtime::Handle,
        keeper: Keeper<tokio::runtime::Runtime>,
    },
    #[cfg(feature = "smol")]
    Smol,
    #[cfg(feature = "async-std")]
    AsyncStd,
    Executor {
        spawner: ExecutorSpawner,
        native: std::sync::Weak<Executor<'static>>,
        keeper: Keeper<Arc<Executor<'static>>>,
    },
    ThreadPool(ThreadPool),
}

/// Drives an executor on a thread of its own, until told to stop; then it gives it back.
pub(crate) struct Keeper<T> {
    stop: Sender<()>,
    thread: JoinHandle<T>,
}

impl<T> Keeper<T> {
    fn stop(self) -> T {
        self.stop.send(()).expect("the keeper waits");
        self.thread.join().expect("the keeper ends")
    }
}

/// An executor that nobody drives any more; it is dropped with this.
pub(crate) enum Undriven {
    #[cfg(feature = "tokio")]
    Tokio(tokio::runtime::Runtime),
    Executor(Arc<Executor<'static>>),
}

impl Undriven {
    /// Puts a task on it.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        match self {
            #[cfg(feature = "tokio")]
            Self::Tokio(runtime) => drop(runtime.spawn(task)),
            Self::Executor(executor) => executor.spawn(task).detach(),
        }
    }

    /// Drops it, and sees that it is gone.
    pub(crate) fn drop(self) {
        match self {
            #[cfg(feature = "tokio")]
            Self::Tokio(runtime) => drop(runtime),
            Self::Executor(executor) => {
                let executor = Arc::into_inner(executor);
                drop(executor.expect("expected nobody but the host to keep its executor"));
            }
        }
    }
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
            #[cfg(feature = "async-std")]
            Backend::AsyncStd => Self::AsyncStd,
            Backend::Executor => Self::executor(),
            Backend::ThreadPool => {
                static POOL: OnceLock<ThreadPool> = OnceLock::new();
                let pool = || ThreadPool::builder().pool_size(1).create().expect("a pool");
                Self::ThreadPool(POOL.get_or_init(pool).clone())
            }
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

    fn executor() -> Self {
        let executor = Arc::new(Executor::new());
        let (spawner, native) = (ExecutorSpawner::new(&executor), Arc::downgrade(&executor));
        let (stop, stopped) = channel();
        let thread = std::thread::spawn(move || {
            smol::block_on(executor.run(smol::unblock(move || stopped.recv()))).ok();
            executor
        });
        Self::Executor { spawner, native, keeper: Keeper { stop, thread } }
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
            #[cfg(feature = "async-std")]
            Self::AsyncStd => anypeer::runtime::AsyncStdSpawner::new().into(),
            Self::Executor { spawner, .. } => spawner.clone().into(),
            Self::ThreadPool(pool) => Runtime::from(PoolSpawner(pool.clone())),
        }
    }

    /// Runs `future` in a task of the executor's own making, not of ours.
    pub(crate) fn in_task<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> T {
        let (done, result) = channel();
        // A panic is the test's, and not the executor's, which other tests run on too.
        let task = async move {
            let _ = done.send(AssertUnwindSafe(future).catch_unwind().await);
        };
        match self {
            #[cfg(feature = "tokio")]
            Self::Tokio { handle, .. } => drop(handle.spawn(task)),
            #[cfg(feature = "smol")]
            Self::Smol => smol::spawn(task).detach(),
            #[cfg(feature = "async-std")]
            Self::AsyncStd => drop(async_std::task::spawn(task)),
            Self::Executor { native, .. } => {
                native.upgrade().expect("the host has it").spawn(task).detach();
            }
            Self::ThreadPool(pool) => pool.spawn_ok(task),
        }
        received(&result).unwrap_or_else(|panic| resume_unwind(panic))
    }

    /// Runs `work` in the executor's pool for blocking work, or in smol's where it has none.
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
            #[cfg(feature = "async-std")]
            Self::AsyncStd => drop(async_std::task::spawn_blocking(work)),
            _ => smol::unblock(work).detach(),
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
            _ => {
                let _guard = anypeer::runtime::enter(&self.runtime());
                work()
            }
        }
    }

    /// Runs `future` in a `LocalSet`, on a thread of its own.
    #[cfg(feature = "tokio")]
    pub(crate) fn in_local_set<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> T {
        let Self::Tokio { handle, .. } = self else { panic!("only tokio has local sets") };
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

    /// Stops driving the executor, and gives it back.
    pub(crate) fn stop(self) -> Undriven {
        match self {
            #[cfg(feature = "tokio")]
            Self::Tokio { keeper, .. } => Undriven::Tokio(keeper.stop()),
            Self::Executor { keeper, .. } => Undriven::Executor(keeper.stop()),
            _ => panic!("a static executor cannot be stopped"),
        }
    }
}

/// Waits for what another thread sends.
pub(crate) fn received<T>(result: &Receiver<T>) -> T {
    result.recv_timeout(PATIENCE).expect("expected a result in time, and the other side is silent")
}

/// Runs a test that mostly waits on all backends at once.
pub(crate) fn on_all_at_once(test: impl Fn(Backend, &Host) + Sync) {
    let hosts: Vec<_> = BACKENDS.iter().map(|&backend| (backend, Host::start(backend))).collect();
    std::thread::scope(|scope| {
        for (backend, host) in &hosts {
            scope.spawn(|| test(*backend, host));
        }
    });
}
