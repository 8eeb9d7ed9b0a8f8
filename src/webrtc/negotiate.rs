//! Offers and answers.

use std::sync::atomic::{AtomicBool, Ordering};

use ::webrtc::peer_connection::RTCSessionDescription;

use super::operation_error::OperationError;
use super::peer::Peer;

/// Which candidates a description is to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Candidates {
    /// All of them: the description is ready once they are gathered. For signalling that carries
    /// one offer and one answer, as WHIP does.
    Complete,
    /// None: the description is ready at once, and candidates follow one by one through
    /// `PeerConnectionEventHandler::on_ice_candidate` (trickle ICE, RFC 8838).
    ///
    /// `event.candidate.to_json()` is what signalling carries and
    /// [`Peer::add_ice_candidate`] takes. A side that offers queues them until it knows where to
    /// send them, in a channel of the handler's for instance. There are no more once
    /// [`Peer::gathering_complete`] is ready; the other side need not be told.
    Trickle,
}

/// Makes an offer, and sets it as the local description.
///
/// What is to be offered (data channels, tracks, transceivers) is added to `peer` before. The remote
/// side's answer is given to [`Peer::set_remote_description`].
///
/// ```no_run
/// use anypeer::webrtc::{self, Candidates, OperationError};
/// # async fn send(_offer: String) -> webrtc::peer_connection::RTCSessionDescription { todo!() }
///
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
/// [`OperationError::Closed`] if the peer ends first, otherwise what the `webrtc` crate refused.
///
/// # Cancel safety
///
/// Dropped before it is ready, the local description may be set already. Call it again, or roll it
/// back with `RTCSessionDescription::rollback`.
pub async fn offer(
    peer: &Peer,
    candidates: Candidates,
) -> Result<RTCSessionDescription, OperationError> {
    let offer = peer.create_offer(None).await?;
    describe(peer, offer, candidates).await
}

/// Answers an offer: sets it as the remote description, and the answer as the local one.
///
/// Candidates that were [added](Peer::add_ice_candidate) before the offer are queued in the peer,
/// and are added now; one that is refused is left out.
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
/// /// Takes an offer, and gives the answer with all candidates; the set owns the peer from then on.
/// async fn whip(peers: &Peers, sdp: String) -> Result<String, Box<dyn std::error::Error>> {
///     let builder = PeerConnectionBuilder::new().with_udp_addrs(vec!["127.0.0.1:0"]);
///     let peer = webrtc::open(peers, builder, |_peer| Arc::new(Handler), PeerOptions::new()).await?;
///     let offer = RTCSessionDescription::offer(sdp)?;
///     let answer = webrtc::answer(&peer, offer, Candidates::Complete).await?;
///     peer.detach();
///     Ok(answer.sdp)
/// }
/// ```
///
/// # Errors
///
/// [`OperationError::Glare`] if this side has an offer of its own under way; its documentation has
/// the way out. [`OperationError::Closed`] if the peer ends first, otherwise what the `webrtc` crate
/// refused.
///
/// # Cancel safety
///
/// Dropped before it is ready, one description or both may be set already. Close the peer.
pub async fn answer(
    peer: &Peer,
    offer: RTCSessionDescription,
    candidates: Candidates,
) -> Result<RTCSessionDescription, OperationError> {
    let is_set = AtomicBool::new(false);
    let set = peer.set_remote(offer, || is_set.store(true, Ordering::Relaxed)).await;
    // A queued candidate that was refused does not undo the description.
    if !is_set.into_inner() {
        set?;
    }
    let answer = peer.create_answer(None).await?;
    describe(peer, answer, candidates).await
}

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
