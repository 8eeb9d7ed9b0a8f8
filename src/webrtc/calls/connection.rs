//! The connection as a whole: its configuration, and its statistics.

use std::time::Instant;

use ::webrtc::peer_connection::{RTCConfiguration, RTCStatsReport, StatsSelector};

use crate::event::EventKind;
use crate::webrtc::call::Call;
use crate::webrtc::convert;
use crate::webrtc::peer::Peer;

impl Peer {
    /// Replaces the configuration, as far as that is possible.
    ///
    /// # Errors
    ///
    /// [`OperationError`](crate::webrtc::OperationError): the peer is closed, or `webrtc` refused.
    ///
    /// # Cancel safety
    ///
    /// As in `webrtc`: the configuration may have been replaced.
    pub fn set_configuration(&self, configuration: RTCConfiguration) -> Call<'_, ()> {
        self.call("set_configuration", move |connection| async move {
            // Told first, so that its secrets are known whatever comes of it.
            let configured = &convert::configuration(&configuration);
            self.peer.status().tell(|| EventKind::Configured { configuration: configured });
            Ok(connection.set_configuration(configuration).await?)
        })
    }

    forward! {
        /// Restarts ICE.
        restart_ice() -> ();
    }

    forward_infallible! {
        /// The configuration.
        configuration() -> RTCConfiguration = get_configuration;
        /// Statistics, as `webrtc` has them: not all in W3C units.
        stats(now: Instant, selector: StatsSelector) -> RTCStatsReport = get_stats;
    }
}
