//! Panics that are meant, which nobody wants to read about.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

/// What a panic says that a test makes on purpose.
pub(crate) const DELIBERATE: &str = "deliberate panic";

thread_local! {
    static HUSHED: Cell<bool> = const { Cell::new(false) };
}

/// Keeps panics out of the output that say [`DELIBERATE`] and no more, on any thread.
pub(crate) fn hush() {
    static HUSH: Once = Once::new();
    HUSH.call_once(|| {
        let default = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let meant = info.payload_as_str() == Some(DELIBERATE);
            if !meant && !HUSHED.try_with(Cell::get).unwrap_or_default() {
                default(info);
            }
        }));
    });
}

/// The message of the panic in which `work` ends, if it does; it is kept out of the output.
pub(crate) fn caught(work: impl FnOnce()) -> Option<String> {
    hush();
    HUSHED.set(true);
    let panicked = catch_unwind(AssertUnwindSafe(work));
    HUSHED.set(false);
    let payload = panicked.err()?;
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).or(Some(String::new()))
}
