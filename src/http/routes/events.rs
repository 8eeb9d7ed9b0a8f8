//! The live events, as server-sent events (WHATWG HTML, section 9.2).
//!
//! A client is a position in the ring buffer of the monitor, and has no queue. A slow client
//! therefore needs no more memory than a fast one.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_lock::SemaphoreGuardArc;
use axum::body::Body;
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse;
use futures::future::{Either, select};
use futures::{StreamExt, stream};

use crate::http::edge::guard::Reader;
use crate::http::edge::problem::{Answer, Problem};
use crate::http::edge::response::Guarded;
use crate::http::shared::Shared;
use crate::id::GroupId;
use crate::monitor::{ConnectionFilter, Lagged, Update, UpdateId, UpdateKind, Updates};
use crate::runtime::Clock;
use crate::wire::http::{
    ConnectionEventJson, GapJson, ProblemJson, RowJson, SnapshotJson, SummaryJson, text,
};
use crate::wire::json::{EventLineJson, OperationJson};

/// How long events are collected, to be sent in one write.
const GATHERED_FOR: Duration = Duration::from_millis(25);
/// The approximate number of bytes that are sent in one write.
const CHUNK_BYTES: usize = 32 << 10;
/// How often a stream looks whether the summary has changed, and sends the summary if it has.
const SUMMARY_EVERY: Duration = Duration::from_secs(1);
/// The maximum time between two writes. A write is how a client that has gone is noticed.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// The maximum number of connections in a `snapshot` event.
const ROWS: usize = 200;
/// The maximum number of operations in progress in a snapshot.
const OPERATIONS: usize = 200;

/// Live events: first `snapshot` events, the last of which has `more` set to false; then
/// `connection`, `operation_started` and `operation_ended` as they occur, and at most one `summary`
/// per second, if any of its numbers has changed.
///
/// A client that reconnects with `Last-Event-ID` receives the events that it has missed. If these
/// events are no longer kept, it receives `gap` with their number, and then a snapshot.
#[utoipa::path(get, path = "/webrtc/monitor/events", tag = "monitor",
    params(("last-event-id" = Option<String>, Header, description = "The id of the last event that was received, for example `1f3a90c2-57`")),
    responses(
        (status = 200, description = "A stream of events, without an end", content_type = "text/event-stream", body = String),
        (status = 400, response = ProblemJson),
        (status = 503, response = ProblemJson),
    ))]
pub(crate) async fn events(Reader(shared): Reader<Shared>, headers: HeaderMap) -> Answer {
    let last = headers.get("last-event-id").filter(|id| !id.is_empty());
    let wrong = || {
        Problem::bad_request(
            "`Last-Event-ID` must be the id of an event, for example `1f3a90c2-57`",
        )
    };
    let last: Option<UpdateId> = last
        .map(|id| id.to_str().ok().and_then(|id| id.parse().ok()).ok_or_else(wrong))
        .transpose()?;
    let place = shared
        .followers
        .try_acquire_arc()
        .ok_or_else(|| Problem::unavailable("Too many clients are following the events"))?;
    let updates = shared.monitor.updates(last);
    let stage = if last.is_none() { Stage::Snapshot { after: 0 } } else { Stage::Live };
    let written_at = Instant::now();
    let stream = EventStream { shared, updates, stage, told: None, written_at, _place: place };
    let body = Body::from_stream(stream::unfold(stream, |mut stream| async move {
        let chunk = stream.chunk().await?;
        Some((Ok::<_, Infallible>(chunk), stream))
    }));
    Ok(Guarded(([(header::CONTENT_TYPE, "text/event-stream")], body)).into_response())
}

/// An item of the monitor's updates.
type Received = Result<Arc<Update>, Lagged>;

/// The stream of one client.
struct EventStream {
    shared: Shared,
    updates: Updates,
    stage: Stage,
    /// The last summary that was sent, and when.
    told: Option<(SummaryJson, Instant)>,
    /// When anything was last sent.
    written_at: Instant,
    _place: SemaphoreGuardArc,
}

/// What a stream sends.
enum Stage {
    /// The snapshot. The connections up to the number `after` were sent.
    Snapshot { after: u64 },
    /// Events.
    Live,
}

impl EventStream {
    /// The next text to send; `None` at the end of the stream.
    async fn chunk(&mut self) -> Option<String> {
        if self.shared.ending.is_cancelled() {
            return None;
        }
        match self.stage {
            Stage::Snapshot { after } => Some(self.snapshot(after)),
            Stage::Live => self.live().await,
        }
    }

    /// The next part of the snapshot.
    fn snapshot(&mut self, after: u64) -> String {
        let monitor = &self.shared.monitor;
        let page = monitor.find(after, ROWS, &ConnectionFilter::new());
        let operations = if after == 0 { monitor.operations(None, OPERATIONS) } else { Vec::new() };
        let summary = SummaryJson::new(&monitor.summary(), self.shared.modes);
        let snapshot = SnapshotJson {
            summary: &summary,
            connections: page.items.iter().map(|it| RowJson::new(&it.row())).collect(),
            operations: operations.iter().map(OperationJson::new).collect(),
            more: page.next.is_some(),
        };
        // A client may resume only after it has received the whole snapshot.
        let id = page.next.is_none().then(|| self.updates.position());
        let event = event("snapshot", id, &text(&snapshot));
        self.stage = page.next.map_or(Stage::Live, |after| Stage::Snapshot { after });
        event
    }

    /// The next events, with a summary if one is due, or a keep-alive; `None` at the end of the
    /// stream.
    async fn live(&mut self) -> Option<String> {
        let mut chunk = String::new();
        while chunk.is_empty() {
            let mut next = self.updates.try_recv();
            if next.is_none() {
                next = self.wait().await?;
                if next.is_some() {
                    // Wait for more events, to send them in the same write.
                    Clock::system().sleep(GATHERED_FOR).await;
                }
            }
            while let Some(heard) = next {
                self.add(&mut chunk, heard);
                let is_full = chunk.len() >= CHUNK_BYTES || !matches!(self.stage, Stage::Live);
                next = if is_full { None } else { self.updates.try_recv() };
            }
            self.add_summary(&mut chunk);
            if chunk.is_empty() && self.written_at.elapsed() >= KEEP_ALIVE {
                chunk.push_str(": still here\n\n");
            }
        }
        self.written_at = Instant::now();
        Some(chunk)
    }

    /// The next update, or `Some(None)` if a summary may be due before it arrives; `None` at the
    /// end of the stream.
    async fn wait(&mut self) -> Option<Option<Received>> {
        let ending = std::pin::pin!(self.shared.ending.cancelled());
        let clock = Clock::system();
        let heard = clock.by(clock.after(SUMMARY_EVERY), self.updates.next());
        match select(std::pin::pin!(heard), ending).await {
            Either::Left((heard, _)) => Some(heard.flatten()),
            Either::Right(_) => None,
        }
    }

    /// Adds an update, or begins a new snapshot if updates were missed.
    fn add(&mut self, chunk: &mut String, heard: Received) {
        match heard {
            Ok(update) => match update.memo(frame) {
                Some(frame) => chunk.push_str(frame),
                None => chunk.push_str(&frame(&update)),
            },
            Err(Lagged { missed, .. }) => {
                chunk.push_str(&event("gap", None, &text(&GapJson { missed })));
                self.stage = Stage::Snapshot { after: 0 };
            }
        }
    }

    /// Adds a summary, if one is due and any of its numbers has changed. Not every change comes
    /// with an event: tasks start and get stuck, and channels open between two samples.
    fn add_summary(&mut self, chunk: &mut String) {
        if self.told.as_ref().is_some_and(|(_, at)| at.elapsed() < SUMMARY_EVERY) {
            return;
        }
        let summary = SummaryJson::new(&self.shared.monitor.summary(), self.shared.modes);
        if self.told.as_ref().is_some_and(|(told, _)| !summary.has_changed_since(told)) {
            return;
        }
        chunk.push_str(&event("summary", None, &text(&summary)));
        self.told = Some((summary, Instant::now()));
    }
}

/// An update as a server-sent event, which is the same for every client.
fn frame(update: &Update) -> Box<str> {
    let (name, data) = match update.kind() {
        UpdateKind::Connection { number, peer, group, at, event } => {
            let event = EventLineJson::new(peer.as_str(), *at, event);
            let group = group.as_ref().map(GroupId::as_str);
            ("connection", text(&ConnectionEventJson { number: *number, group, event }))
        }
        UpdateKind::OperationStarted(info) => {
            ("operation_started", text(&OperationJson::new(info)))
        }
        UpdateKind::OperationEnded(info) => ("operation_ended", text(&OperationJson::new(info))),
    };
    event(name, Some(update.id()), &data).into()
}

/// A server-sent event. JSON contains no line breaks, so `data` is one line.
fn event(name: &str, id: Option<UpdateId>, data: &str) -> String {
    let mut event = String::with_capacity(data.len() + 64);
    if let Some(id) = id {
        let _infallible = writeln!(event, "id: {id}");
    }
    let _infallible = write!(event, "event: {name}\ndata: {data}\n\n");
    event
}
