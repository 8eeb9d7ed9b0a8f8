//! Stands in for `std::sync::OnceLock` in a model, with an order that loom knows.

use loom::sync::Mutex;

#[derive(Debug)]
pub(crate) struct OnceLock<T> {
    value: std::sync::OnceLock<T>,
    order: Mutex<()>,
}

impl<T> Default for OnceLock<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> OnceLock<T> {
    pub(crate) fn new() -> Self {
        Self { value: std::sync::OnceLock::new(), order: Mutex::new(()) }
    }

    pub(crate) fn set(&self, value: T) -> Result<(), T> {
        let _ordered = self.order.lock().unwrap();
        self.value.set(value)
    }

    pub(crate) fn get(&self) -> Option<&T> {
        let _ordered = self.order.lock().unwrap();
        self.value.get()
    }

    /// Unlike the real one it may make a value in vain; it never blocks a thread of loom's.
    pub(crate) fn get_or_init(&self, init: impl FnOnce() -> T) -> &T {
        if self.get().is_none() {
            drop(self.set(init()));
        }
        self.get().expect("it is set")
    }
}
