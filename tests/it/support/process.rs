//! Tests that count what a whole process has run in a process of their own.

use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

#[cfg(feature = "monitor")]
use super::folder::Folder;
use super::poll::poll;

/// Held by tests that load the machine: two at once would only measure each other.
pub(crate) fn load() -> MutexGuard<'static, ()> {
    static LOAD: Mutex<()> = Mutex::new(());
    LOAD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Tells a child what it is to do.
const TASK: &str = "ANYPEER_TEST_CHILD";

/// Runs the ignored test `test` in a child, which finds `task` in [`task`] and answers with
/// [`report`]. A child that takes longer than `timeout` is killed, and has failed.
pub(crate) fn run(test: &str, task: &str, timeout: Duration) -> Result<String, String> {
    run_as(Command::new(binary()), test, task, timeout)
}

/// The test binary.
pub(crate) fn binary() -> PathBuf {
    std::env::current_exe().expect("a test binary has a path")
}

/// As [`run`], by a command that comes to the test binary, with more arguments.
pub(crate) fn run_as(
    mut command: Command,
    test: &str,
    task: &str,
    timeout: Duration,
) -> Result<String, String> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = Running::start(command, test, task);
    let stdout = drain(child.0.stdout.take());
    let stderr = drain(child.0.stderr.take());
    let ended = child.end_within(timeout);
    drop(child);
    let (stdout, stderr) = (stdout.join().unwrap(), stderr.join().unwrap());
    let reported = stdout.lines().find_map(|line| line.split_once("REPORT ")).map(|(_, text)| text);
    match (ended, reported) {
        (Some(status), Some(reported)) if status.success() => Ok(reported.to_owned()),
        (Some(status), _) => Err(format!("it failed, {status}\n{stdout}\n{stderr}")),
        (None, _) => Err(format!("it hung for {timeout:?} and was killed\n{stdout}\n{stderr}")),
    }
}

/// A command that comes to the test binary, with a C file of the monitor's tests preloaded.
#[cfg(feature = "monitor")]
pub(crate) fn preloaded(folder: &Folder, name: &str) -> Command {
    let shim = folder.0.join(name).with_extension("so");
    let source = format!("{}/tests/it/monitor/{name}.c", env!("CARGO_MANIFEST_DIR"));
    let compiler = Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .arg(&shim)
        .args([&source, "-ldl"])
        .status();
    assert!(compiler.expect("a C compiler").success(), "expected {source} to be built");
    let mut command = Command::new(binary());
    command.env("LD_PRELOAD", shim);
    command
}

/// Starts the ignored test `test` in a child as [`run`] does, and leaves it running.
pub(crate) fn start(test: &str, task: &str) -> Running {
    let mut command = Command::new(binary());
    command.stdout(Stdio::null());
    Running::start(command, test, task)
}

/// In a child: what it is to do.
///
/// # Panics
///
/// In a process that is no child: by itself its side would do nothing, and pass.
pub(crate) fn task() -> String {
    std::env::var(TASK).unwrap_or_else(|_| {
        panic!("this is one side of another test, which runs it in a process of its own")
    })
}

/// In a child: answers, and ends the process, whatever threads are still blocked on purpose.
pub(crate) fn report(text: &str) -> ! {
    println!("\nREPORT {text}");
    std::process::exit(0);
}

fn drain(pipe: Option<impl Read + Send + 'static>) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut text = String::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.read_to_string(&mut text);
        }
        text
    })
}

/// A child that is running; it is killed when this is dropped.
pub(crate) struct Running(Child);

impl Running {
    fn start(mut command: Command, test: &str, task: &str) -> Self {
        command
            .args(["--exact", test, "--ignored", "--nocapture", "--test-threads=1"])
            .env(TASK, task)
            .env("SMOL_THREADS", "1")
            .env("ASYNC_STD_THREAD_COUNT", "1")
            // One heap: with one for each thread, what a process has resident tells less of what
            // is kept than of which threads happened to allocate at the same time.
            .env("MALLOC_ARENA_MAX", "1");
        Self(command.spawn().expect("a child can be started"))
    }

    /// How it ended; `None` if it has not in time.
    fn end_within(&mut self, timeout: Duration) -> Option<ExitStatus> {
        poll(timeout, || self.0.try_wait().expect("a child can be waited for"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
