//! Reports session descriptions when they come into force.
//!
//! The descriptions are read from the connection when its signaling state changes. So they are
//! reported whoever has set them, also if the application calls the connection itself.

use std::hash::{DefaultHasher, Hash, Hasher};

use ::webrtc::peer_connection::RTCSessionDescription;

use super::convert;
use super::link::Link;
use crate::candidate::Side;
use crate::event::{EventKind, Sdp};
use crate::peer::Status;
use crate::state::SignalingState;
use crate::sync::Mutex;

/// What was reported so far.
#[derive(Default)]
pub(super) struct Descriptions(Mutex<Known>);

/// Whether the configuration was reported, and the hashes of the last descriptions.
#[derive(Default)]
struct Known {
    configured: bool,
    local: Option<u64>,
    remote: Option<u64>,
}

impl Descriptions {
    /// Reads the descriptions of a connection that came into `state`, and reports new ones.
    ///
    /// Only the descriptions that belong to `state` are read. The description of the other side may
    /// have been set since then, and is reported with the state that follows from it.
    pub(super) async fn look(&self, state: SignalingState, status: &Status, link: &Link) {
        let Some(connection) = link.get().filter(|_| status.watch.is_attached()) else { return };
        self.look_at_configuration(status, link).await;
        use SignalingState::{
            HaveLocalOffer, HaveLocalPranswer, HaveRemoteOffer, HaveRemotePranswer,
        };
        if !matches!(state, HaveLocalOffer | HaveLocalPranswer) {
            let remote = connection.remote_description().await;
            self.tell(status, Side::Remote, remote.as_ref());
        }
        if !matches!(state, HaveRemoteOffer | HaveRemotePranswer) {
            let local = connection.local_description().await;
            self.tell(status, Side::Local, local.as_ref());
        }
    }

    /// Reports the configuration, on the first call only.
    pub(super) async fn look_at_configuration(&self, status: &Status, link: &Link) {
        let told = || std::mem::replace(&mut self.0.lock().configured, true);
        if let Some(connection) = link.get().filter(|_| status.watch.is_attached() && !told()) {
            let configuration = &convert::configuration(&connection.get_configuration().await);
            status.tell(|| EventKind::Configured { configuration });
        }
    }

    /// Reports a description that differs from the last one of its side.
    fn tell(&self, status: &Status, side: Side, description: Option<&RTCSessionDescription>) {
        let Some(description) = description else { return };
        let Some(kind) = convert::sdp_type(description.sdp_type) else { return };
        let mut hasher = DefaultHasher::new();
        (kind, without_candidates(&description.sdp)).hash(&mut hasher);
        let new = Some(hasher.finish());
        let mut told = self.0.lock();
        let known = match side {
            Side::Local => &mut told.local,
            Side::Remote => &mut told.remote,
        };
        if std::mem::replace(known, new) == new {
            return;
        }
        drop(told);
        let sdp = Sdp::new(&description.sdp);
        status.tell(|| EventKind::DescriptionSet { side, kind, sdp });
    }
}

/// The lines of a description without its candidates. A local description grows by its candidates,
/// which have events of their own.
fn without_candidates(sdp: &str) -> Vec<&str> {
    let grows =
        |line: &&str| !line.starts_with("a=candidate:") && !line.starts_with("a=end-of-candidates");
    sdp.lines().filter(grows).collect()
}
