//! Calls of the connection as a whole: its configuration and its statistics.

use std::time::Instant;

use ::webrtc::peer_connection::{RTCConfiguration, RTCStatsReport, StatsSelector};

use crate::event::EventKind;
use crate::webrtc::call::Call;
use crate::webrtc::convert;
use crate::webrtc::peer::Peer;

impl Peer {
    /// Updates the configuration. Only the fields that may change after construction (W3C
    /// webrtc-pc) are applied. A change of the peer identity or of the number of certificates is
    /// refused.
    ///
    /// # Errors
    ///
    /// Returns [`OperationError`](crate::webrtc::OperationError) if the peer is closed, or `webrtc`
    /// refuses the call.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the configuration may have been replaced.
    pub fn set_configuration(&self, configuration: RTCConfiguration) -> Call<'_, ()> {
        self.call("set_configuration", move |connection| async move {
            // The configuration is reported before the call, so that its credentials are removed
            // from the error if the call fails.
            let configured = &convert::configuration(&configuration);
            self.peer.status().tell(|| EventKind::Configured { configuration: configured });
            Ok(connection.set_configuration(configuration).await?)
        })
    }

    forward! {
        /// Requests an ICE restart, which the next offer carries out.
        restart_ice() -> ();
    }

    forward_infallible! {
        /// Returns the configuration, **with its credentials**.
        configuration() -> RTCConfiguration = get_configuration;
        /// Returns the statistics of the `webrtc` crate, not all of which are in the units of W3C.
        /// [`Probe::stats`](crate::peer::Probe::stats) returns statistics in these units.
        stats(now: Instant, selector: StatsSelector) -> RTCStatsReport = get_stats;
    }
}
