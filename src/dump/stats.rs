//! Statistics over time, from samples and the last report.
//!
//! A sample has totals only. Fields that only the last report has are known only at its time. All
//! fields of an object end at the time of the last sample, which is that of the last report.

use std::collections::{BTreeMap, BTreeSet};

use super::candidate::address;
use super::time::epoch_ms;
use crate::candidate::Side;
use crate::monitor::{ConnectionInfo, SampleInfo};
use crate::state::DataChannelState;
use crate::stats::{CandidatePairState, CandidatePairStats, StatsReport};
use crate::wire::w3c::Scalar;

/// The statistics of a connection.
#[derive(Default)]
pub(super) struct Stats {
    /// The times of the samples, in milliseconds since 1970.
    pub(super) times: Vec<u64>,
    pub(super) objects: Vec<Object>,
}

/// One object of W3C webrtc-stats, with at least one field that is known at some time.
pub(super) struct Object {
    /// The id: only letters and digits, and unique in the connection.
    pub(super) id: String,
    /// The type.
    pub(super) kind: &'static str,
    /// The index of the object's first time.
    pub(super) from: usize,
    /// The fields, each with a value for every time from the first on.
    pub(super) fields: BTreeMap<&'static str, Vec<Scalar>>,
}

/// The id of the transport.
const TRANSPORT: &str = "T";

impl Object {
    /// The values of the fields at a time, without unknown ones.
    pub(super) fn at(&self, time: usize) -> BTreeMap<&'static str, Scalar> {
        let Some(index) = time.checked_sub(self.from) else { return BTreeMap::new() };
        self.fields
            .iter()
            .filter_map(|(name, values)| Some((*name, values.get(index)?.clone())))
            .filter(|(_, value)| *value != Scalar::Unknown)
            .collect()
    }
}

/// The objects at the last time, by id.
#[cfg(feature = "http")]
pub(super) fn last(info: &ConnectionInfo) -> BTreeMap<String, BTreeMap<&'static str, Scalar>> {
    let stats = stats(info);
    let (Some(last), Some(time)) = (stats.times.len().checked_sub(1), stats.times.last()) else {
        return BTreeMap::new();
    };
    let fields = |object: &Object| {
        let mut fields = object.at(last);
        fields.insert("type", Scalar::text(object.kind));
        fields.insert("id", Scalar::text(&object.id));
        fields.insert("timestamp", Scalar::from(*time));
        (object.id.clone(), fields)
    };
    stats.objects.iter().map(fields).collect()
}

/// Returns the statistics of a connection.
pub(super) fn stats(info: &ConnectionInfo) -> Stats {
    let mut samples = info.samples.clone();
    samples.sort_by_key(|sample| sample.at);
    if samples.is_empty() {
        samples.extend(info.stats.as_ref().map(|report| only_sample(info, report)));
    }
    let opened = epoch_ms(info.created_at);
    let times = samples.iter().map(|sample| epoch_ms(sample.at).max(opened)).collect();
    let mut table = Table { samples: &samples, objects: Vec::new() };
    if !samples.is_empty() {
        table.transport(info.stats.as_ref());
        table.media();
        match &info.stats {
            Some(report) => table.report(report),
            None => table.pair("CP".into(), None, true),
        }
    }
    Stats { times, objects: table.objects }
}

/// A sample with the values of the report, for a connection whose samples are not kept.
fn only_sample(info: &ConnectionInfo, report: &StatsReport) -> SampleInfo {
    let transport = report.transport.as_ref();
    SampleInfo {
        at: info.updated_at,
        bytes_sent: transport.map_or(0, |it| it.bytes_sent),
        bytes_received: transport.map_or(0, |it| it.bytes_received),
        packets_sent: transport.map_or(0, |it| it.packets_sent),
        packets_received: transport.map_or(0, |it| it.packets_received),
        packets_lost: 0,
        round_trip_time: report.selected_pair().and_then(|pair| pair.current_round_trip_time),
        jitter: None,
        quality: None,
    }
}

/// The objects that have been made so far.
struct Table<'a> {
    samples: &'a [SampleInfo],
    objects: Vec<Object>,
}

/// An object that is not complete.
struct Draft<'a> {
    samples: &'a [SampleInfo],
    object: Object,
}

impl Draft<'_> {
    /// Adds a field that samples have.
    fn over(mut self, name: &'static str, value: impl Fn(&SampleInfo) -> Scalar) -> Self {
        let values: Vec<Scalar> = self.samples.iter().map(value).collect();
        if values.iter().any(|value| *value != Scalar::Unknown) {
            self.object.fields.insert(name, values);
        }
        self
    }

    /// Adds a field that is known only at the last time.
    fn last(mut self, name: &'static str, value: impl Into<Scalar>) -> Self {
        let value = value.into();
        if let (Some(before), true) = (self.samples.len().checked_sub(1), value != Scalar::Unknown)
        {
            let mut values = vec![Scalar::Unknown; before];
            values.push(value);
            self.object.fields.insert(name, values);
        }
        self
    }

    /// Adds a field with a text that is known only at the last time.
    fn last_text<T: Into<String>>(self, name: &'static str, text: Option<T>) -> Self {
        self.last(name, text.map_or(Scalar::Unknown, Scalar::text))
    }
}

impl<'a> Table<'a> {
    /// Begins an object that is known from a time on.
    fn from(&self, id: String, kind: &'static str, from: usize) -> Draft<'a> {
        let samples = self.samples.get(from..).unwrap_or_default();
        Draft { samples, object: Object { id, kind, from, fields: BTreeMap::new() } }
    }

    /// Begins an object that is known only at the last time.
    fn at_last(&self, id: String, kind: &'static str) -> Draft<'a> {
        let draft = self.from(id, kind, self.samples.len().saturating_sub(1));
        draft.last_text("transportId", self.has_transport().then_some(TRANSPORT))
    }

    fn add(&mut self, draft: Draft<'_>) {
        if !draft.object.fields.is_empty() {
            self.objects.push(draft.object);
        }
    }

    fn has_transport(&self) -> bool {
        self.objects.first().is_some_and(|object| object.id == TRANSPORT)
    }

    fn transport(&mut self, report: Option<&StatsReport>) {
        let transport = report.and_then(|report| report.transport.as_ref());
        let used = |it: &SampleInfo| {
            (it.bytes_sent, it.bytes_received, it.packets_sent, it.packets_received) != (0, 0, 0, 0)
        };
        // Samples have zeros if there was no transport.
        if transport.is_none() && !self.samples.iter().any(used) {
            return;
        }
        let mut draft = self
            .from(TRANSPORT.into(), "transport", 0)
            .over("bytesSent", |it| it.bytes_sent.into())
            .over("bytesReceived", |it| it.bytes_received.into())
            .over("packetsSent", |it| it.packets_sent.into())
            .over("packetsReceived", |it| it.packets_received.into());
        if let (Some(report), Some(it)) = (report, transport) {
            draft = draft
                .last_text("dtlsState", Some(it.dtls_state.as_str()))
                .last_text("tlsVersion", it.tls_version.as_deref())
                .last_text("dtlsCipher", it.dtls_cipher.as_deref())
                .last_text("srtpCipher", it.srtp_cipher.as_deref())
                .last("selectedCandidatePairChanges", u64::from(it.selected_pair_changes))
                .last_text("selectedCandidatePairId", whole_selected_pair(report));
        }
        self.add(draft);
    }

    /// Adds the values of all received streams together. W3C webrtc-stats has no object for them,
    /// so they are in the object of the whole connection.
    fn media(&mut self) {
        let Some(from) = self.samples.iter().position(|it| it.jitter.is_some()) else { return };
        let quality = |it: f32| Scalar::real((f64::from(it) * 1000.0).round() / 1000.0);
        let draft = self
            .from("P".into(), "peer-connection", from)
            .over("jitter", |it| it.jitter.into())
            .over("packetsLost", |it| it.packets_lost.into())
            .over("quality", |it| it.quality.map_or(Scalar::Unknown, quality));
        self.add(draft);
    }

    fn report(&mut self, report: &StatsReport) {
        let selected = selected_pair(report);
        if selected.is_none() {
            self.pair("CP".into(), None, true);
        }
        for (index, pair) in report.candidate_pairs.iter().enumerate() {
            self.pair(pair_id(index), Some((report, pair)), selected == Some(index));
        }
        self.candidates(report);
        self.channels(report);
        self.streams(report);
    }

    /// Adds a candidate pair, with the round-trip times of all samples if it is the selected one.
    fn pair(
        &mut self,
        id: String,
        stats: Option<(&StatsReport, &CandidatePairStats)>,
        in_use: bool,
    ) {
        let last = self.samples.len().saturating_sub(1);
        // Readers do not draw a field whose first value is unknown.
        let measured = self.samples.iter().position(|it| it.round_trip_time.is_some());
        let from = measured.filter(|_| in_use).unwrap_or(last);
        let mut draft = self.from(id, "candidate-pair", from);
        if in_use {
            draft = draft.over("currentRoundTripTime", |it| it.round_trip_time.into());
        }
        if let Some((report, pair)) = stats {
            if !in_use {
                draft = draft.last("currentRoundTripTime", pair.current_round_trip_time);
            }
            draft = draft
                .last_text("transportId", self.has_transport().then_some(TRANSPORT))
                .last_text("localCandidateId", candidate_id(report, pair.local))
                .last_text("remoteCandidateId", candidate_id(report, pair.remote))
                .last_text("state", pair.state.map(CandidatePairState::as_str))
                .last("nominated", pair.nominated)
                .last("packetsSent", pair.packets_sent)
                .last("packetsReceived", pair.packets_received)
                .last("bytesSent", pair.bytes_sent)
                .last("bytesReceived", pair.bytes_received)
                .last("requestsSent", pair.checks.map(|it| it.requests_sent))
                .last("requestsReceived", pair.checks.map(|it| it.requests_received))
                .last("responsesSent", pair.checks.map(|it| it.responses_sent))
                .last("responsesReceived", pair.checks.map(|it| it.responses_received))
                .last("consentRequestsSent", pair.checks.map(|it| it.consent_requests_sent));
        }
        self.add(draft);
    }

    fn candidates(&mut self, report: &StatsReport) {
        for (index, it) in report.candidates.iter().enumerate() {
            let Some(id) = candidate_id(report, Some(index)) else { continue };
            let (kind, remote) = match it.side {
                Side::Local => ("local-candidate", false),
                Side::Remote => ("remote-candidate", true),
            };
            let it = &it.candidate;
            let draft = self
                .at_last(id, kind)
                .last("isRemote", remote)
                .last_text("candidateType", Some(it.kind.as_str()))
                .last_text("protocol", Some(it.protocol.as_str()))
                .last_text("address", Some(address(it.address.as_deref())))
                .last("port", u64::from(it.port))
                .last("priority", u64::from(it.priority));
            self.add(draft);
        }
    }

    fn channels(&mut self, report: &StatsReport) {
        for (index, it) in report.data_channels.iter().enumerate() {
            let draft = self
                .at_last(format!("D{index}"), "data-channel")
                .last_text("label", Some(it.label.as_str()))
                .last_text("protocol", Some(it.protocol.as_str()))
                .last("dataChannelIdentifier", it.stream.map(u64::from))
                .last_text("state", it.state.map(DataChannelState::as_str))
                .last("messagesSent", it.messages_sent)
                .last("bytesSent", it.bytes_sent)
                .last("messagesReceived", it.messages_received)
                .last("bytesReceived", it.bytes_received);
            self.add(draft);
        }
    }

    fn streams(&mut self, report: &StatsReport) {
        let received = report.inbound_rtp.iter().map(|it| it.codec.as_deref());
        let sent = report.outbound_rtp.iter().map(|it| it.codec.as_deref());
        let codecs: BTreeSet<&str> = received.chain(sent).flatten().collect();
        let codecs: BTreeMap<&str, String> =
            codecs.into_iter().enumerate().map(|(index, it)| (it, format!("C{index}"))).collect();
        for (codec, id) in &codecs {
            let draft = self.at_last(id.clone(), "codec").last_text("mimeType", Some(*codec));
            self.add(draft);
        }
        let codec_id =
            |codec: Option<&str>| codec.and_then(|it| codecs.get(it)).map(String::as_str);
        for (index, it) in report.inbound_rtp.iter().enumerate() {
            let draft = self
                .at_last(format!("I{index}"), "inbound-rtp")
                .last("ssrc", u64::from(it.ssrc))
                .last_text("kind", Some(it.kind.as_str()))
                .last_text("mid", it.mid.as_deref())
                .last_text("codecId", codec_id(it.codec.as_deref()))
                .last("packetsReceived", it.packets_received)
                .last("packetsLost", it.packets_lost)
                .last("bytesReceived", it.bytes_received)
                .last("jitter", it.jitter)
                .last("nackCount", it.nack_count)
                .last("pliCount", it.pli_count)
                .last("freezeCount", it.freeze_count);
            self.add(draft);
        }
        for (index, it) in report.outbound_rtp.iter().enumerate() {
            let remote = it.remote_packets_lost.is_some() || it.round_trip_time.is_some();
            let (id, remote_id) = (format!("O{index}"), format!("RI{index}"));
            let common = |draft: Draft<'a>| {
                draft
                    .last("ssrc", u64::from(it.ssrc))
                    .last_text("kind", Some(it.kind.as_str()))
                    .last_text("codecId", codec_id(it.codec.as_deref()))
            };
            let draft = common(self.at_last(id.clone(), "outbound-rtp"))
                .last_text("remoteId", remote.then_some(remote_id.as_str()))
                .last_text("mid", it.mid.as_deref())
                .last("packetsSent", it.packets_sent)
                .last("bytesSent", it.bytes_sent)
                .last("retransmittedPacketsSent", it.retransmitted_packets_sent)
                .last("nackCount", it.nack_count)
                .last("pliCount", it.pli_count);
            self.add(draft);
            if remote {
                let draft = common(self.at_last(remote_id, "remote-inbound-rtp"))
                    .last_text("localId", Some(id))
                    .last("packetsLost", it.remote_packets_lost)
                    .last("roundTripTime", it.round_trip_time);
                self.add(draft);
            }
        }
    }
}

fn pair_id(index: usize) -> String {
    format!("CP{index}")
}

fn candidate_id(report: &StatsReport, index: Option<usize>) -> Option<String> {
    let index = index?;
    let prefix = match report.candidates.get(index)?.side {
        Side::Local => 'L',
        Side::Remote => 'R',
    };
    Some(format!("{prefix}{index}"))
}

/// The index of the selected pair.
fn selected_pair(report: &StatsReport) -> Option<usize> {
    let named = report.transport.as_ref().and_then(|transport| transport.selected_pair);
    named
        .filter(|index| *index < report.candidate_pairs.len())
        .or_else(|| report.candidate_pairs.iter().position(|pair| pair.nominated))
}

/// The id of the selected pair, if both of its candidates are known: readers look them up, and fail
/// if one is missing.
fn whole_selected_pair(report: &StatsReport) -> Option<String> {
    let index = selected_pair(report)?;
    let pair = report.candidate_pairs.get(index)?;
    let whole =
        candidate_id(report, pair.local).is_some() && candidate_id(report, pair.remote).is_some();
    whole.then(|| pair_id(index))
}
