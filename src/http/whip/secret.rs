//! Secrets, and what may be known of them.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// The system has no random numbers.
#[derive(Debug)]
pub(super) struct NoRandomness;

/// 128 bits that nobody can guess, as text: knowing the URL of a session is the right to end it
/// (RFC 9725, section 5).
pub(super) fn generate() -> Result<String, NoRandomness> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(hexadecimal(&bytes))
}

/// The id of the peer whose session has this secret. The id is shown to everybody who watches, and
/// does not lead back to the secret.
pub(super) fn peer_id(secret: &str) -> String {
    let digest = Sha256::digest(secret);
    // As many bits as the secret has: fewer would make another secret of that id easier to find.
    format!("whip-{}", hexadecimal(&digest[..16]))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}
