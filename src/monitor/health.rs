//! How the whole is.

use std::fmt;

/// The verdict on the whole.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Health {
    /// Nothing is wrong.
    Ok,
    /// Something is, and the rest works.
    Degraded(Vec<Complaint>),
    /// Connections do not come about, or do not go.
    Failing(Vec<Complaint>),
}

impl Health {
    /// A stable lower-case name.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Degraded(_) => "degraded",
            Self::Failing(_) => "failing",
        }
    }

    /// What is wrong.
    #[must_use]
    pub fn complaints(&self) -> &[Complaint] {
        match self {
            Self::Ok => &[],
            Self::Degraded(complaints) | Self::Failing(complaints) => complaints,
        }
    }

    pub(super) fn of(seen: &Vitals) -> Self {
        let mut serious = Vec::new();
        let mut others = Vec::new();
        if seen.not_closed > 0 {
            serious.push(Complaint::NotClosed(seen.not_closed));
        }
        // A few that fail are the network's; most are ours.
        if seen.failed >= 4 && seen.failed * 2 > seen.live {
            serious.push(Complaint::MostFailed { failed: seen.failed, live: seen.live });
        } else if seen.failed > 0 {
            others.push(Complaint::Failed(seen.failed));
        }
        for (count, complaint) in [
            (seen.stuck, Complaint::StuckTasks(seen.stuck)),
            (seen.orphaned, Complaint::OrphanedTasks(seen.orphaned)),
            (seen.held, Complaint::Held(seen.held)),
            (seen.dropped, Complaint::Dropped(seen.dropped)),
        ] {
            if count > 0 {
                others.push(complaint);
            }
        }
        match (serious.is_empty(), others.is_empty()) {
            (true, true) => Self::Ok,
            (true, false) => Self::Degraded(others),
            (false, _) => {
                serious.extend(others);
                Self::Failing(serious)
            }
        }
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())?;
        for (i, complaint) in self.complaints().iter().enumerate() {
            write!(f, "{} {complaint}", if i == 0 { ":" } else { "," })?;
        }
        Ok(())
    }
}

/// Something that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Complaint {
    /// So many peers would not close, and are still open.
    NotClosed(u64),
    /// Most connections have failed.
    MostFailed {
        /// How many.
        failed: u64,
        /// Of how many that are live.
        live: u64,
    },
    /// So many connections have failed, and are still open.
    Failed(u64),
    /// So many tasks are stuck.
    StuckTasks(u64),
    /// So many tasks are there whose peers are gone.
    OrphanedTasks(u64),
    /// So many closed connections are held by the application.
    Held(u64),
    /// So many records of the log were dropped of late.
    Dropped(u64),
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, one, many) = match *self {
            Self::MostFailed { failed, live } => {
                return write!(f, "{failed} of {live} connections have failed");
            }
            Self::NotClosed(count) => (count, "peer would not close", "peers would not close"),
            Self::Failed(count) => (count, "connection has failed", "connections have failed"),
            Self::StuckTasks(count) => (count, "task is stuck", "tasks are stuck"),
            Self::OrphanedTasks(count) => (count, "task is orphaned", "tasks are orphaned"),
            Self::Held(count) => {
                (count, "closed connection is held", "closed connections are held")
            }
            Self::Dropped(count) => (count, "log record was dropped", "log records were dropped"),
        };
        write!(f, "{count} {}", if count == 1 { one } else { many })
    }
}

/// The numbers that it is judged by.
pub(super) struct Vitals {
    pub(super) live: u64,
    pub(super) failed: u64,
    pub(super) not_closed: u64,
    pub(super) stuck: u64,
    pub(super) orphaned: u64,
    pub(super) held: u64,
    pub(super) dropped: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    const WELL: Vitals =
        Vitals { live: 10, failed: 0, not_closed: 0, stuck: 0, orphaned: 0, held: 0, dropped: 0 };

    #[test]
    fn one_that_fails_is_degraded_and_most_that_fail_are_failing() {
        assert_eq!(Health::of(&WELL), Health::Ok);
        let one = Health::of(&Vitals { failed: 1, ..WELL });
        assert_eq!(one, Health::Degraded(vec![Complaint::Failed(1)]));
        let most = Health::of(&Vitals { failed: 6, stuck: 1, ..WELL });
        assert_eq!(most.to_string(), "failing: 6 of 10 connections have failed, 1 task is stuck");
    }

    #[test]
    fn a_peer_that_would_not_close_is_failing() {
        let health = Health::of(&Vitals { not_closed: 1, ..WELL });
        assert_eq!(health.as_str(), "failing");
    }
}
