//! The record of one connection.

use super::state::State;
use crate::id::{GroupId, PeerId};
use crate::monitor::context::Context;
use crate::sync::Mutex;

/// The record of one connection. It is made before the connection is opened, and kept until enough
/// later connections have ended.
pub(crate) struct Connection {
    /// The number of the connection in the order of opening.
    pub(crate) number: u64,
    pub(crate) id: PeerId,
    pub(crate) group: Option<GroupId>,
    pub(super) state: Mutex<State>,
}

impl Connection {
    pub(crate) fn new(number: u64, id: PeerId, group: Option<GroupId>) -> Self {
        Self { number, id, group, state: Mutex::new(State::new()) }
    }

    /// Reads the record.
    #[inline]
    pub(crate) fn read<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.state.lock())
    }

    /// Changes the record, and then passes its new events on to the outlets, without the lock.
    #[inline]
    pub(crate) fn change<T>(&self, context: &Context, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.lock();
        let result = change(&mut state);
        if !state.has_fresh() {
            return result;
        }
        let fresh = state.take_fresh();
        drop(state);
        for entry in &fresh {
            let at = context.clock.wall(entry.at);
            context.outlets.event(self.number, &self.id, self.group.as_ref(), at, &entry.event);
        }
        result
    }
}
