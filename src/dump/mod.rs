//! Dumps of connections, live ones and ended ones, in formats that existing tools can show.
//!
//! - [`internals`] makes a file like those that `chrome://webrtc-internals` saves.
//! - [`rtcstats`] makes an `RTCStatsDump`, like rtcstats-js and rtcstats-server.
//!
//! Both can be loaded in the dump importer of [rtcstats](https://github.com/rtcstats/rtcstats),
//! which is also hosted at <https://www.rtcstats.com>. It shows the states, the log, the candidates
//! and the statistics. The functions only return a text; nothing is sent anywhere.
//!
//! ```
//! use anypeer::dump;
//! use anypeer::monitor::Monitor;
//!
//! let monitor = Monitor::new()?;
//! // .. Peers of the sets that the monitor watches come and go.
//! let mut connections = monitor.connections(0, 100);
//! connections.extend(monitor.closed());
//! let text = dump::internals(&connections); // To be saved as `dump.json`.
//! # assert!(text.starts_with('{'));
//! # Ok::<(), anypeer::runtime::StartError>(())
//! ```
//!
//! # Content
//!
//! A dump contains what the [monitor](crate::monitor) keeps, so a long timeline lacks its
//! beginning. In the same process, the same connections make the same text.
//!
//! | In the file | From |
//! |---|---|
//! | `setLocalDescription`, `setRemoteDescription` | descriptions; `sdp` is empty if the text was not kept |
//! | `on..statechange`, `onnegotiationneeded` | the timeline |
//! | `onicecandidate`, `addIceCandidate`, `onicecandidateerror` | the timeline; candidates in a remote description appear only there |
//! | `createDataChannel`, `ondatachannel` | the timeline; `ondatachannel` also if the side is not known |
//! | `transceiverAdded`, `transceiverModified` in [`internals`] | tracks |
//! | `addTrack`, `removeTrack`, `ontrack`, `MediaStreamTrack.onended` in [`rtcstats`] | tracks |
//! | `close` | the end; the value is the reason |
//! | `anypeer` | all other events in the timeline (errors, alerts, tasks, closes that failed ..), as text |
//! | statistics over time | samples: the transport `T`, the selected pair, and `jitter`, `packetsLost` and `quality` of all received media in `P` |
//! | statistics at the time of the last sample | the last [`StatsReport`](crate::stats::StatsReport) |
//!
//! # What is missing
//!
//! - **Secrets**: records contain no secrets, and user names are removed from the URLs of ICE
//!   servers. Addresses that the monitor removed are written as `redacted.invalid`.
//! - **Early values of some fields**: only the last report has all fields. Before its time, fields
//!   that samples do not have are `null` in [`internals`], and are left out in [`rtcstats`].
//! - **The pair that a round-trip time belongs to**: all round-trip times are shown at the pair
//!   that is selected in the last report.
//! - **Parts of candidates**: `sdpMid`, `sdpMLineIndex`, the foundation (which is 0) and the
//!   related address are not kept.
//! - **Calls**: `createOffer`, `createAnswer`, and whether and when a call succeeded. A call that
//!   failed is in the log as `anypeer`.
//! - **Other details**: the options of a data channel, the streams of a track, the direction of a
//!   transceiver, and everything that only a browser has, such as `getUserMedia`.
//!
//! # Sources of the formats
//!
//! The formats are those of Chrome's `dump_creator.js` and `peer_connection_tracker.cc` (M138 and
//! later), of rtcstats-server's description of its file format (version 3), and of the source of
//! the importer, which can load each file.

mod candidate;
mod internals;
mod log;
mod number;
mod rtcstats;
mod stats;
#[cfg(test)]
mod tests;
mod time;

#[cfg(feature = "http")]
use std::collections::BTreeMap;

use crate::monitor::ConnectionInfo;

/// Returns connections in the format of `chrome://webrtc-internals` (Chrome M138 and later), which
/// is JSON.
///
/// The key of a connection is the id of the process, a `-`, and the
/// [number](ConnectionInfo::number) of the connection. If connections of several monitors have the
/// same number, the later ones get a free number. `url` contains the id of the peer.
/// `rtcConfiguration` is an object and not a text as in Chrome, because readers only look into an
/// object.
///
/// ```no_run
/// use anypeer::dump;
/// use anypeer::monitor::Monitor;
///
/// # fn example(monitor: &Monitor) -> std::io::Result<()> {
/// std::fs::write("dump.json", dump::internals(&monitor.closed()))?;
/// # Ok(())
/// # }
/// ```
#[must_use]
pub fn internals(connections: &[ConnectionInfo]) -> String {
    internals::dump(connections)
}

/// Returns connections as an `RTCStatsDump`, version 3, which is text with JSON in each line. Of
/// the statistics, only values that have changed are written; nothing else is compressed.
///
/// The id of a connection is its [number](ConnectionInfo::number), or a free number as in
/// [`internals`], a `-`, and the id of the peer, for instance `7-alice`. The first line of each
/// connection is `create`. The first such line of the file belongs to no connection, and has the
/// name of this crate.
///
/// ```no_run
/// use anypeer::dump;
/// use anypeer::monitor::Monitor;
///
/// # fn example(monitor: &Monitor) -> std::io::Result<()> {
/// let connections: Vec<_> = monitor.connection("alice").into_iter().collect();
/// std::fs::write("alice.txt", dump::rtcstats(&connections))?;
/// # Ok(())
/// # }
/// ```
#[must_use]
pub fn rtcstats(connections: &[ConnectionInfo]) -> String {
    rtcstats::dump(connections)
}

/// Returns the last statistics of a connection by their ids, with the names and units of W3C
/// webrtc-stats.
#[cfg(feature = "http")]
pub(crate) fn last_stats(
    info: &ConnectionInfo,
) -> BTreeMap<String, BTreeMap<&'static str, crate::wire::w3c::Scalar>> {
    stats::last(info)
}
