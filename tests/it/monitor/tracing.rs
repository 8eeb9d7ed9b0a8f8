//! What a host that subscribes to `tracing` sees.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use anypeer::monitor::Monitor;
#[cfg(feature = "webrtc")]
use tracing::Level;
use tracing::field::{Field, Visit};
#[cfg(feature = "webrtc")]
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

#[cfg(feature = "webrtc")]
use super::stalled::{stalled_pair, watched_by};
#[cfg(feature = "webrtc")]
use crate::support::host::{BACKENDS, Host};
use crate::support::poll::block_on;
#[cfg(feature = "webrtc")]
use crate::support::poll::{PATIENCE, poll_in_task};

/// Keeps the fields of every span of this crate's, and in which of them an event came.
#[derive(Clone, Default)]
struct Listener(Arc<Seen>);

#[derive(Default)]
struct Seen {
    spans: Mutex<BTreeMap<u64, BTreeMap<&'static str, String>>>,
    entered: Mutex<Vec<u64>>,
    events: Mutex<Vec<(Option<u64>, String)>>,
    next: AtomicU64,
}

#[derive(Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}").trim_matches('"').to_owned());
    }
}

impl Subscriber for Listener {
    fn enabled(&self, _metadata: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let id = self.0.next.fetch_add(1, Ordering::Relaxed) + 1;
        let mut fields = Fields::default();
        span.record(&mut fields);
        self.0.spans.lock().unwrap().insert(id, fields.0);
        Id::from_u64(id)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        let mut fields = Fields::default();
        values.record(&mut fields);
        let mut spans = self.0.spans.lock().unwrap();
        spans.entry(span.into_u64()).or_default().extend(fields.0);
    }

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let within = self.0.entered.lock().unwrap().last().copied();
        let message = fields.0.remove("message").unwrap_or_default();
        self.0.events.lock().unwrap().push((within, message));
    }

    fn enter(&self, span: &Id) {
        self.0.entered.lock().unwrap().push(span.into_u64());
    }

    fn exit(&self, _span: &Id) {
        self.0.entered.lock().unwrap().pop();
    }
}

#[test]
fn an_operation_is_a_span_with_its_end_around_what_is_done_in_it() {
    let listener = Listener::default();
    let monitor = Monitor::new().expect("threads");
    let id = tracing::subscriber::with_default(listener.clone(), || {
        let work = monitor.new_operation("work").run(async { tracing::info!("in the middle") });
        let id = work.id().expect("it has started");
        block_on(work);
        let _ = monitor.new_operation("parse").try_call(|| "x".parse::<u8>());
        id
    });
    let spans = listener.0.spans.lock().unwrap().clone();
    assert_eq!(spans.len(), 2, "{spans:?}");
    let field = |span: u64, name: &str| spans[&span].get(name).map(String::as_str);
    assert_eq!((field(1, "kind"), field(1, "outcome")), (Some("work"), Some("completed")));
    assert_eq!(field(1, "id"), Some(id.to_string().as_str()));
    assert_eq!((field(2, "kind"), field(2, "outcome")), (Some("parse"), Some("failed")));
    assert_eq!(field(2, "error"), Some("invalid digit found in string"));
    let events = listener.0.events.lock().unwrap().clone();
    assert_eq!(events, [(Some(1), "in the middle".to_owned())]);
}

/// Keeps the warnings of this crate's that no other subscriber is told of.
#[cfg(feature = "webrtc")]
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<Vec<BTreeMap<&'static str, String>>>>);

#[cfg(feature = "webrtc")]
impl Subscriber for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && metadata.target() == "anypeer" && *metadata.level() == Level::WARN
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::WARN)
    }

    fn new_span(&self, _span: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _span: &Id, _values: &Record<'_>) {}

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        self.0.lock().unwrap().push(fields.0);
    }

    fn enter(&self, _span: &Id) {}

    fn exit(&self, _span: &Id) {}
}

#[cfg(feature = "webrtc")]
#[test]
fn a_stalled_handler_is_a_warning() {
    let warnings = Warnings::default();
    // It is told on a thread of the library's.
    tracing::subscriber::set_global_default(warnings.clone()).expect("no other is set");
    let host = Host::start(BACKENDS[0]);
    let monitor = Monitor::new().expect("threads");
    let peers = watched_by(&monitor, &host);
    host.in_task(async move {
        let (pair, let_go) = stalled_pair(&peers, "stalled-and-traced").await;
        let warned = || {
            let all = warnings.0.lock().unwrap();
            let own = |it: &&BTreeMap<&str, String>| {
                it.get("peer").is_some_and(|peer| peer == "stalled-and-traced")
            };
            all.iter().find(own).and_then(|it| it.get("message").cloned())
        };
        let message = poll_in_task(PATIENCE, warned).await;
        assert_eq!(message.as_deref(), Some("on_data_channel holds the driver"));
        let_go.raise();
        drop(pair);
    });
}
