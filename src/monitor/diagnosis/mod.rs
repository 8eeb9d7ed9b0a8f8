//! Why a connection failed, or never connected.
//!
//! Rules in their order; the first that matches wins. Where evidence is not to be had the
//! confidence is lower; nothing is guessed. With `webrtc` 0.21 the counts of connectivity checks
//! are those of the selected pair alone, candidate errors are not told, and a failed handshake is
//! seen by its alerts and by its not ending.

mod cause;
mod evidence;
mod rules;
#[cfg(test)]
mod tests;

pub use self::cause::{Cause, Diagnosis, Stage};
pub(super) use self::evidence::Evidence;

use crate::peer::CloseReason;

/// The verdict on a connection; `None` while there is nothing to explain.
pub(crate) fn diagnose(seen: &Evidence<'_>) -> Option<Diagnosis> {
    if !seen.tells_state || !seen.needs_explaining() {
        return None;
    }
    let stage = seen.stage();
    let verdict = |cause, confidence: f32, evidence: Vec<String>, advice| {
        let confidence = if seen.had_no_time() { confidence / 2.0 } else { confidence };
        Some(Diagnosis { cause, stage, confidence, evidence, advice })
    };
    let state =
        format!("connection {}, ice {}, signaling {}", seen.state, seen.ice, seen.signaling);
    match seen.close {
        Some(CloseReason::RemoteClosed) if seen.was_connected || seen.alerts == [None; 2] => {
            return verdict(
                Cause::RemoteClosed,
                1.0,
                vec!["the remote side ended the DTLS transport or the SCTP association".into()],
                "Nothing is wrong here; look at the remote side for its reason.",
            );
        }
        Some(CloseReason::Ended) => {
            let mut evidence = vec!["the connection ended by itself".into(), state];
            if seen.not_closed > 0 {
                evidence.push(format!("{} closes before had not closed it", seen.not_closed));
            }
            return verdict(
                Cause::DriverEnded,
                0.9,
                evidence,
                "See how it ended: its driver panicked, or its executor was shut down under it, or \
                 the application closed the connection itself.",
            );
        }
        _ => {}
    }
    match stage {
        Stage::Negotiation => rules::negotiation(seen, state, verdict),
        Stage::Ice => rules::ice(seen, state, verdict),
        Stage::Dtls => rules::dtls(seen, verdict),
        Stage::Connected => rules::connected(seen, state, verdict),
    }
}
