//! What a monitor keeps, and how often it looks.

use std::time::Duration;

/// Options with a setter each: the docs of an option are those of its setter.
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
            /// The defaults.
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
    /// How much a [`Monitor`](super::Monitor) keeps. It never keeps more.
    ///
    /// Texts are also cut at fixed lengths: 256 bytes for a name, 512 for an error.
    Limits {
        /// How many of the last connections that have ended are kept; 256 by default.
        closed_connections: usize = 256,
        /// How many of the last entries in the timeline of a connection are kept; 64 by default.
        timeline: usize = 64,
        /// How many of the first candidates of each side of a connection are kept; 32 by default.
        candidates: usize = 32,
        /// How many of the last session descriptions of a connection are kept; 8 by default.
        descriptions: usize = 8,
        /// How many bytes a session description may have; of a longer one, only the length is kept.
        /// 16 KiB by default.
        description_bytes: usize = 16 << 10,
        /// How many of the first tracks of a connection are kept, and how many data channels; 64 by
        /// default.
        tracks_and_channels: usize = 64,
        /// How many of the last errors of a connection are kept; 8 by default.
        errors: usize = 8,
        /// How many of the last samples of a connection's statistics are kept; 60 by default.
        samples: usize = 60,
        /// How many operations in flight are known by their ids; any others are only counted.
        /// 65,536 by default.
        active_operations: usize = 1 << 16,
        /// How many of the last operations that have ended are kept; 1,024 by default.
        finished_operations: usize = 1024,
        /// How many details of an operation are kept; 16 by default.
        details: usize = 16,
        /// How many names of operations, and how many names of tasks, are told apart; 128 by
        /// default.
        names: usize = 128,
        /// How many of the last updates are kept for those who follow live; 4,096 by default. None
        /// are kept before somebody follows.
        updates: usize = 4096,
    }
}

/// The longest name (an id, a label, a track's id) that is kept whole, in bytes.
pub(crate) const NAME_BYTES: usize = 256;
/// The longest text of an error that is kept whole, in bytes.
pub(crate) const ERROR_BYTES: usize = 512;
/// The longest chain of an error's sources that is kept whole.
pub(crate) const ERROR_CHAIN: usize = 8;

/// No less than the size of a sample.
pub(crate) const SAMPLE_BYTES: usize = 112;

/// Rounds up what the allocator adds and what grows by doubling.
const SLACK: usize = 2;

impl Limits {
    /// An upper bound of the memory that a monitor holds, in bytes, while `live` connections are
    /// open.
    ///
    /// Each part counts with the size of its type, and with its texts at their longest.
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

    /// An upper bound of the memory that is held for one connection, in bytes.
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

    /// More than is ever held of one update, in bytes, with its text.
    fn update_bound(&self) -> usize {
        3 * (self.operation_bound() / SLACK + ERROR_BYTES)
    }

    /// An upper bound of the memory that is held for one operation, in bytes.
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
    /// How the statistics of connections are sampled.
    SampleOptions {
        /// How often each connection is sampled, within the share; at most every second. 5 s by
        /// default.
        interval: Duration = Duration::from_secs(5),
        /// The share of one core that sampling may take; 0.02 by default. If that is not enough,
        /// the interval becomes longer.
        share: f64 = 0.02,
    }
}
