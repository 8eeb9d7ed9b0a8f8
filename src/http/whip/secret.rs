//! The secrets of sessions, and the peer ids that are derived from them.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// The error of a system that provides no random numbers.
#[derive(Debug)]
pub(super) struct NoRandomness;

/// Generates a secret of 128 random bits, as text. Whoever knows the URL of a session may end the
/// session (RFC 9725, section 5).
pub(super) fn generate() -> Result<String, NoRandomness> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(hexadecimal(&bytes))
}

/// Returns the id of the peer whose session has this secret. The id is visible to every client that
/// may read, and does not reveal the secret.
pub(super) fn peer_id(secret: &str) -> String {
    let digest = Sha256::digest(secret);
    // The id has as many bits as the secret. With fewer bits, another secret with the same id would
    // be easier to find.
    format!("whip-{}", hexadecimal(&digest[..16]))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}
