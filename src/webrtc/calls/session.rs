//! Calls of the session: descriptions and candidates.

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
    /// Creates an offer, with default options if `options` is `None`. The function
    /// [`offer`](crate::webrtc::offer) also sets the offer as the local description.
    ///
    /// # Errors
    ///
    /// Returns [`OperationError`] if the peer is closed, or `webrtc` refuses the call.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the offer may have been created.
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

    /// Creates an answer, with default options if `options` is `None`. The function
    /// [`answer`](crate::webrtc::answer) also sets both descriptions.
    ///
    /// # Errors
    ///
    /// Returns [`OperationError`] if the peer is closed, or `webrtc` refuses the call.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the answer may have been created.
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

    /// Sets the local description, and starts gathering candidates.
    ///
    /// # Errors
    ///
    /// Returns [`OperationError`] if the peer is closed, or `webrtc` refuses the call.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the description may have been set.
    pub fn set_local_description(&self, description: RTCSessionDescription) -> Call<'_, ()> {
        self.call("set_local_description", move |connection| async move {
            self.propose(Side::Local, &description);
            Ok(connection.set_local_description(description).await?)
        })
    }

    /// Sets the remote description, and adds the queued candidates that arrived before it.
    ///
    /// # Errors
    ///
    /// Returns [`OperationError::Glare`] if both sides have made an offer; the documentation of
    /// that error shows the solution. Returns another [`OperationError`] if the peer is closed, or
    /// `webrtc` refuses the description or a queued candidate. If only candidates are refused, the
    /// description is set, and the first of their errors is returned.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the description may have been set. Candidates that are still
    /// queued stay in the queue. The next call of this or of
    /// [`add_ice_candidate`](Self::add_ice_candidate) adds them.
    pub fn set_remote_description(&self, description: RTCSessionDescription) -> Call<'_, ()> {
        self.set_remote(description, || {})
    }

    /// As [`set_remote_description`](Self::set_remote_description). `on_set` is called once the
    /// description is set, even if candidates are then refused.
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
            // The queue is emptied even if the description was refused: an earlier call that was
            // dropped may have set a description and left candidates in the queue.
            let added = self.add_queued(&*connection).await;
            set.and(added)
        })
    }

    /// Adds a candidate of the remote side. A candidate that arrives before the remote description
    /// is queued, and is added with the description.
    ///
    /// # Errors
    ///
    /// Returns [`OperationError`] if the peer is closed, if `webrtc` refuses this candidate or a
    /// queued one, or if more than [`MAX_QUEUED_CANDIDATES`](crate::webrtc::MAX_QUEUED_CANDIDATES)
    /// arrived before the remote description.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the candidate may have been added.
    pub fn add_ice_candidate(&self, candidate: RTCIceCandidateInit) -> Call<'_, ()> {
        self.call("add_ice_candidate", move |connection| async move {
            if connection.remote_description().await.is_none() {
                self.link.queued.push(candidate)?;
                // If another call set the description in between, that call may have missed this
                // candidate.
                return self.add_queued(&*connection).await;
            }
            let earlier = self.add_queued(&*connection).await;
            self.add_now(&*connection, candidate).await.and(earlier)
        })
    }

    /// Completes once all local candidates are gathered. Then
    /// [`local_description`](Self::local_description) contains them.
    ///
    /// A callback of the peer's handler must not await this: gathering cannot go on until the
    /// callback has returned.
    ///
    /// # Errors
    ///
    /// Returns [`PeerEnded`] if the peer ends first.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn gathering_complete(&self) -> Result<(), PeerEnded> {
        self.peer.wait_until(|| self.link.is_gathered()).await
    }

    forward_infallible! {
        /// Returns the local description, with the candidates gathered so far.
        local_description() -> Option<RTCSessionDescription> = local_description;
        /// Returns the local description that was negotiated last.
        current_local_description() -> Option<RTCSessionDescription> = current_local_description;
        /// Returns the local description that is being negotiated.
        pending_local_description() -> Option<RTCSessionDescription> = pending_local_description;
        /// Returns the remote description.
        remote_description() -> Option<RTCSessionDescription> = remote_description;
        /// Returns the remote description that was negotiated last.
        current_remote_description() -> Option<RTCSessionDescription> = current_remote_description;
        /// Returns the remote description that is being negotiated.
        pending_remote_description() -> Option<RTCSessionDescription> = pending_remote_description;
        /// Returns whether the remote side supports trickle ICE; `None` before the remote side has
        /// signalled that.
        can_trickle_ice_candidates() -> Option<bool> = can_trickle_ice_candidates;
    }

    /// Tells the observers of a description before it is used, so that redaction knows its secrets
    /// even if the call fails.
    fn propose(&self, side: Side, description: &RTCSessionDescription) {
        let sdp = Sdp::new(&description.sdp);
        self.peer.status().tell(|| EventKind::DescriptionProposed { side, sdp });
    }

    /// Adds a candidate to the connection, and reports it to the observers.
    async fn add_now(
        &self,
        connection: &dyn PeerConnection,
        candidate: RTCIceCandidateInit,
    ) -> Result<(), OperationError> {
        // An empty candidate, which marks the end of candidates, does not parse.
        let parsed = candidate.candidate.parse::<Candidate>();
        connection.add_ice_candidate(candidate).await?;
        if let Ok(candidate) = &parsed {
            let side = Side::Remote;
            self.peer.status().tell(|| EventKind::CandidateAdded { side, candidate });
        }
        Ok(())
    }

    /// Adds the queued candidates, if the remote description is set. All of them are tried, and the
    /// first error is returned.
    async fn add_queued(&self, connection: &dyn PeerConnection) -> Result<(), OperationError> {
        let mut result = Ok(());
        if connection.remote_description().await.is_none() {
            return result;
        }
        while let Some(taken) = self.link.queued.take() {
            // If adding a candidate panics, this candidate must not be tried again, and the others
            // must still be tried.
            let adding = AssertUnwindSafe(self.add_now(connection, taken.candidate()));
            let added = adding.catch_unwind().await;
            taken.done();
            result =
                result.and(added.unwrap_or_else(|payload| Err(OperationError::panicked(payload))));
        }
        result
    }
}

/// Sets the remote description. An offer that is refused because of a local offer is
/// [`OperationError::Glare`].
async fn set_remote(
    connection: &dyn PeerConnection,
    description: RTCSessionDescription,
) -> Result<(), OperationError> {
    let is_offer = description.sdp_type == RTCSdpType::Offer;
    let had_offered = is_offer && has_offered(connection).await;
    let set = connection.set_remote_description(description).await;
    if is_offer && let Err(Error::ErrSignalingStateProposedTransitionInvalid(_)) = &set {
        // Another call may have set a local offer, or its answer, in the meantime.
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
