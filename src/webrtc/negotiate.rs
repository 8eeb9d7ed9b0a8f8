//! Offers and answers.

use std::sync::atomic::{AtomicBool, Ordering};

use ::webrtc::peer_connection::RTCSessionDescription;

use super::operation_error::OperationError;
use super::peer::Peer;

/// Whether a session description contains the local candidates, or the candidates are sent after
/// it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Candidates {
    /// The description contains all candidates, and is returned once they are gathered. This is for
    /// signalling that carries one offer and one answer, such as WHIP.
    ///
    /// A callback of the peer's handler must not await an [`offer`] or [`answer`] with this value:
    /// candidates are not gathered until the callback has returned.
    Complete,
    /// The description is returned immediately. The first description of a connection contains no
    /// candidates; a later one contains those that were gathered before. Each candidate is passed
    /// to `PeerConnectionEventHandler::on_ice_candidate` when it is gathered (trickle ICE, RFC
    /// 8838).
    ///
    /// Send `event.candidate.to_json()` to the remote side. If the remote side uses anypeer, it
    /// passes the candidate to [`Peer::add_ice_candidate`].
    ///
    /// Candidates may be gathered before the description is sent, and before the application knows
    /// where to send them. A browser refuses a candidate that it adds before the description, so
    /// one of the two sides has to queue the candidates until then. anypeer queues the candidates
    /// that this side receives. To queue those that this side sends, let the handler put them into
    /// a channel, and read the channel in a task that is spawned after the description was sent.
    ///
    /// No more candidates follow once [`Peer::gathering_complete`] is ready. Signalling the end of
    /// candidates to the remote side is optional.
    Trickle,
}

/// Creates an offer, and sets it as the local description.
///
/// Before the call, add to `peer` the data channels, tracks and transceivers that the offer is to
/// contain. Afterwards, pass the remote side's answer to [`Peer::set_remote_description`].
///
/// ```no_run
/// use anypeer::webrtc::{self, Candidates, OperationError};
/// # async fn send(_offer: String) -> webrtc::peer_connection::RTCSessionDescription { todo!() }
///
/// /// Calls the remote side. `send` sends the offer, and returns the answer of the remote side.
/// async fn call(peer: &webrtc::Peer) -> Result<(), OperationError> {
///     peer.create_data_channel("chat", None).await?;
///     let offer = webrtc::offer(peer, Candidates::Complete).await?;
///     let answer = send(offer.sdp).await;
///     peer.set_remote_description(answer).await
/// }
/// ```
///
/// # Errors
///
/// Returns [`OperationError::Closed`] if the peer ends first, and other errors if the `webrtc`
/// crate refuses the call.
///
/// # Cancel safety
///
/// If the future is dropped, the local description may already be set. Call this again, or roll the
/// description back with `RTCSessionDescription::rollback`.
pub async fn offer(
    peer: &Peer,
    candidates: Candidates,
) -> Result<RTCSessionDescription, OperationError> {
    let offer = peer.create_offer(None).await?;
    describe(peer, offer, candidates).await
}

/// Answers an offer: sets the offer as the remote description, and the answer as the local one.
///
/// Candidates that were passed to [`Peer::add_ice_candidate`] before the offer are queued in the
/// peer, and this function adds them. A queued candidate that `webrtc` refuses is ignored.
///
/// ```no_run
/// use std::sync::Arc;
/// use anypeer::webrtc::peer_connection::{PeerConnectionBuilder, RTCSessionDescription};
/// use anypeer::webrtc::{self, Candidates};
/// use anypeer::{PeerOptions, Peers};
/// # use anypeer::webrtc::peer_connection::PeerConnectionEventHandler;
/// # struct Handler;
/// # impl PeerConnectionEventHandler for Handler {}
///
/// /// Answers an offer with all candidates. From then on, the set owns the peer.
/// async fn whip(peers: &Peers, sdp: String) -> Result<String, Box<dyn std::error::Error>> {
///     let builder = PeerConnectionBuilder::new().with_udp_addrs(vec!["127.0.0.1:0"]);
///     let options = PeerOptions::new();
///     let peer = webrtc::open(peers, builder, |_peer| Arc::new(Handler), options).await?;
///     let offer = RTCSessionDescription::offer(sdp)?;
///     let answer = webrtc::answer(&peer, offer, Candidates::Complete).await?;
///     peer.detach();
///     Ok(answer.sdp)
/// }
/// ```
///
/// # Errors
///
/// Returns [`OperationError::Glare`] if this side has an unanswered offer of its own; the
/// documentation of that error shows the solution. Returns [`OperationError::Closed`] if the peer
/// ends first, and other errors if the `webrtc` crate refuses the offer.
///
/// # Cancel safety
///
/// If the future is dropped, one or both descriptions may already be set. Close the peer in this
/// case.
pub async fn answer(
    peer: &Peer,
    offer: RTCSessionDescription,
    candidates: Candidates,
) -> Result<RTCSessionDescription, OperationError> {
    let is_set = AtomicBool::new(false);
    let set = peer.set_remote(offer, || is_set.store(true, Ordering::Relaxed)).await;
    // If the description is set, an error means that a queued candidate was refused, and the offer
    // can still be answered.
    if !is_set.into_inner() {
        set?;
    }
    let answer = peer.create_answer(None).await?;
    describe(peer, answer, candidates).await
}

/// Sets the local description, and returns it, with its candidates if these are to be complete.
async fn describe(
    peer: &Peer,
    description: RTCSessionDescription,
    candidates: Candidates,
) -> Result<RTCSessionDescription, OperationError> {
    match candidates {
        Candidates::Trickle => {
            peer.set_local_description(description.clone()).await?;
            Ok(description)
        }
        Candidates::Complete => {
            peer.set_local_description(description).await?;
            peer.gathering_complete().await.map_err(|_ended| OperationError::Closed)?;
            peer.local_description().await?.ok_or(OperationError::Closed)
        }
    }
}
