//! The names of peers, of groups and of operations.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The longest id, in bytes of UTF-8.
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

fn checked(text: &str) -> Result<Arc<str>, InvalidId> {
    match text.len() {
        0 => Err(InvalidId::Empty),
        bytes if bytes > MAX_ID_BYTES => Err(InvalidId::TooLong(bytes)),
        _ => Ok(text.into()),
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes `text` as it is: 1 to [`MAX_ID_BYTES`] bytes.
            ///
            /// # Errors
            ///
            /// [`InvalidId`] if it is empty or longer.
            pub fn new(text: impl AsRef<str>) -> Result<Self, InvalidId> {
                checked(text.as_ref()).map(Self)
            }

            /// The text.
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
    /// The id of a peer, unique among the open peers of one [`Peers`](crate::Peers).
    ///
    /// Opaque: nothing can be read off an id that was [generated](Self::generate).
    PeerId
}

id! {
    /// The id of a group of peers: a room, a stream, a session.
    GroupId
}

impl PeerId {
    /// An id that this process has not generated before, from any number of threads.
    ///
    /// A counter under a bijection that is drawn once per process: unique by construction, and
    /// telling neither the order nor the number of peers.
    #[must_use]
    pub fn generate() -> Self {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        static KEY: OnceLock<[u64; 2]> = OnceLock::new();
        let [multiplier, offset] = *KEY.get_or_init(|| [fastrand::u64(..) | 1, fastrand::u64(..)]);
        let mixed = mix(COUNTER.fetch_add(1, Ordering::Relaxed).wrapping_mul(multiplier) ^ offset);
        Self(format!("peer-{mixed:016x}").into())
    }
}

/// The id of an operation: a call on a peer, a close, or work of the application's own.
///
/// Unique in the process, and in all likelihood among processes: those that one process generates
/// begin with the same 24 random bits, and count up. Its text is 16 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OperationId(u64);

impl OperationId {
    /// An id that this process has not generated before, from any number of threads.
    #[must_use]
    pub fn generate() -> Self {
        static COUNTER: AtomicU64 = AtomicU64::new(1);
        static PROCESS: OnceLock<u64> = OnceLock::new();
        let process = *PROCESS.get_or_init(|| fastrand::u64(1..1 << 24) << 40);
        Self(process | (COUNTER.fetch_add(1, Ordering::Relaxed) & ((1 << 40) - 1)))
    }

    /// That of this number, whether or not there is an operation of that.
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

/// The text is no operation's id.
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

/// The finaliser of `SplitMix64` (Steele et al. 2014): a bijection of 64 bits.
const fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
