//! Session descriptions, as they come into force.
//!
//! Taken from the connection when its signaling state changes, and so told whoever set them: also
//! where an application calls the connection itself.

use std::hash::{DefaultHasher, Hash, Hasher};

use ::webrtc::peer_connection::RTCSessionDescription;

use super::convert;
use super::link::Link;
use crate::candidate::Side;
use crate::event::{EventKind, Sdp};
use crate::peer::Status;
use crate::state::SignalingState;
use crate::sync::Mutex;

/// What was told by now.
#[derive(Default)]
pub(super) struct Descriptions(Mutex<Known>);

#[derive(Default)]
struct Known {
    configured: bool,
    local: Option<u64>,
    remote: Option<u64>,
}

impl Descriptions {
    /// Looks at the connection that came into `state`, and tells what is new.
    ///
    /// Only what that state is about: the other side's may have been set by now, and is told with
    /// the state that comes of that.
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

    /// Tells the configuration, the first time.
    pub(super) async fn look_at_configuration(&self, status: &Status, link: &Link) {
        let told = || std::mem::replace(&mut self.0.lock().configured, true);
        if let Some(connection) = link.get().filter(|_| status.watch.is_attached() && !told()) {
            let configuration = &convert::configuration(&connection.get_configuration().await);
            status.tell(|| EventKind::Configured { configuration });
        }
    }

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

/// A local description grows by its candidates, which are told by themselves.
fn without_candidates(sdp: &str) -> Vec<&str> {
    let grows =
        |line: &&str| !line.starts_with("a=candidate:") && !line.starts_with("a=end-of-candidates");
    sdp.lines().filter(grows).collect()
}
