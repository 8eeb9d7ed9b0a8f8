//! What the kernel says of this process.

use std::collections::BTreeSet;
use std::fs;

/// The inodes of the UDP sockets that this process has open.
///
/// Asked of each descriptor by itself: `/proc/net/udp` is of all processes, and may skip entries
/// while it changes.
pub(crate) fn udp_sockets() -> BTreeSet<u64> {
    let descriptors = fs::read_dir("/proc/self/fd").expect("a Linux");
    descriptors
        .filter_map(|descriptor| {
            // One that was closed meanwhile cannot be asked any more.
            let descriptor = descriptor.expect("a descriptor");
            let target = fs::read_link(descriptor.path()).ok()?;
            let inode = target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?;
            // sockfs names the protocol in this attribute: "UDP" or "UDPv6".
            let protocol = xattr::get_deref(descriptor.path(), "system.sockprotoname").ok()??;
            protocol.starts_with(b"UDP").then(|| inode.parse().ok()).flatten()
        })
        .collect()
}
