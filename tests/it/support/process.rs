//! Tests that count what a whole process has run in a process of their own.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Held by tests whose children load the machine: two at once would only measure each other.
pub(crate) static LOAD: Mutex<()> = Mutex::new(());

/// Tells a child what it is to do.
const TASK: &str = "ANYPEER_TEST_CHILD";

/// Runs the ignored test `test` in a child, which finds `task` in [`task`] and answers with
/// [`report`]. A child that takes longer than `timeout` is killed, and has failed.
pub(crate) fn run(test: &str, task: &str, timeout: Duration) -> Result<String, String> {
    run_as(Command::new(binary()), test, task, timeout)
}

/// The test binary.
pub(crate) fn binary() -> std::path::PathBuf {
    std::env::current_exe().expect("a test binary has a path")
}

/// As [`run`], by a command that comes to the test binary, with more arguments.
pub(crate) fn run_as(
    mut command: Command,
    test: &str,
    task: &str,
    timeout: Duration,
) -> Result<String, String> {
    let mut child = command
        .args(["--exact", test, "--ignored", "--nocapture", "--test-threads=1"])
        .env(TASK, task)
        .env("SMOL_THREADS", "1")
        .env("ASYNC_STD_THREAD_COUNT", "1")
        // One heap: with one for each thread, what a process has resident tells less of what is
        // kept than of which threads happened to allocate at the same time.
        .env("MALLOC_ARENA_MAX", "1")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a child can be started");
    let stdout = drain(child.stdout.take());
    let stderr = drain(child.stderr.take());
    let ended = wait(&mut child, timeout);
    let (stdout, stderr) = (stdout.join().unwrap(), stderr.join().unwrap());
    let reported = stdout.lines().find_map(|line| line.split_once("REPORT ")).map(|(_, text)| text);
    match (ended, reported) {
        (Some(true), Some(reported)) => Ok(reported.to_owned()),
        (Some(_), _) => Err(format!("it failed\n{stdout}\n{stderr}")),
        (None, _) => Err(format!("it hung for {timeout:?} and was killed\n{stdout}\n{stderr}")),
    }
}

/// In a child: what it is to do. `None` in a process that is no child.
pub(crate) fn task() -> Option<String> {
    std::env::var(TASK).ok()
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

/// Whether the child succeeded; `None` if it had to be killed.
fn wait(child: &mut Child, timeout: Duration) -> Option<bool> {
    let deadline = Instant::now() + timeout;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait().expect("a child can be waited for") {
            return Some(status.success());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let _ = child.kill();
    let _ = child.wait();
    None
}
