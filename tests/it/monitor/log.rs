//! The log, on disks that work and on disks that do not.

use std::fs;
use std::path::{Path, PathBuf};
#[cfg(feature = "webrtc")]
use std::process::Command;
use std::time::{Duration, Instant};

use anypeer::log::LogOptions;
#[cfg(feature = "webrtc")]
use anypeer::monitor::Level;
use anypeer::monitor::{Health, Limits, Monitor};
#[cfg(feature = "webrtc")]
use anypeer::{PeerOptions, Peers};
use serde_json::Value;

#[cfg(feature = "webrtc")]
use super::stalled::{stalled_pair, watched_by};
use crate::support::folder::Folder;
#[cfg(feature = "webrtc")]
use crate::support::host::{BACKENDS, Host, on_all_at_once};
#[cfg(feature = "webrtc")]
use crate::support::loopback::Pair;
use crate::support::poll::{PATIENCE, block_on, until};
use crate::support::process;

/// The files of one kind of record, the oldest first.
fn files(dir: &Path, kind: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir.join(kind)).into_iter().flatten().flatten();
    let mut files: Vec<_> = entries.map(|entry| entry.path()).collect();
    files.sort();
    files
}

/// Every terminated line of one kind, each of which must be whole.
fn records(dir: &Path, kind: &str) -> Vec<Value> {
    let mut records = Vec::new();
    for file in files(dir, kind) {
        let text = fs::read(&file).expect("it can be read");
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        for line in text[..whole].split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let value = serde_json::from_slice(line);
            records.push(value.unwrap_or_else(|error| {
                panic!("expected a whole line in {file:?}: {error}: {}", line.escape_ascii())
            }));
        }
    }
    records
}

fn monitor(dir: &Path) -> Monitor {
    Monitor::builder().log(LogOptions::new(dir)).build().expect("threads")
}

#[cfg(feature = "webrtc")]
#[test]
fn defect_10_every_record_is_whole_json_with_the_originals_keys_whatever_the_id() {
    on_all_at_once(|backend, host| {
        let folder = Folder::new();
        let monitor = monitor(&folder.0);
        let peers = Peers::builder().runtime(host.runtime()).monitor(&monitor).build();
        let flushed = monitor.clone();
        let operation = host.in_task(async move {
            let offerer = PeerOptions::new().id("a/../b\0\n\"ü").group("room");
            let pair = Pair::open(&peers, offerer, PeerOptions::new()).await.expect("connects");
            let closing = pair.offerer.close();
            let operation = closing.operation();
            assert!(closing.await.is_closed());
            assert!(pair.answerer.close().await.is_closed());
            drop(pair);
            flushed.flush().await;
            operation
        });
        let connections = records(&folder.0, "connections");
        assert_eq!(connections.len(), 2, "on {backend:?}");
        let offerer = connections
            .iter()
            .find(|it| it["connection_id"] == "a/../b\0\n\"ü")
            .expect("an id is safe, whatever is in it");
        for key in ["created_at", "updated_at", "errors", "tracks", "data_channels", "async_tasks"]
        {
            assert!(!offerer[key].is_null(), "expected {key}: {offerer}");
        }
        assert_eq!(offerer["connection_state"], "closed");
        assert_eq!(offerer["close"]["reason"], "requested");
        let first = &offerer["lifecycle_events"][0];
        assert!(first["timestamp"].as_f64().is_some_and(|at| at > 1.6e9), "{first}");
        let operations = records(&folder.0, "operations");
        let close = operations
            .iter()
            .find(|it| it["operation_id"] == operation.to_string())
            .expect("the id that the caller has is that of the log");
        assert_eq!(close["operation_type"], "close_webrtc_connection");
        assert_eq!(
            (&close["status"], &close["result"]["outcome"]),
            (&"completed".into(), &"closed, graceful".into())
        );
        assert!(close["end_time"].as_f64() >= close["start_time"].as_f64(), "{close}");
        let events = records(&folder.0, "events");
        let states: Vec<_> = events
            .iter()
            .filter(|it| it["connection_id"] == offerer["connection_id"])
            .filter(|it| it["type"] == "connection_state_change")
            .map(|it| it["details"]["state"].as_str().expect("a state"))
            .collect();
        assert_eq!(states, ["connecting", "connected"], "on {backend:?}");
        assert_eq!(monitor.summary().dropped, 0);
        let outside: Vec<_> = fs::read_dir(&folder.0).expect("there").flatten().collect();
        assert_eq!(outside.len(), 3, "expected nothing beside the three folders: {outside:?}");
    });
}

#[cfg(feature = "webrtc")]
#[test]
fn a_stalled_handler_is_a_record_at_level_warn() {
    let folder = Folder::new();
    let monitor = monitor(&folder.0);
    let host = Host::start(BACKENDS[0]);
    let peers = watched_by(&monitor, &host);
    host.in_task(async move {
        let (pair, let_go) = stalled_pair(&peers, "held").await;
        super::until(&monitor, "held", "stalled", |info| {
            info.timeline.iter().any(|(_, event)| event.level() == Level::Warn)
        })
        .await;
        let_go.raise();
        assert!(pair.answerer.close().await.is_closed());
        monitor.flush().await;
        drop(pair);
    });
    let events = records(&folder.0, "events");
    let stalled = events.iter().find(|it| it["type"] == "handler_stalled").expect("it is there");
    assert_eq!(
        (&stalled["level"], &stalled["connection_id"], &stalled["details"]["callback"]),
        (&"warn".into(), &"held".into(), &"on_data_channel".into())
    );
    let opened = events.iter().find(|it| it["type"] == "opened").expect("it is there");
    assert_eq!(opened["level"], "info");
}

/// Does `count` operations; the answer is how long that took.
fn operations(monitor: &Monitor, count: u32) -> Duration {
    let start = Instant::now();
    for number in 0..count {
        monitor.new_operation("work").detail("number", number).start().complete();
    }
    start.elapsed()
}

#[test]
fn files_are_turned_over_by_size_and_old_ones_are_removed() {
    let folder = Folder::new();
    let options = LogOptions::new(&folder.0).file_bytes(10_000).files(3).queue(100_000);
    let monitor = Monitor::builder().log(options).build().expect("threads");
    for _ in 0..40 {
        operations(&monitor, 100);
        block_on(monitor.flush());
    }
    let files = files(&folder.0, "operations");
    assert_eq!(files.len(), 3, "{files:?}");
    let last = records(&folder.0, "operations").pop().expect("there are some");
    assert_eq!(last["details"]["number"], 99, "expected the last ones to be kept: {last}");
    assert!(!files[0].to_string_lossy().contains(".0000."), "expected the oldest to be gone");
}

#[test]
fn a_torn_tail_is_cut_when_the_file_is_next_opened() {
    let folder = Folder::new();
    let first = monitor(&folder.0);
    operations(&first, 3);
    block_on(first.flush());
    drop(first);
    let file = files(&folder.0, "operations").pop().expect("one");
    let mut text = fs::read(&file).expect("it can be read");
    text.extend_from_slice(br#"{"operation_id":"torn"#);
    fs::write(&file, text).expect("it can be written");
    let second = monitor(&folder.0);
    operations(&second, 2);
    block_on(second.flush());
    assert_eq!(records(&folder.0, "operations").len(), 5);
}

#[test]
fn two_monitors_may_write_to_one_folder() {
    let folder = Folder::new();
    let monitors = [monitor(&folder.0), monitor(&folder.0)];
    for _ in 0..20 {
        for monitor in &monitors {
            operations(monitor, 5);
        }
        for monitor in &monitors {
            block_on(monitor.flush());
        }
    }
    assert_eq!(records(&folder.0, "operations").len(), 200);
    assert_eq!(files(&folder.0, "operations").len(), 2, "expected each to have its own file");
}

#[test]
fn a_log_whose_folder_is_removed_goes_on_by_itself() {
    let folder = Folder::new();
    let monitor = monitor(&folder.0);
    operations(&monitor, 10);
    block_on(monitor.flush());
    fs::remove_dir_all(&folder.0).expect("it can be removed");
    operations(&monitor, 10);
    block_on(monitor.flush());
    assert_eq!(records(&folder.0, "operations").len(), 10, "expected the folder to be made anew");
    assert_eq!(monitor.summary().dropped, 0);
}

#[test]
fn a_folder_that_cannot_be_made_is_counted_and_harms_nobody() {
    let folder = Folder::new();
    // A file stands where the folder should be: this holds for root, too.
    let dir = folder.0.join("logs");
    fs::write(&dir, "in the way").expect("it can be written");
    let monitor = monitor(&dir);
    operations(&monitor, 10);
    block_on(monitor.flush());
    let summary = monitor.summary();
    assert_eq!((summary.dropped, summary.operations.completed), (10, 10));
    assert!(matches!(summary.health, Health::Degraded(_)), "{}", summary.health);
    assert_eq!(summary.health.to_string(), "degraded: 10 log records were dropped");

    fs::remove_file(&dir).expect("it can be removed");
    let written = |monitor: &Monitor| {
        operations(monitor, 1);
        block_on(monitor.flush());
        records(&dir, "operations").len()
    };
    until("the log to go on by itself", || written(&monitor) > 0);
    let first = &records(&dir, "operations")[0];
    assert_eq!(first["type"], "records_dropped", "expected the gap to be said first: {first}");
    let dropped = monitor.summary().dropped;
    assert_eq!(first["dropped"].as_u64(), Some(dropped));
}

/// Runs one of the children below in a namespace of its own that has a disk of 64 KiB.
#[cfg(feature = "webrtc")]
fn on_a_small_disk(task: &str, dir: &Path) -> Result<String, String> {
    let mut command = Command::new("unshare");
    let script = r#"mount -t tmpfs -o size=64k tmpfs "$0" && exec "$@""#;
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script]);
    command.arg(dir).arg(process::binary());
    process::run_as(
        command,
        "monitor::log::child",
        &format!("{task} {}", dir.display()),
        PATIENCE * 2,
    )
}

#[cfg(feature = "webrtc")]
#[test]
fn a_disk_that_is_full_delays_nobody_and_the_log_goes_on_when_there_is_room() {
    let namespace = ["--user", "--map-root-user", "--mount", "true"];
    if !Command::new("unshare").args(namespace).status().is_ok_and(|status| status.success()) {
        eprintln!("skipped: this system lets nobody have a disk of one's own");
        return;
    }
    let folder = Folder::new();
    let reported = on_a_small_disk("full", &folder.0);
    println!("{}", reported.unwrap_or_else(|failure| panic!("{failure}")));
}

#[test]
fn defect_11_a_disk_of_200_ms_delays_nobody() {
    let folder = Folder::new();
    let command = process::preloaded(&folder, "slow_disk");
    let task = format!("slow {}", folder.0.join("logs").display());
    let reported = process::run_as(command, "monitor::log::child", &task, PATIENCE * 2);
    println!("{}", reported.unwrap_or_else(|failure| panic!("{failure}")));
}

#[test]
fn what_is_killed_in_the_middle_of_a_write_leaves_whole_lines() {
    let folder = Folder::new();
    for round in 0..3 {
        let child = process::start("monitor::log::child", &format!("write {}", folder.0.display()));
        let size = || {
            files(&folder.0, "operations")
                .iter()
                .filter_map(|it| fs::metadata(it).ok())
                .map(|it| it.len())
                .sum::<u64>()
        };
        let before = size();
        until("the child to write", || size() >= before + 1_000_000);
        // SIGKILL.
        drop(child);
        let whole = records(&folder.0, "operations").len();
        assert!(whole > 1000 * (round + 1), "expected the lines of every round: {whole}");
    }
    let last = monitor(&folder.0);
    operations(&last, 1);
    block_on(last.flush());
    for file in files(&folder.0, "operations") {
        let text = fs::read(&file).expect("it can be read");
        assert_eq!(text.last(), Some(&b'\n'), "expected no torn tail in {file:?}");
    }
}

#[test]
#[ignore = "is run in a process of its own"]
fn child() {
    let task = process::task();
    let (task, dir) = task.split_once(' ').expect("a task and a folder");
    let dir = PathBuf::from(dir);
    match task {
        "write" => {
            let options = LogOptions::new(&dir).queue(4096);
            let monitor = Monitor::builder().log(options).build().expect("threads");
            loop {
                operations(&monitor, 1000);
            }
        }
        #[cfg(feature = "webrtc")]
        "full" => full(&dir),
        "slow" => slow(&dir),
        other => panic!("unknown task {other}"),
    }
}

/// Fills a disk of 64 KiB, and then makes room.
#[cfg(feature = "webrtc")]
fn full(dir: &Path) {
    const COUNT: u32 = 5000;
    let options = LogOptions::new(dir).queue(COUNT as usize * 2);
    let monitor = Monitor::builder().log(options).build().expect("threads");
    operations(&monitor, COUNT);
    block_on(monitor.flush());
    let dropped = monitor.summary().dropped;
    let written = records(dir, "operations").len() as u64;
    assert!(
        dropped > 0 && written + dropped == u64::from(COUNT),
        "{written} written, {dropped} dropped"
    );
    // The application has not failed.
    let host = Host::start(BACKENDS[0]);
    let peers = Peers::builder().runtime(host.runtime()).monitor(&monitor).build();
    host.in_task(async move {
        let pair = Pair::open(&peers, PeerOptions::new(), PeerOptions::new()).await;
        drop(pair.expect("connects"));
        assert!(peers.shutdown().await.all_closed());
    });
    for kind in ["connections", "operations", "events"] {
        files(dir, kind).iter().for_each(|file| fs::remove_file(file).expect("it can be removed"));
    }
    until("the log to go on by itself", || {
        operations(&monitor, 1);
        block_on(monitor.flush());
        records(dir, "operations").iter().any(|it| it["operation_type"] == "work")
    });
    process::report(&format!("{written} of {COUNT} records had room, and then it went on"));
}

/// Does 20,000 operations beside a disk that takes 200 ms for every write.
fn slow(dir: &Path) {
    const COUNT: u32 = 20_000;
    let options = LogOptions::new(dir).queue(256);
    let limits = Limits::default();
    let monitor = Monitor::builder().log(options).limits(limits).build().expect("threads");
    let took = operations(&monitor, COUNT);
    block_on(monitor.flush());
    let dropped = monitor.summary().dropped;
    let gaps = |it: &Value| it["type"] == "records_dropped";
    let all = records(dir, "operations");
    let written = all.iter().filter(|it| !gaps(it)).count() as u64;
    assert!(dropped > 0, "expected the queue to have been full");
    assert_eq!(written + dropped, u64::from(COUNT), "{written} written, {dropped} dropped");
    // If each waited for its write they would take an hour; 5 s are 250 us for each.
    assert!(took < Duration::from_secs(5), "expected nobody to wait for the disk: {took:?}");
    process::report(&format!(
        "{COUNT} operations in {took:?}, {written} written and {dropped} dropped by 200 ms a write"
    ));
}
