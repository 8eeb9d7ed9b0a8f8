//! The truth table: every caller, on every backend, with every action.
//!
//! Each cell is a child process of its own, with a kill timeout: it opens real peers, acts, and
//! looks for that peer's own socket, driver and handler.

mod caller;
mod cell;

use std::sync::Mutex;
use std::time::Duration;

use caller::CALLERS;
use cell::{ACTIONS, Action};

use crate::support::host::{BACKENDS, Backend};
use crate::support::process;

/// After this a child is killed, and its cell has failed.
const KILL_AFTER: Duration = Duration::from_secs(60);

/// How many children run at once: they mostly wait for timers.
const AT_ONCE: usize = 16;

struct Cell {
    caller: usize,
    backend: Backend,
    action: Action,
}

impl Cell {
    fn name(&self) -> String {
        format!("{}/{}/{}", CALLERS[self.caller].name, self.backend.name(), self.action.name())
    }
}

#[test]
fn every_close_ends_and_says_the_truth_about_it() {
    let _alone = process::load();
    let mut cells = Vec::new();
    for (caller, row) in CALLERS.iter().enumerate() {
        for &backend in BACKENDS {
            for &action in ACTIONS {
                if row.applies(backend) {
                    cells.push(Cell { caller, backend, action });
                }
            }
        }
    }
    let count = cells.len();
    let left = Mutex::new(cells);
    let verdicts = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let Some(cell) = left.lock().unwrap().pop() else { break };
                    let verdict = process::run("truth::cell", &cell.name(), KILL_AFTER);
                    verdicts.lock().unwrap().push((cell, verdict));
                }
            });
        }
    });
    let verdicts = verdicts.into_inner().unwrap();
    print(&verdicts);
    let failures: Vec<_> = verdicts
        .iter()
        .filter_map(|(cell, verdict)| {
            let failure = verdict.as_ref().err()?;
            Some(format!("{}: {failure}", cell.name()))
        })
        .collect();
    println!("{} of {count} cells hold", count - failures.len());
    assert!(failures.is_empty(), "cells that do not hold:\n{}", failures.join("\n"));
}

fn print(verdicts: &[(Cell, Result<String, String>)]) {
    println!("\n{:<46} {:<10} {}", "caller", "action", columns(|backend| backend.name().into()));
    for (caller, row) in CALLERS.iter().enumerate() {
        for &action in ACTIONS {
            let line = columns(|backend| {
                let verdict = verdicts.iter().find(|(cell, _)| {
                    cell.caller == caller && cell.backend == backend && cell.action == action
                });
                match verdict {
                    None => String::from("-"),
                    Some((_, Ok(saw))) => saw.clone(),
                    Some((_, Err(_))) => String::from("DOES NOT HOLD"),
                }
            });
            println!("{:<46} {:<10} {line}", row.name, action.name());
        }
    }
}

fn columns(text: impl Fn(Backend) -> String) -> String {
    let columns = BACKENDS.iter().map(|&backend| format!("{:<30}", text(backend)));
    columns.collect::<String>().trim_end().to_owned()
}

/// The child's side. Not a test by itself: it is what the table runs.
#[test]
#[ignore = "one cell of the truth table, which runs it in a process of its own"]
fn cell() {
    let name = process::task();
    let mut parts = name.split('/');
    let mut part = || parts.next().expect("a cell is caller/backend/action");
    let (caller, backend, action) = (part(), part(), part());
    let row = CALLERS.iter().find(|row| row.name == caller).expect("a known caller");
    let backend = *BACKENDS.iter().find(|b| b.name() == backend).expect("a known backend");
    let action = *ACTIONS.iter().find(|a| a.name() == action).expect("a known action");
    let saw = cell::hold(row, backend, action);
    process::report(&saw);
}
