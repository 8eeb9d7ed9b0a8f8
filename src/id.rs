//! The ids of peers, groups and operations.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The maximum length of a [`PeerId`] or [`GroupId`], in bytes of UTF-8.
pub const MAX_ID_BYTES: usize = 256;

/// The reason why a text is not a valid id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidId {
    /// The text is empty.
    Empty,
    /// The text has this many bytes, more than [`MAX_ID_BYTES`].
    TooLong(usize),
}

impl fmt::Display for InvalidId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("an id must not be empty"),
            Self::TooLong(bytes) => {
                write!(f, "an id has at most {MAX_ID_BYTES} bytes, and this one has {bytes}")
            }
        }
    }
}

impl std::error::Error for InvalidId {}

/// Copies `text` into a shared string if its length is valid.
fn checked(text: &str) -> Result<Arc<str>, InvalidId> {
    match text.len() {
        0 => Err(InvalidId::Empty),
        bytes if bytes > MAX_ID_BYTES => Err(InvalidId::TooLong(bytes)),
        _ => Ok(text.into()),
    }
}

/// Defines an id type: a cheaply cloned, checked string.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Creates an id from a text of 1 to [`MAX_ID_BYTES`] bytes, which is not changed.
            ///
            /// # Errors
            ///
            /// Returns [`InvalidId`] if `text` is empty or too long.
            pub fn new(text: impl AsRef<str>) -> Result<Self, InvalidId> {
                checked(text.as_ref()).map(Self)
            }

            /// The text of the id.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id! {
    /// The id of a peer, which is unique among the open peers of one [`Peers`](crate::Peers).
    ///
    /// The application chooses it ([`PeerOptions::id`](crate::PeerOptions::id)), or anypeer
    /// [generates](Self::generate) one. A generated id is opaque: it tells neither the order nor
    /// the number of peers.
    ///
    /// ```
    /// use anypeer::{InvalidId, PeerId};
    ///
    /// assert_eq!(PeerId::new("camera")?.as_str(), "camera");
    /// assert_eq!(PeerId::new(""), Err(InvalidId::Empty));
    /// # Ok::<(), InvalidId>(())
    /// ```
    PeerId
}

id! {
    /// The id of a group of peers, such as a room, a stream or a session.
    GroupId
}

impl PeerId {
    /// Generates an id that this process has not generated before. May be called from any thread.
    ///
    /// The id is a counter under a bijection of 64 bits that is chosen at random once per process.
    /// It is not a secret, and must not be used as one.
    #[must_use]
    pub fn generate() -> Self {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        static KEY: OnceLock<[u64; 2]> = OnceLock::new();
        let [multiplier, offset] = *KEY.get_or_init(|| [fastrand::u64(..) | 1, fastrand::u64(..)]);
        let mixed = mix(COUNTER.fetch_add(1, Ordering::Relaxed).wrapping_mul(multiplier) ^ offset);
        Self(format!("peer-{mixed:016x}").into())
    }
}

/// The id of an operation: a call on a peer, a close, or an operation that the application defines.
///
/// The id is unique in the process, and very probably among processes: its upper 24 bits are chosen
/// at random once per process, and its lower 40 bits count up. Its `Display` output is 16
/// hexadecimal digits, which [`FromStr`](std::str::FromStr) parses.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OperationId(u64);

impl OperationId {
    /// Generates an id that this process has not generated before. May be called from any thread.
    #[must_use]
    pub fn generate() -> Self {
        static COUNTER: AtomicU64 = AtomicU64::new(1);
        static PROCESS: OnceLock<u64> = OnceLock::new();
        let process = *PROCESS.get_or_init(|| fastrand::u64(1..1 << 24) << 40);
        Self(process | (COUNTER.fetch_add(1, Ordering::Relaxed) & ((1 << 40) - 1)))
    }

    /// The id with this number. It need not belong to an operation.
    #[cfg(feature = "http")]
    pub(crate) const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }
}

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The error for a text that is not an [`OperationId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParseOperationIdError;

impl fmt::Display for ParseOperationIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an operation's id has 16 hexadecimal digits")
    }
}

impl std::error::Error for ParseOperationIdError {}

impl std::str::FromStr for OperationId {
    type Err = ParseOperationIdError;

    fn from_str(text: &str) -> Result<Self, ParseOperationIdError> {
        let digits =
            text.len() == 16 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let number = digits.then(|| u64::from_str_radix(text, 16).ok()).flatten();
        number.map(Self).ok_or(ParseOperationIdError)
    }
}

/// The finaliser of `SplitMix64` (Steele et al. 2014), which is a bijection of 64-bit integers.
const fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
