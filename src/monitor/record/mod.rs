//! The records of connections.

mod connection;
mod end;
mod evidence;
mod info;
mod negotiation;
mod quality;
mod sample;
mod series;
mod session;
mod setup;
mod state;

pub(super) use self::connection::Connection;
pub(super) use self::state::State;
