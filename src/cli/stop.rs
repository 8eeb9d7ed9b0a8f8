//! Closes every connection when the program ends, and prints the outcomes.

use std::time::Duration;

use anypeer::Peers;
use async_io::Timer;
use futures::future::{Either, select};
use indicatif::{ProgressBar, ProgressStyle};

use crate::say;

/// Closes every connection. Returns whether all are closed.
pub(crate) async fn close_all(peers: &Peers) -> bool {
    let open = peers.len();
    let mut closing = peers.shutdown();
    let bar = ProgressBar::new(open as u64);
    if let Ok(style) = ProgressStyle::with_template("closing {wide_bar} {pos} of {len}") {
        bar.set_style(style);
    }
    let report = loop {
        match select(&mut closing, Timer::after(Duration::from_millis(50))).await {
            Either::Left((report, _)) => break report,
            Either::Right(_) => bar.set_position(open.saturating_sub(peers.len()) as u64),
        }
    };
    bar.finish_and_clear();
    say::line(&report);
    report.all_closed()
}
