//! Records what is negotiated: descriptions, candidates, data channels and tracks.

use std::time::Instant;

use super::session::{Channel, Description, Track, index};
use super::state::State;
use crate::candidate::{Candidate, Side};
use crate::event::Configuration;
use crate::monitor::context::Context;
use crate::monitor::options::{ERROR_BYTES, NAME_BYTES};
use crate::monitor::report::TimelineEvent;
use crate::state::{DataChannelState, SdpType};
use crate::stats::MediaKind;

impl State {
    /// Remembers the secrets of a description that may be set later.
    pub(crate) fn learn_secrets(&mut self, side: Side, sdp: &str) {
        self.session().secrets.add_from_sdp(side, sdp);
    }

    /// Records a description that was set.
    pub(crate) fn describe(
        &mut self,
        context: &Context,
        at: Instant,
        side: Side,
        kind: SdpType,
        sdp: &str,
    ) {
        self.setup.described[index(side)].get_or_insert(at);
        let limits = context.limits;
        let session = self.session();
        session.secrets.add_from_sdp(side, sdp);
        let fragment = sdp.lines().find_map(|line| line.trim_end().strip_prefix("a=ice-ufrag:"));
        let known = &mut session.fragments[index(side)];
        let ice_restart = fragment.is_some() && known.is_some() && known.as_deref() != fragment;
        if let Some(fragment) = fragment {
            *known = Some(crate::redact::cut(fragment, NAME_BYTES));
        }
        match kind {
            SdpType::Offer if ice_restart => session.restarting = true,
            SdpType::Rollback => session.restarting = false,
            SdpType::Answer if session.restarting => {
                session.restarting = false;
                context.counters.ice_restarts[0].add(1);
            }
            _ => {}
        }
        session.data_negotiated |= sdp.contains("\nm=application ");
        if side == Side::Remote {
            session.media_expected = sdp.split("\nm=").skip(1).any(|section| {
                (section.starts_with("audio ") || section.starts_with("video "))
                    && section.split(' ').nth(1) != Some("0")
                    && !section.contains("\na=recvonly")
                    && !section.contains("\na=inactive")
            });
        }
        let clean = context.redactor.sdp(sdp, &session.secrets);
        let kept = (clean.len() <= limits.description_bytes).then(|| clean.into_boxed_str());
        let description = Description { at, side, kind, ice_restart, sdp: kept, bytes: sdp.len() };
        session.descriptions.push(description, limits.descriptions);
        // Each local candidate is reported by an event of its own, so local descriptions need not
        // be read for candidates.
        if side == Side::Remote {
            for candidate in Candidate::from_sdp(sdp) {
                session.add_candidate(context, side, &candidate, true);
            }
        }
        self.note(context, at, TimelineEvent::Described { side, kind, ice_restart });
    }

    /// Records a candidate, if it is new and there is room.
    pub(crate) fn add_candidate(
        &mut self,
        context: &Context,
        at: Instant,
        side: Side,
        candidate: &Candidate,
        signalled: bool,
    ) {
        if self.session().add_candidate(context, side, candidate, signalled) {
            let candidate = Box::new(context.candidate(candidate));
            self.note(context, at, TimelineEvent::Candidate { side, candidate });
        }
    }

    /// Records a data channel. If it is known already, only its side is updated.
    pub(super) fn add_channel(
        &mut self,
        context: &Context,
        at: Instant,
        id: u64,
        label: Box<str>,
        side: Option<Side>,
    ) {
        let session = self.session();
        if let Some(known) = session.channels.iter_mut().find(|known| known.id == id) {
            known.side = side;
            return;
        }
        let channel = Channel {
            id,
            label: label.clone(),
            side,
            state: None,
            messages_sent: 0,
            messages_received: 0,
            bytes_sent: 0,
            bytes_received: 0,
        };
        // A closed channel makes room for a new one.
        let limit = context.limits.tracks_and_channels;
        let kept = session
            .channels
            .push_instead(channel, limit, |it| it.state == Some(DataChannelState::Closed));
        if kept {
            self.note(context, at, TimelineEvent::ChannelAdded { id, label });
        }
    }

    pub(crate) fn channel_added(
        &mut self,
        context: &Context,
        at: Instant,
        side: Side,
        id: u64,
        label: &str,
    ) {
        let label = self.name(context, label);
        self.add_channel(context, at, id, label, Some(side));
    }

    pub(crate) fn track_added(
        &mut self,
        context: &Context,
        at: Instant,
        side: Side,
        id: &str,
        kind: Option<MediaKind>,
    ) {
        let id = self.name(context, id);
        let track = Track { id: id.clone(), kind, side, added: at, removed: None };
        self.session().tracks.push_if_room(track, context.limits.tracks_and_channels);
        self.note(context, at, TimelineEvent::TrackAdded { id });
    }

    pub(crate) fn track_removed(&mut self, context: &Context, at: Instant, side: Side, id: &str) {
        let id = self.name(context, id);
        let track = |it: &&mut Track| it.side == side && it.id == id;
        if let Some(track) = self.session().tracks.iter_mut().find(track) {
            track.removed = Some(at);
        }
        self.note(context, at, TimelineEvent::TrackRemoved { id });
    }

    pub(crate) fn dtls_alert(
        &mut self,
        context: &Context,
        at: Instant,
        side: Side,
        description: u8,
    ) {
        self.session().alerts[index(side)].get_or_insert(description);
        self.note(context, at, TimelineEvent::DtlsAlert { side, description });
    }

    pub(crate) fn candidate_failed(
        &mut self,
        context: &Context,
        at: Instant,
        url: &str,
        code: u16,
        message: &str,
    ) {
        let message = self.text(context, &format!("{url}: {message}"), ERROR_BYTES);
        let errors = &mut self.session().candidate_errors;
        if errors.len() < context.limits.errors {
            errors.push((code, message.clone()));
        }
        self.note(context, at, TimelineEvent::CandidateFailed { code, message });
    }

    /// Records the ICE servers and the ICE transport policy, and remembers the credentials as
    /// secrets.
    pub(crate) fn configured(
        &mut self,
        context: &Context,
        at: Instant,
        configuration: &Configuration,
    ) {
        let session = self.session();
        for credential in &configuration.credentials {
            session.secrets.add(credential);
        }
        session.relay_only = configuration.relay_only;
        let servers = configuration.ice_servers.iter().take(context.limits.candidates);
        session.servers =
            servers.map(|url| context.redactor.text(url, &session.secrets, NAME_BYTES)).collect();
        self.updated = at;
    }
}
