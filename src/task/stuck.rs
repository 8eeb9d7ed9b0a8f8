//! The tasks that would not stop.

use std::fmt;

use super::record::TaskInfo;

/// The tasks that had not stopped when nobody waited for them any longer.
///
/// They are inside a poll that blocks its thread, or nobody runs their executor, or they were
/// only [counted](super::TaskGroup::track) and take no notice of their token. They still end when
/// they can.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StuckTasks {
    /// The recorded ones.
    pub named: Vec<TaskInfo>,
    /// How many more there are, which were only counted.
    pub unnamed: usize,
}

impl StuckTasks {
    /// Whether every task has stopped.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.named.len() + self.unnamed
    }
}

impl fmt::Display for StuckTasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} tasks have not stopped", self.len())?;
        for task in &self.named {
            write!(f, "\n  {task}")?;
        }
        Ok(())
    }
}
