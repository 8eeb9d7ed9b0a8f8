//! Connections as files that known tools show: live ones and ended ones, as many as there are.
//!
//! - [`internals`] makes the file that a browser's page `chrome://webrtc-internals` saves.
//! - [`rtcstats`] makes an `RTCStatsDump`, as rtcstats-js and rtcstats-server do.
//!
//! Both load in the dump importer of [rtcstats](https://github.com/rtcstats/rtcstats), which is also
//! hosted at <https://www.rtcstats.com>; it shows states, log, candidates and statistics. Nothing is
//! sent anywhere: each is a text, to be kept or shown where you like.
//!
//! ```
//! use anypeer::monitor::ConnectionInfo;
//! use anypeer::dump;
//!
//! let connections: Vec<ConnectionInfo> = Vec::new(); // From a monitor.
//! assert!(dump::internals(&connections).starts_with('{'));
//! assert!(dump::rtcstats(&connections).starts_with("RTCStatsDump\n"));
//! ```
//!
//! # What is in them
//!
//! What the [monitor](crate::monitor) keeps, with its limits: a long timeline has lost its beginning.
//! The same connections make the same text in the same process.
//!
//! | In the file | From |
//! |---|---|
//! | `setLocalDescription`, `setRemoteDescription` | descriptions; `sdp` is empty where one was not kept |
//! | `on..statechange`, `onnegotiationneeded` | the timeline |
//! | `onicecandidate`, `addIceCandidate`, `onicecandidateerror` | the timeline; candidates that came in a description are in that |
//! | `createDataChannel`, `ondatachannel` | the timeline; the latter also where the side is not known |
//! | `transceiverAdded`, `transceiverModified` in [`internals`] | tracks |
//! | `addTrack`, `removeTrack`, `ontrack`, `MediaStreamTrack.onended` in [`rtcstats`] | tracks |
//! | `close` | the end; its value is the reason |
//! | `anypeer` | everything else in the timeline (errors, alerts, tasks, closes that failed ..), as text |
//! | statistics over time | samples: transport `T`, the pair in use, and for all received media together `jitter`, `packetsLost` and `quality` in `P` |
//! | statistics at the time of the last sample | the last [`StatsReport`](crate::stats::StatsReport) |
//!
//! # What is null or missing
//!
//! - **Secrets**: none is in a record, and a server's URL has no user. Addresses that the
//!   monitor was asked to hide are `redacted.invalid`.
//! - **Fields before they were known**: only the last report has all fields. In [`internals`] they
//!   are `null` until then; in [`rtcstats`] they are left out.
//! - **Which pair** a round trip was measured on: all are shown at the pair in use at the end.
//! - **`sdpMid`, `sdpMLineIndex`** of a candidate, its foundation (0) and related address: not kept.
//! - **Calls**: `createOffer`, `createAnswer`, and whether and when a call succeeded. An operation
//!   that failed is in the log as `anypeer`.
//! - **A data channel's** options, a track's streams, a transceiver's direction; whatever
//!   only a browser has, like `getUserMedia`.
//!
//! # Where the formats are from
//!
//! Chrome's `dump_creator.js` and `peer_connection_tracker.cc` of M138 and later, rtcstats-server's
//! description of its file format (version 3), and the importer's own source: each file is such that
//! it loads there.

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

/// Connections as `chrome://webrtc-internals` saves them (Chrome M138 and later).
///
/// A connection's key is the process's id and the [number](ConnectionInfo::number) of the
/// connection, or a free number if connections of several monitors share one; its `url` has the
/// peer's id. `rtcConfiguration` is an object, not a text as Chrome has it: only that is looked
/// into by readers.
#[must_use]
pub fn internals(connections: &[ConnectionInfo]) -> String {
    internals::dump(connections)
}

/// Connections as an `RTCStatsDump`, version 3, not compressed but for statistics that have not
/// changed.
///
/// A connection's id is its [number](ConnectionInfo::number), or a free one as in [`internals`], and
/// the peer's id: `7-alice`. Its first line is `create`, and the file's first one is the
/// `create` of no connection, which has the program's name.
#[must_use]
pub fn rtcstats(connections: &[ConnectionInfo]) -> String {
    rtcstats::dump(connections)
}

/// The last statistics of a connection, by their ids, in W3C's names and units.
#[cfg(feature = "http")]
pub(crate) fn last_stats(
    info: &ConnectionInfo,
) -> BTreeMap<String, BTreeMap<&'static str, crate::wire::w3c::Scalar>> {
    stats::last(info)
}
