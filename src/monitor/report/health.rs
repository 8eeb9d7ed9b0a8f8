//! The health of all connections, tasks and the log.

use std::fmt;

/// The health of everything that a [`Monitor`](crate::monitor::Monitor) watches.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Health {
    /// Nothing is wrong.
    Ok,
    /// There are health issues, but none of those of [`Failing`](Self::Failing).
    Degraded(Vec<HealthIssue>),
    /// The health issues include [`HealthIssue::NotClosed`] or [`HealthIssue::MostFailed`]: a peer
    /// would not close, or at least 4 connections, and more than half of the live ones, have
    /// failed.
    Failing(Vec<HealthIssue>),
}

impl Health {
    /// Returns a stable lower-case name: `ok`, `degraded` or `failing`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Degraded(_) => "degraded",
            Self::Failing(_) => "failing",
        }
    }

    /// Returns the health issues, the most serious ones first.
    #[must_use]
    pub fn issues(&self) -> &[HealthIssue] {
        match self {
            Self::Ok => &[],
            Self::Degraded(issues) | Self::Failing(issues) => issues,
        }
    }

    /// Derives the health from numbers.
    pub(crate) fn of(seen: &Vitals) -> Self {
        let mut serious = Vec::new();
        let mut others = Vec::new();
        if seen.not_closed > 0 {
            serious.push(HealthIssue::NotClosed(seen.not_closed));
        }
        // A few failed connections are due to clients' networks. If most connections have failed,
        // the cause is probably on this host.
        if seen.failed >= 4 && seen.failed * 2 > seen.live {
            serious.push(HealthIssue::MostFailed { failed: seen.failed, live: seen.live });
        } else if seen.failed > 0 {
            others.push(HealthIssue::Failed(seen.failed));
        }
        for (count, issue) in [
            (seen.stalled, HealthIssue::StalledHandlers(seen.stalled)),
            (seen.stuck, HealthIssue::StuckTasks(seen.stuck)),
            (seen.orphaned, HealthIssue::OrphanedTasks(seen.orphaned)),
            (seen.unreleased, HealthIssue::Unreleased(seen.unreleased)),
            (seen.dropped, HealthIssue::LogDropped(seen.dropped)),
        ] {
            if count > 0 {
                others.push(issue);
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
        for (i, issue) in self.issues().iter().enumerate() {
            write!(f, "{} {issue}", if i == 0 { ":" } else { "," })?;
        }
        Ok(())
    }
}

/// A health issue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HealthIssue {
    /// The number of peers that would not close and are still open.
    NotClosed(u64),
    /// At least 4 connections, and more than half of the live ones, have failed.
    MostFailed {
        /// The number of connections that have failed.
        failed: u64,
        /// The number of live connections.
        live: u64,
    },
    /// The number of connections that have failed and are still open.
    Failed(u64),
    /// The number of connections whose driver is held by a callback beyond its budget, so that
    /// nothing is sent or received on them.
    StalledHandlers(u64),
    /// The number of stuck tasks.
    StuckTasks(u64),
    /// The number of tasks that have outlived their peers.
    OrphanedTasks(u64),
    /// The number of closed connections that the application still holds.
    Unreleased(u64),
    /// The number of log records that were ever dropped, if some were dropped in the last minute.
    LogDropped(u64),
}

impl fmt::Display for HealthIssue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, one, many) = match *self {
            Self::MostFailed { failed, live } => {
                return write!(f, "{failed} of {live} connections have failed");
            }
            Self::NotClosed(count) => (count, "peer would not close", "peers would not close"),
            Self::Failed(count) => (count, "connection has failed", "connections have failed"),
            Self::StalledHandlers(count) => {
                (count, "connection is held by a callback", "connections are held by callbacks")
            }
            Self::StuckTasks(count) => (count, "task is stuck", "tasks are stuck"),
            Self::OrphanedTasks(count) => (count, "task is orphaned", "tasks are orphaned"),
            Self::Unreleased(count) => {
                (count, "closed connection is held", "closed connections are held")
            }
            Self::LogDropped(count) => {
                (count, "log record was dropped", "log records were dropped")
            }
        };
        write!(f, "{count} {}", if count == 1 { one } else { many })
    }
}

/// The numbers that the health is derived from.
pub(crate) struct Vitals {
    pub(crate) live: u64,
    pub(crate) failed: u64,
    pub(crate) not_closed: u64,
    pub(crate) stalled: u64,
    pub(crate) stuck: u64,
    pub(crate) orphaned: u64,
    pub(crate) unreleased: u64,
    pub(crate) dropped: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    const WELL: Vitals = Vitals {
        live: 10,
        failed: 0,
        not_closed: 0,
        stalled: 0,
        stuck: 0,
        orphaned: 0,
        unreleased: 0,
        dropped: 0,
    };

    #[test]
    fn one_that_fails_is_degraded_and_most_that_fail_are_failing() {
        assert_eq!(Health::of(&WELL), Health::Ok);
        let one = Health::of(&Vitals { failed: 1, ..WELL });
        assert_eq!(one, Health::Degraded(vec![HealthIssue::Failed(1)]));
        let most = Health::of(&Vitals { failed: 6, stuck: 1, ..WELL });
        assert_eq!(most.to_string(), "failing: 6 of 10 connections have failed, 1 task is stuck");
    }

    #[test]
    fn a_peer_that_would_not_close_is_failing() {
        let health = Health::of(&Vitals { not_closed: 1, ..WELL });
        assert_eq!(health.as_str(), "failing");
    }
}
