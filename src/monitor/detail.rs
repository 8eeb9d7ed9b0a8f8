//! What is to be known of an operation: what it is done to, and whatever else somebody says of it.

use super::connection::Connection;
use super::core::Core;
use super::options::NAME_BYTES;
use crate::event::Target;
use crate::id::PeerId;
use crate::redact::{REDACTED, Redactor, Secrets};

/// What an operation is done to, as it is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Subject {
    /// Nothing in particular.
    #[default]
    None,
    /// A peer.
    Peer(PeerId),
    /// A peer that there is not.
    UnknownPeer(Box<str>),
    /// A group.
    Group(Box<str>),
    /// All peers of a set.
    All,
}

impl Subject {
    pub(super) fn of(connection: &Connection) -> Self {
        Self::Peer(connection.id.clone())
    }

    pub(super) fn of_target(core: &Core, target: Target<'_>) -> Self {
        let name = |text: &str| core.redactor.text(text, Secrets::none(), NAME_BYTES);
        match target {
            Target::Peer(peer) => Self::Peer(peer.clone()),
            Target::UnknownPeer(id) => Self::UnknownPeer(name(id)),
            Target::Group(group) => Self::Group(name(group)),
            Target::All => Self::All,
        }
    }
}

/// The value of a detail.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Detail {
    /// A text.
    Text(Box<str>),
    /// A whole number.
    Integer(i64),
    /// A number.
    Number(f64),
    /// Yes or no.
    Flag(bool),
}

macro_rules! details {
    ($($from:ty => $variant:ident as $to:ty;)*) => {$(
        impl From<$from> for Detail {
            fn from(value: $from) -> Self {
                Self::$variant(<$to>::from(value))
            }
        }
    )*};
}

details! {
    &str => Text as Box<str>;
    String => Text as Box<str>;
    i32 => Integer as i64;
    u32 => Integer as i64;
    i64 => Integer as i64;
    f64 => Number as f64;
    bool => Flag as bool;
}

/// What is to be known of an operation; few have any.
#[derive(Clone, Debug, Default)]
pub(super) struct Details(pub(super) Vec<(&'static str, Detail)>);

impl Details {
    /// Leaves of each what may be kept.
    pub(super) fn clean(&mut self, redactor: &Redactor, secrets: &Secrets) {
        for (name, value) in &mut self.0 {
            match value {
                _ if Redactor::is_secret_name(name) => *value = Detail::Text(REDACTED.into()),
                Detail::Text(text) => *text = redactor.text(text, secrets, NAME_BYTES),
                Detail::Integer(_) | Detail::Number(_) | Detail::Flag(_) => {}
            }
        }
    }
}
