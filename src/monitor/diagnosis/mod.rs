//! Diagnoses of connections that failed, were lost, or never connected.
//!
//! The rules are tried in order, and the first that matches gives the cause. Where evidence is not
//! available, the confidence is lower. With `webrtc` 0.21, connectivity checks are counted only for
//! the selected pair, candidate errors are not reported, and a failed DTLS handshake can only be
//! recognised by its alerts, or because it does not end.

mod cause;
mod evidence;
mod rules;
#[cfg(test)]
mod tests;

pub use self::cause::{Cause, Diagnosis, Stage};
pub(super) use self::evidence::Evidence;

use crate::peer::CloseReason;

/// Diagnoses a connection; `None` if nothing is wrong.
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
                "Nothing is wrong on this side. Look at the remote side for the reason.",
            );
        }
        Some(CloseReason::Ended) => {
            let mut evidence = vec!["the connection ended without being closed".into(), state];
            if seen.not_closed > 0 {
                evidence.push(format!("earlier closes that failed: {}", seen.not_closed));
            }
            return verdict(
                Cause::DriverEnded,
                0.9,
                evidence,
                "See `close.cause`: the driver panicked, its executor was shut down, or the \
                 application closed the connection without anypeer.",
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
