//! Conversions from the types of `webrtc` to those of this crate. A value that W3C does not define
//! is converted to `None`.

use ::webrtc::peer_connection::{
    RTCConfiguration, RTCIceConnectionState, RTCIceGatheringState, RTCPeerConnectionState,
    RTCSignalingState,
};
use rtc::data_channel::RTCDataChannelState;
use rtc::peer_connection::configuration::RTCIceTransportPolicy;
use rtc::peer_connection::sdp::RTCSdpType;
use rtc::peer_connection::transport::{
    RTCDtlsTransportState, RTCIceCandidate, RTCIceCandidateType,
};
use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;

use crate::candidate::{Candidate, CandidateType, Protocol};
use crate::event::Configuration;
use crate::state::{
    ConnectionState, DataChannelState, DtlsTransportState, IceConnectionState, IceGatheringState,
    SdpType, SignalingState,
};
use crate::stats::MediaKind;

/// Returns `None` for Closed, which this crate reports itself: `webrtc` reports Closed before the
/// driver has ended, and only in one close of 500 (measured).
pub(super) fn connection_state(state: RTCPeerConnectionState) -> Option<ConnectionState> {
    match state {
        RTCPeerConnectionState::Unspecified | RTCPeerConnectionState::New => {
            Some(ConnectionState::New)
        }
        RTCPeerConnectionState::Connecting => Some(ConnectionState::Connecting),
        RTCPeerConnectionState::Connected => Some(ConnectionState::Connected),
        RTCPeerConnectionState::Disconnected => Some(ConnectionState::Disconnected),
        RTCPeerConnectionState::Failed => Some(ConnectionState::Failed),
        _ => None,
    }
}

pub(super) fn ice_connection_state(state: RTCIceConnectionState) -> Option<IceConnectionState> {
    match state {
        RTCIceConnectionState::New => Some(IceConnectionState::New),
        RTCIceConnectionState::Checking => Some(IceConnectionState::Checking),
        RTCIceConnectionState::Connected => Some(IceConnectionState::Connected),
        RTCIceConnectionState::Completed => Some(IceConnectionState::Completed),
        RTCIceConnectionState::Disconnected => Some(IceConnectionState::Disconnected),
        RTCIceConnectionState::Failed => Some(IceConnectionState::Failed),
        RTCIceConnectionState::Closed => Some(IceConnectionState::Closed),
        _ => None,
    }
}

pub(super) fn ice_gathering_state(state: RTCIceGatheringState) -> Option<IceGatheringState> {
    match state {
        RTCIceGatheringState::New => Some(IceGatheringState::New),
        RTCIceGatheringState::Gathering => Some(IceGatheringState::Gathering),
        RTCIceGatheringState::Complete => Some(IceGatheringState::Complete),
        _ => None,
    }
}

pub(super) fn signaling_state(state: RTCSignalingState) -> Option<SignalingState> {
    match state {
        RTCSignalingState::Stable => Some(SignalingState::Stable),
        RTCSignalingState::HaveLocalOffer => Some(SignalingState::HaveLocalOffer),
        RTCSignalingState::HaveRemoteOffer => Some(SignalingState::HaveRemoteOffer),
        RTCSignalingState::HaveLocalPranswer => Some(SignalingState::HaveLocalPranswer),
        RTCSignalingState::HaveRemotePranswer => Some(SignalingState::HaveRemotePranswer),
        RTCSignalingState::Closed => Some(SignalingState::Closed),
        _ => None,
    }
}

pub(super) fn sdp_type(kind: RTCSdpType) -> Option<SdpType> {
    match kind {
        RTCSdpType::Offer => Some(SdpType::Offer),
        RTCSdpType::Pranswer => Some(SdpType::Pranswer),
        RTCSdpType::Answer => Some(SdpType::Answer),
        RTCSdpType::Rollback => Some(SdpType::Rollback),
        _ => None,
    }
}

/// Converts a DTLS state. Before the handshake has ended, `webrtc` reports no state, which is
/// converted to New.
pub(super) fn dtls_state(state: RTCDtlsTransportState) -> DtlsTransportState {
    match state {
        RTCDtlsTransportState::Connecting => DtlsTransportState::Connecting,
        RTCDtlsTransportState::Connected => DtlsTransportState::Connected,
        RTCDtlsTransportState::Closed => DtlsTransportState::Closed,
        RTCDtlsTransportState::Failed => DtlsTransportState::Failed,
        _ => DtlsTransportState::New,
    }
}

pub(super) fn channel_state(state: RTCDataChannelState) -> Option<DataChannelState> {
    match state {
        RTCDataChannelState::Connecting => Some(DataChannelState::Connecting),
        RTCDataChannelState::Open => Some(DataChannelState::Open),
        RTCDataChannelState::Closing => Some(DataChannelState::Closing),
        RTCDataChannelState::Closed => Some(DataChannelState::Closed),
        _ => None,
    }
}

pub(super) fn media_kind(kind: RtpCodecKind) -> Option<MediaKind> {
    match kind {
        RtpCodecKind::Audio => Some(MediaKind::Audio),
        RtpCodecKind::Video => Some(MediaKind::Video),
        _ => None,
    }
}

pub(super) fn candidate_type(kind: RTCIceCandidateType) -> Option<CandidateType> {
    match kind {
        RTCIceCandidateType::Host => Some(CandidateType::Host),
        RTCIceCandidateType::Srflx => Some(CandidateType::Srflx),
        RTCIceCandidateType::Prflx => Some(CandidateType::Prflx),
        RTCIceCandidateType::Relay => Some(CandidateType::Relay),
        _ => None,
    }
}

pub(super) fn protocol(name: &str) -> Option<Protocol> {
    match name {
        "udp" => Some(Protocol::Udp),
        "tcp" => Some(Protocol::Tcp),
        _ => None,
    }
}

pub(super) fn candidate(candidate: &RTCIceCandidate) -> Option<Candidate> {
    let kind = candidate_type(candidate.typ)?;
    let protocol = protocol(&candidate.protocol.to_string())?;
    let priority = candidate.priority;
    Some(Candidate {
        priority,
        ..Candidate::new(kind, protocol, &candidate.address, candidate.port)
    })
}

/// Converts the ICE servers, their credentials and the ICE transport policy.
pub(super) fn configuration(configuration: &RTCConfiguration) -> Configuration {
    let mut ours = Configuration::new();
    for server in configuration.ice_servers() {
        ours.ice_servers.extend(server.urls.iter().cloned());
        ours.credentials.extend([server.username.clone(), server.credential.clone()]);
    }
    ours.credentials.retain(|credential| !credential.is_empty());
    ours.relay_only = configuration.ice_transport_policy() == RTCIceTransportPolicy::Relay;
    ours
}
