//! Passes on what happens while it happens: to a log, to subscribers of `tracing`, and to streams
//! of updates.

mod feed;
mod outlets;
mod sink;
mod span;
mod update;

pub use self::feed::Updates;
pub(super) use self::outlets::Outlets;
pub(crate) use self::sink::Sink;
pub(super) use self::span::{Span, is_enabled};
pub use self::update::{Lagged, ParseUpdateIdError, Update, UpdateId, UpdateKind};
