//! Dumps of connections.
