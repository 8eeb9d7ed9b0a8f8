//! What the monitor knows.

#[cfg(feature = "webrtc")]
mod calls;
#[cfg(feature = "test-util")]
mod clock;
mod defects;
#[cfg(feature = "webrtc")]
mod diagnosis;
#[cfg(feature = "webrtc")]
mod life;
#[cfg(feature = "log")]
mod log;
#[cfg(all(feature = "metrics", feature = "webrtc"))]
mod metrics;
#[cfg(feature = "webrtc")]
mod redaction;
#[cfg(feature = "webrtc")]
mod stalled;
#[cfg(feature = "tracing")]
mod tracing;

use anypeer::Peers;
#[cfg(feature = "webrtc")]
use anypeer::monitor::ConnectionInfo;
use anypeer::monitor::Monitor;

use crate::support::host::Host;
#[cfg(feature = "webrtc")]
use crate::support::poll::{PATIENCE, poll_in_task};

fn watched(host: &Host) -> (Monitor, Peers) {
    let monitor = Monitor::new().expect("threads");
    let peers = Peers::builder().runtime(host.runtime()).monitor(&monitor).build();
    (monitor, peers)
}

/// Waits until the monitor knows a connection to be as `condition` says.
#[cfg(feature = "webrtc")]
async fn until(
    monitor: &Monitor,
    id: &str,
    what: &str,
    condition: impl Fn(&ConnectionInfo) -> bool,
) -> ConnectionInfo {
    let found = poll_in_task(PATIENCE, || monitor.connection(id).filter(&condition)).await;
    found.unwrap_or_else(|| panic!("expected {id} to be {what}: {:#?}", monitor.connection(id)))
}
