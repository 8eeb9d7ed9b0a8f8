//! The record of one connection.

use super::state::State;
use crate::id::{GroupId, PeerId};
use crate::monitor::context::Context;
use crate::sync::Mutex;

/// What is known of one connection, from before it is opened until it leaves the ring.
pub(crate) struct Connection {
    /// In the order in which they were opened.
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

    /// Changes the record, and then tells the outlets what happened to it.
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
