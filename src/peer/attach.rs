//! Connects a newly registered peer and its connection.

use std::sync::{Arc, Weak};

use super::close::run;
use super::connection::{EndNotice, Listener, ReleaseNotice, StateNotice};
use super::reaper;
use super::record::Record;
use crate::event::EventKind;
use crate::outcome::ForceCause;
use crate::probe::Probe;
use crate::sync::wake_all;

/// Reports the peer as opened, and hands its notices to the connection. Called after the record was
/// registered. The end notice comes last, so that an end is never reported before the opening.
pub(super) fn attach(record: &Arc<Record>) {
    let (status, connection) = (&record.status, &record.connection);
    if status.watch.is_attached() {
        let notice = ReleaseNotice(Some(Arc::clone(status)));
        let tells_release = connection.watch_release(notice);
        let peer = Arc::downgrade(record);
        let traces = Arc::downgrade(status);
        let tells_state = connection.state().is_some();
        let probe = &Probe { peer, traces, tells_release, tells_state };
        status.tell(|| EventKind::Opened { group: status.group.as_ref(), probe });
    }
    let listener: Weak<dyn Listener> = Arc::downgrade(record) as _;
    let kept = Arc::new(());
    record.reaping.tells_changes(Arc::downgrade(&kept));
    connection.watch_state(StateNotice { peer: Weak::clone(&listener), kept: Some(kept) });
    reaper::schedule(record);
    connection.watch_end(EndNotice(listener));
}

impl Listener for Record {
    fn ended(self: Arc<Self>, cause: ForceCause) {
        run::ended_by_itself(self, cause);
    }

    fn state_changed(self: Arc<Self>) {
        wake_all(&self.status.changed);
        reaper::schedule(&self);
    }
}
