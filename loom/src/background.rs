//! Stands in for the background executor in a model: a thread for each task.

use super::spawner::BoxFuture;
use super::thread::StartError;

pub(super) fn start() -> Result<(), StartError> {
    Ok(())
}

pub(super) fn spawn<F>(future: F) -> async_executor::Task<F::Output>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    let (report, end) = futures::channel::oneshot::channel();
    loom::thread::spawn(move || drop(report.send(loom::future::block_on(future))));
    // Run wherever it is woken: it only hands the result on.
    let task = async move {
        match end.await {
            Ok(output) => output,
            Err(_dropped) => std::future::pending().await,
        }
    };
    let (runnable, task) = async_task::spawn(task, |runnable: async_task::Runnable| {
        runnable.run();
    });
    runnable.schedule();
    task
}

pub(crate) fn foreign<F>(future: F) -> BoxFuture<F::Output>
where
    F: Future + Send + 'static,
{
    Box::pin(future)
}
