//! The reaper, which closes peers that nobody else closes; see
//! [`ReaperOptions`](super::ReaperOptions).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::task::{Wake, Waker};
use std::time::Duration;

use super::alarm::Due;
use super::close::run;
use super::record::Record;
use crate::outcome::CloseReason;
use crate::runtime::Runtime;
use crate::runtime::clock::after;

/// How long a connection may take to tell whether the remote side has closed it.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// Sets the alarm for the next look at a peer, if one is due at all.
pub(super) fn schedule(record: &Arc<Record>) {
    let reaping = &record.reaping;
    if !reaping.is_on() || !record.is_open() {
        return;
    }
    let connection = &record.connection;
    // The connection is foreign code, which may panic.
    let asked = catch_unwind(AssertUnwindSafe(|| (connection.state(), connection.state_since())));
    let (state, since) = asked.unwrap_or_default();
    if let Some(at) = reaping.next_look(state, since, record.status.clock().now()) {
        let look = Waker::from(Arc::new(Look(Arc::downgrade(record))));
        record.status.alarm.set(Due::Look, at, look);
    }
}

/// The waker of the alarm for a look.
struct Look(Weak<Record>);

impl Wake for Look {
    fn wake(self: Arc<Self>) {
        // A drop of the last reference to a connection runs foreign code, which must not block the
        // timers' thread. The record is therefore given to a thread that may block.
        if let Some(record) = self.0.upgrade() {
            look(record);
        }
    }
}

/// Checks one connection on a background thread, and closes it if a rule applies.
fn look(record: Arc<Record>) {
    if !record.reaping.begin_look() {
        drop(Runtime::spawn_background(async move { drop(record) }));
        return;
    }
    let asked = Looking(Arc::clone(&record));
    drop(Runtime::spawn_background(record.foreign(async move {
        let Looking(record) = &asked;
        let (reaping, clock) = (&record.reaping, record.status.clock());
        if !record.is_open() || reaping.backs_off(clock.now()) {
            return;
        }
        let connection = &record.connection;
        let (state, since) = (connection.state(), connection.state_since());
        let over = state.and_then(|state| reaping.is_over(state, since, clock.now()));
        let over = match over {
            None if reaping.asks_for_goodbye() => {
                let said = Arc::clone(connection).remote_closed();
                let said = clock.by(after(clock.now(), ANSWER_WITHIN), said);
                (said.await == Some(true)).then_some(CloseReason::RemoteClosed)
            }
            over => over,
        };
        if let Some(reason) = over {
            let outcome = run::close(record, reason).await;
            if !outcome.is_closed() {
                reaping.back_off(clock.now());
            }
        }
    })));
}

/// A look at a peer. The next one is scheduled when this is dropped.
struct Looking(Arc<Record>);

impl Drop for Looking {
    fn drop(&mut self) {
        self.0.reaping.end_look();
        schedule(&self.0);
    }
}
