//! The session: descriptions and candidates.

use std::panic::AssertUnwindSafe;

use ::webrtc::error::Error;
use ::webrtc::peer_connection::{
    PeerConnection, RTCIceCandidateInit, RTCSdpType, RTCSessionDescription,
};
use futures::FutureExt;
use rtc::peer_connection::configuration::{RTCAnswerOptions, RTCOfferOptions};

use crate::candidate::{Candidate, Side};
use crate::event::{EventKind, Sdp};
use crate::peer::PeerEnded;
use crate::webrtc::call::Call;
use crate::webrtc::operation_error::OperationError;
use crate::webrtc::peer::Peer;

impl Peer {
    /// Creates an offer; `None` for default options.
    ///
    /// # Errors
    ///
    /// [`OperationError`]: the peer is closed, or `webrtc` refused.
    ///
    /// # Cancel safety
    ///
    /// As in `webrtc`: the offer may have been created.
    pub fn create_offer(
        &self,
        options: Option<RTCOfferOptions>,
    ) -> Call<'_, RTCSessionDescription> {
        self.call("create_offer", move |connection| async move {
            let offer = connection.create_offer(options).await?;
            self.propose(Side::Local, &offer);
            Ok(offer)
        })
    }

    /// Creates an answer; `None` for default options.
    ///
    /// # Errors
    ///
    /// [`OperationError`]: the peer is closed, or `webrtc` refused.
    ///
    /// # Cancel safety
    ///
    /// As in `webrtc`: the answer may have been created.
    pub fn create_answer(
        &self,
        options: Option<RTCAnswerOptions>,
    ) -> Call<'_, RTCSessionDescription> {
        self.call("create_answer", move |connection| async move {
            let answer = connection.create_answer(options).await?;
            self.propose(Side::Local, &answer);
            Ok(answer)
        })
    }

    /// Sets the local description, and starts gathering.
    ///
    /// # Errors
    ///
    /// [`OperationError`]: the peer is closed, or `webrtc` refused.
    ///
    /// # Cancel safety
    ///
    /// As in `webrtc`: the description may have been set.
    pub fn set_local_description(&self, description: RTCSessionDescription) -> Call<'_, ()> {
        self.call("set_local_description", move |connection| async move {
            self.propose(Side::Local, &description);
            Ok(connection.set_local_description(description).await?)
        })
    }

    /// Sets the remote description, and adds the candidates that came before it.
    ///
    /// # Errors
    ///
    /// [`OperationError::Glare`] if both sides have made an offer; its documentation has the way
    /// out. Otherwise the peer is closed, or `webrtc` refused the description or a candidate that
    /// was queued, of which the first error is the answer; the description is set then all the
    /// same.
    ///
    /// # Cancel safety
    ///
    /// As in `webrtc`: the description may have been set. Candidates that were queued, and not added
    /// yet, stay queued, and the next call of this or of
    /// [`add_ice_candidate`](Self::add_ice_candidate) adds them.
    pub fn set_remote_description(&self, description: RTCSessionDescription) -> Call<'_, ()> {
        self.set_remote(description, || {})
    }

    /// As [`set_remote_description`](Self::set_remote_description). `on_set` is called once the
    /// description is set, whatever becomes of the candidates.
    pub(in crate::webrtc) fn set_remote<'a>(
        &'a self,
        description: RTCSessionDescription,
        on_set: impl FnOnce() + Send + 'a,
    ) -> Call<'a, ()> {
        self.call("set_remote_description", move |connection| async move {
            self.propose(Side::Remote, &description);
            let set = set_remote(&*connection, description).await;
            if set.is_ok() {
                on_set();
            }
            // Also where this one was refused: a call that was dropped may have left some.
            let added = self.add_queued(&*connection).await;
            set.and(added)
        })
    }

    /// Adds a candidate of the remote side. One that comes before the remote description is queued,
    /// and added with it.
    ///
    /// # Errors
    ///
    /// [`OperationError`]: the peer is closed, `webrtc` refused the candidate or one that was queued,
    /// or more than [`MAX_QUEUED_CANDIDATES`](crate::webrtc::MAX_QUEUED_CANDIDATES) came before the
    /// remote description.
    ///
    /// # Cancel safety
    ///
    /// As in `webrtc`: the candidate may have been added.
    pub fn add_ice_candidate(&self, candidate: RTCIceCandidateInit) -> Call<'_, ()> {
        self.call("add_ice_candidate", move |connection| async move {
            if connection.remote_description().await.is_none() {
                self.link.queued.push(candidate)?;
                // The description may have come in between, and then nobody else adds it.
                return self.add_queued(&*connection).await;
            }
            let earlier = self.add_queued(&*connection).await;
            self.add_now(&*connection, candidate).await.and(earlier)
        })
    }

    /// Completes once all local candidates are gathered: then
    /// [`local_description`](Self::local_description) has them.
    ///
    /// # Errors
    ///
    /// [`PeerEnded`] if the peer ends first.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn gathering_complete(&self) -> Result<(), PeerEnded> {
        self.peer.wait_until(|| self.link.is_gathered()).await
    }

    forward_infallible! {
        /// The local description, with the candidates gathered so far.
        local_description() -> Option<RTCSessionDescription> = local_description;
        /// The local description that is in force.
        current_local_description() -> Option<RTCSessionDescription> = current_local_description;
        /// The local description that is being negotiated.
        pending_local_description() -> Option<RTCSessionDescription> = pending_local_description;
        /// The remote description.
        remote_description() -> Option<RTCSessionDescription> = remote_description;
        /// The remote description that is in force.
        current_remote_description() -> Option<RTCSessionDescription> = current_remote_description;
        /// The remote description that is being negotiated.
        pending_remote_description() -> Option<RTCSessionDescription> = pending_remote_description;
        /// Whether the remote side takes candidates one by one; `None` before it has said.
        can_trickle_ice_candidates() -> Option<bool> = can_trickle_ice_candidates;
    }

    /// Tells a description before anything is done with it, so that its secrets are known whatever
    /// comes of it.
    fn propose(&self, side: Side, description: &RTCSessionDescription) {
        let sdp = Sdp::new(&description.sdp);
        self.peer.status().tell(|| EventKind::DescriptionProposed { side, sdp });
    }

    async fn add_now(
        &self,
        connection: &dyn PeerConnection,
        candidate: RTCIceCandidateInit,
    ) -> Result<(), OperationError> {
        // One that is empty says that there are no more.
        let parsed = candidate.candidate.parse::<Candidate>();
        connection.add_ice_candidate(candidate).await?;
        if let Ok(candidate) = &parsed {
            let side = Side::Remote;
            self.peer.status().tell(|| EventKind::CandidateAdded { side, candidate });
        }
        Ok(())
    }

    /// Adds the candidates that came before the remote description, if that is there. All of them are
    /// tried, and the first error is the answer.
    async fn add_queued(&self, connection: &dyn PeerConnection) -> Result<(), OperationError> {
        let mut result = Ok(());
        if connection.remote_description().await.is_none() {
            return result;
        }
        while let Some(taken) = self.link.queued.take() {
            // One that panics is not to come again, nor to keep the others from being tried.
            let adding = AssertUnwindSafe(self.add_now(connection, taken.candidate()));
            let added = adding.catch_unwind().await;
            taken.done();
            result =
                result.and(added.unwrap_or_else(|payload| Err(OperationError::panicked(payload))));
        }
        result
    }
}

async fn set_remote(
    connection: &dyn PeerConnection,
    description: RTCSessionDescription,
) -> Result<(), OperationError> {
    let is_offer = description.sdp_type == RTCSdpType::Offer;
    let had_offered = is_offer && has_offered(connection).await;
    let set = connection.set_remote_description(description).await;
    if is_offer && let Err(Error::ErrSignalingStateProposedTransitionInvalid(_)) = &set {
        // A local offer may have been set, or answered, beside this call.
        if had_offered || has_offered(connection).await {
            return Err(OperationError::Glare);
        }
    }
    Ok(set?)
}

/// Whether a local offer waits for its answer.
async fn has_offered(connection: &dyn PeerConnection) -> bool {
    let pending = connection.pending_local_description().await;
    pending.is_some_and(|it| it.sdp_type == RTCSdpType::Offer)
}
