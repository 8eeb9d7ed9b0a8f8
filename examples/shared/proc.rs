//! What the kernel says of this process.

use std::collections::BTreeSet;
use std::fs;

/// The inodes of the UDP sockets that this process has open.
pub(crate) fn udp_sockets() -> BTreeSet<u64> {
    let mut udp = BTreeSet::new();
    for table in ["/proc/self/net/udp", "/proc/self/net/udp6"] {
        let table = fs::read_to_string(table).unwrap_or_default();
        udp.extend(table.lines().skip(1).filter_map(|line| {
            line.split_whitespace().nth(9).and_then(|inode| inode.parse::<u64>().ok())
        }));
    }
    let descriptors = fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    descriptors
        .filter_map(|descriptor| {
            let target = fs::read_link(descriptor.path()).ok()?;
            let inode = target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?;
            inode.parse().ok()
        })
        .filter(|inode| udp.contains(inode))
        .collect()
}
