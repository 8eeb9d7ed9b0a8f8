//! The names of the program and the numbers of connections, in both formats.

use std::collections::{BTreeMap, BTreeSet};

use crate::monitor::ConnectionInfo;

/// The name of this crate, with its version.
pub(super) const USER_AGENT: &str = concat!("anypeer/", env!("CARGO_PKG_VERSION"));

/// Gives each connection a number: its own, or the first free one if an earlier connection has
/// that.
pub(super) fn numbered(connections: &[ConnectionInfo]) -> BTreeMap<u64, &ConnectionInfo> {
    let own: BTreeSet<u64> = connections.iter().map(|info| info.number).collect();
    let mut free = (1..=u64::MAX).filter(|number| !own.contains(number));
    let mut numbered = BTreeMap::new();
    for info in connections {
        let number =
            if numbered.contains_key(&info.number) { free.next() } else { Some(info.number) };
        if let Some(number) = number {
            numbered.insert(number, info);
        }
    }
    numbered
}
