//! The table of test results.

use std::time::{Duration, Instant};

use async_io::Timer;
use futures::future::{Either, select};
use serde_json::Value;

use crate::client::Failure;
use crate::say;

/// How long a test may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// The result of a test, with a note to print if it passed.
pub(super) type Tested = Result<String, Failure>;

/// The number of tests that were run, and how many passed.
#[derive(Default)]
pub(super) struct Table {
    pub(super) run: usize,
    pub(super) passed: usize,
}

/// The result of a test, and how long the test took.
pub(super) struct Timed<T> {
    result: Result<T, Failure>,
    took: Duration,
}

/// Runs a test within the bound.
pub(super) async fn timed<T>(test: impl Future<Output = Result<T, Failure>>) -> Timed<T> {
    let start = Instant::now();
    let result = match select(Box::pin(test), Timer::after(PATIENCE)).await {
        Either::Left((result, _)) => result,
        Either::Right(_) => Err(format!("no result within {PATIENCE:?}").into()),
    };
    Timed { result, took: start.elapsed() }
}

impl Table {
    /// Runs a test, prints its result, and returns its value if it passed.
    pub(super) async fn test<T: Note>(
        &mut self,
        name: &str,
        test: impl Future<Output = Result<T, Failure>>,
    ) -> Option<T> {
        let timed = timed(test).await;
        self.print(name, timed)
    }

    /// Prints the result of a test. Returns its value if it passed.
    pub(super) fn print<T: Note>(&mut self, name: &str, timed: Timed<T>) -> Option<T> {
        let took = timed.took.as_secs_f64() * 1e3;
        self.run += 1;
        match timed.result {
            Ok(value) => {
                self.passed += 1;
                say::line(format_args!("PASS {took:>8.1} ms  {name}: {}", value.note()));
                Some(value)
            }
            Err(error) => {
                say::line(format_args!("FAIL {took:>8.1} ms  {name}: {error}"));
                None
            }
        }
    }
}

/// The note that is printed for a test that passed.
pub(super) trait Note {
    fn note(&self) -> String;
}

impl Note for String {
    fn note(&self) -> String {
        self.clone()
    }
}

/// Checks that a value is the expected one.
pub(super) fn is(value: &Value, expected: &Value) -> Result<(), Failure> {
    if value == expected { Ok(()) } else { Err(format!("expected {expected}, got {value}").into()) }
}
