//! Options of a monitor: how much it keeps, and how often it samples.

use std::time::Duration;

/// Defines a struct of options with a setter for each. The docs of an option become those of its
/// setter.
macro_rules! options {
    ($(#[$doc:meta])* $name:ident {
        $($(#[$option_doc:meta])* $option:ident: $type:ty = $default:expr,)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct $name {
            $(pub(crate) $option: $type,)*
        }

        impl $name {
            /// Returns the defaults.
            #[must_use]
            pub const fn new() -> Self {
                Self { $($option: $default,)* }
            }

            $(
                $(#[$option_doc])*
                #[must_use]
                pub const fn $option(mut self, $option: $type) -> Self {
                    self.$option = $option;
                    self
                }
            )*
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }
    };
}

pub(super) use options;

options! {
    /// The limits of what a [`Monitor`](super::Monitor) keeps; see
    /// [`MonitorBuilder::limits`](super::MonitorBuilder::limits).
    ///
    /// Texts are also cut at fixed lengths: 256 bytes for a name, 512 bytes for an error.
    ///
    /// ```
    /// use anypeer::monitor::Limits;
    ///
    /// let limits = Limits::new().closed_connections(1000).timeline(32);
    /// println!("at most {} MiB with 500 live connections", limits.memory_bound(500) >> 20);
    /// ```
    Limits {
        /// Sets how many connections that have ended are kept, the last ones; 256 by default.
        closed_connections: usize = 256,
        /// Sets how many entries of the timeline of a connection are kept, the last ones; 64 by
        /// default.
        timeline: usize = 64,
        /// Sets how many candidates of each side of a connection are kept, the first ones; 32 by
        /// default.
        candidates: usize = 32,
        /// Sets how many session descriptions of a connection are kept, the last ones; 8 by
        /// default.
        descriptions: usize = 8,
        /// Sets the maximum length of a session description whose text is kept, in bytes; 16 KiB by
        /// default. Of a longer description, everything but the text is kept.
        description_bytes: usize = 16 << 10,
        /// Sets how many tracks of a connection, and how many of its data channels, are kept; 64 by
        /// default. The first tracks are kept. A closed data channel makes room for a new one.
        tracks_and_channels: usize = 64,
        /// Sets how many errors of a connection are kept, the last ones; 8 by default.
        errors: usize = 8,
        /// Sets how many samples of a connection's statistics are kept, the last ones; 60 by
        /// default.
        samples: usize = 60,
        /// Sets how many operations in flight have a record; 65,536 by default. Further operations
        /// are only counted.
        active_operations: usize = 1 << 16,
        /// Sets how many operations that have ended are kept, the last ones; 1,024 by default.
        finished_operations: usize = 1024,
        /// Sets how many details of an operation are kept; 16 by default.
        details: usize = 16,
        /// Sets how many names of operations, and how many names of tasks, are counted separately;
        /// 128 by default. Further names are counted together as `other`.
        names: usize = 128,
        /// Sets how many updates are kept for [`Monitor::updates`](super::Monitor::updates), the
        /// last ones; 4,096 by default. No updates are kept before that function is first called.
        updates: usize = 4096,
    }
}

/// The length at which a name (an id, a label, the id of a track) is cut, in bytes.
pub(crate) const NAME_BYTES: usize = 256;
/// The length at which the text of an error is cut, in bytes.
pub(crate) const ERROR_BYTES: usize = 512;
/// The number of errors that are kept of an error and its sources.
pub(crate) const ERROR_CHAIN: usize = 8;

/// An upper bound of the size of a sample.
pub(crate) const SAMPLE_BYTES: usize = 112;

/// A factor for the overhead of the allocator, and for collections that grow by doubling.
const SLACK: usize = 2;

impl Limits {
    /// Returns an upper bound of the memory that a monitor holds while `live` connections are open,
    /// in bytes.
    ///
    /// It assumes that all limits are reached, and that every text has its maximum length.
    #[must_use]
    pub fn memory_bound(&self, live: usize) -> usize {
        let connections = live.saturating_add(self.closed_connections);
        let operations = self.active_operations.saturating_add(self.finished_operations);
        connections
            .saturating_mul(self.connection_bound())
            .saturating_add(operations.saturating_mul(self.operation_bound()))
            .saturating_add(self.names * 2 * 1024)
            .saturating_add(self.updates.saturating_mul(self.update_bound()))
            .saturating_add(64 << 10)
    }

    /// Returns an upper bound of the memory that is held for one connection, in bytes.
    #[must_use]
    pub fn connection_bound(&self) -> usize {
        let entry = 64 + ERROR_BYTES;
        let parts = [
            1024,
            self.timeline * entry,
            2 * self.candidates * (80 + 253),
            self.descriptions * (64 + self.description_bytes),
            2 * self.tracks_and_channels * (160 + NAME_BYTES),
            self.errors * entry,
            self.samples * SAMPLE_BYTES,
        ];
        SLACK * parts.iter().sum::<usize>()
    }

    /// An upper bound of the memory that is held for one update, in bytes, with its text.
    fn update_bound(&self) -> usize {
        3 * (self.operation_bound() / SLACK + ERROR_BYTES)
    }

    /// Returns an upper bound of the memory that is held for one operation, in bytes.
    #[must_use]
    pub fn operation_bound(&self) -> usize {
        SLACK
            * (256
                + NAME_BYTES
                + ERROR_CHAIN * (ERROR_BYTES + 24)
                + self.details * (64 + NAME_BYTES))
    }
}

options! {
    /// Options of how the statistics of connections are sampled; see
    /// [`MonitorBuilder::sample`](super::MonitorBuilder::sample).
    SampleOptions {
        /// Sets the time between two samples of a connection; 5 s by default, and at least 1 s. It
        /// becomes longer if sampling would take more than its share of a core.
        interval: Duration = Duration::from_secs(5),
        /// Sets the share of one core that sampling may take, from 0.0001 to 1; 0.02 by default.
        share: f64 = 0.02,
    }
}
