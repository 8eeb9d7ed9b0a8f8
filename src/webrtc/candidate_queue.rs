//! The queue of candidates that arrive before the remote description.

use std::collections::VecDeque;

use ::webrtc::peer_connection::RTCIceCandidateInit;

use super::operation_error::OperationError;
use crate::sync::Mutex;

/// The maximum number of candidates that are queued for one peer before its remote description
/// arrives. Browsers gather a few candidates for each network interface and each ICE server.
pub const MAX_QUEUED_CANDIDATES: usize = 256;

/// The candidates that arrived before the remote description, the earliest first.
#[derive(Default)]
pub(super) struct CandidateQueue(Mutex<VecDeque<RTCIceCandidateInit>>);

impl CandidateQueue {
    /// Adds a candidate to the end of the queue.
    pub(super) fn push(&self, candidate: RTCIceCandidateInit) -> Result<(), OperationError> {
        let mut queued = self.0.lock();
        if queued.len() >= MAX_QUEUED_CANDIDATES {
            return Err(OperationError::TooManyCandidates);
        }
        queued.push_back(candidate);
        Ok(())
    }

    /// Takes the first candidate, to be added to the connection.
    pub(super) fn take(&self) -> Option<Taken<'_>> {
        let candidate = self.0.lock().pop_front()?;
        Some(Taken { queue: self, candidate: Some(candidate) })
    }
}

/// A candidate that is being added to the connection. If this is dropped before
/// [`done`](Self::done) was called, the candidate goes back to the front of the queue.
pub(super) struct Taken<'a> {
    queue: &'a CandidateQueue,
    /// `None` once the candidate was added or refused.
    candidate: Option<RTCIceCandidateInit>,
}

impl Taken<'_> {
    pub(super) fn candidate(&self) -> RTCIceCandidateInit {
        self.candidate.clone().unwrap_or_default()
    }

    /// Notes that the candidate was added or refused.
    pub(super) fn done(mut self) {
        self.candidate = None;
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if let Some(candidate) = self.candidate.take() {
            self.queue.0.lock().push_front(candidate);
        }
    }
}
