//! anypeer on an executor that the host drives itself, here with two threads:
//! `cargo run --release --example custom_executor -- --peers 8`.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "an example brings its own executor, and prints"
)]

mod shared;

use std::process::ExitCode;
use std::sync::Arc;

use anypeer::runtime::ExecutorSpawner;
use async_executor::Executor;
use futures::channel::oneshot;

fn main() -> ExitCode {
    let executor = Arc::new(Executor::new());
    let runtime = ExecutorSpawner::new(&executor).into();
    let (stop, stopped) = oneshot::channel::<()>();
    let exit = std::thread::scope(|scope| {
        scope.spawn(|| async_io::block_on(executor.run(stopped)));
        let exit = async_io::block_on(executor.run(shared::main(runtime)));
        drop(stop);
        exit
    });
    let freed = Arc::into_inner(executor).is_some();
    println!("the executor was {}", if freed { "freed" } else { "kept by somebody" });
    if freed { exit } else { ExitCode::FAILURE }
}
