//! What a host that subscribes to `tracing` sees.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use anypeer::monitor::Monitor;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Keeps the fields of every span of this crate's, and in which of them an event came.
#[derive(Clone, Default)]
struct Listener(Arc<Heard>);

#[derive(Default)]
struct Heard {
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
        futures::executor::block_on(work);
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
