//! What the monitor knows of real peers.

mod calls;
mod defects;
mod diagnosis;
mod life;
#[cfg(feature = "log")]
mod log;

#[cfg(feature = "metrics")]
mod metrics;
mod redaction;
mod stalled;
#[cfg(feature = "tracing")]
mod tracing;

use std::time::Duration;

use anypeer::Peers;
use anypeer::monitor::{ConnectionInfo, Monitor};

use crate::host::Host;

fn watched(host: &Host) -> (Monitor, Peers) {
    let monitor = Monitor::new().expect("threads");
    let peers = Peers::builder().runtime(host.runtime()).monitor(&monitor).build();
    (monitor, peers)
}

/// Waits until the monitor knows a connection to be as `condition` says.
async fn until(
    monitor: &Monitor,
    id: &str,
    what: &str,
    condition: impl Fn(&ConnectionInfo) -> bool,
) -> ConnectionInfo {
    const PATIENCE: u32 = 60_000;
    for _ in 0..PATIENCE / 5 {
        if let Some(info) = monitor.connection(id).filter(&condition) {
            return info;
        }
        async_io::Timer::after(Duration::from_millis(5)).await;
    }
    panic!("expected {id} to be {what}: {:#?}", monitor.connection(id));
}
