//! What stands in for locks and atomics in a model.

mod event;
mod once_lock;

pub(crate) use loom::sync::{Mutex, MutexGuard, atomic};

pub(crate) use self::event::{Event, EventListener};
pub(crate) use self::once_lock::OnceLock;
