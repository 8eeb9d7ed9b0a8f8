//! Candidates that came before the remote description.

use std::collections::VecDeque;

use ::webrtc::peer_connection::RTCIceCandidateInit;

use super::operation_error::OperationError;
use crate::sync::Mutex;

/// How many candidates are queued for one peer before its remote description comes. Browsers gather
/// a few for each interface and server.
pub const MAX_QUEUED_CANDIDATES: usize = 256;

/// Candidates that came before the remote description, the earliest first.
#[derive(Default)]
pub(super) struct CandidateQueue(Mutex<VecDeque<RTCIceCandidateInit>>);

impl CandidateQueue {
    pub(super) fn push(&self, candidate: RTCIceCandidateInit) -> Result<(), OperationError> {
        let mut queued = self.0.lock();
        if queued.len() >= MAX_QUEUED_CANDIDATES {
            return Err(OperationError::TooManyCandidates);
        }
        queued.push_back(candidate);
        Ok(())
    }

    /// Takes the first one, to be handed on.
    pub(super) fn take(&self) -> Option<Taken<'_>> {
        let candidate = self.0.lock().pop_front()?;
        Some(Taken { queue: self, candidate: Some(candidate) })
    }
}

/// A candidate that is being handed on. Dropped before that is done, it goes back into the queue.
pub(super) struct Taken<'a> {
    queue: &'a CandidateQueue,
    /// `None` once it is done.
    candidate: Option<RTCIceCandidateInit>,
}

impl Taken<'_> {
    pub(super) fn candidate(&self) -> RTCIceCandidateInit {
        self.candidate.clone().unwrap_or_default()
    }

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
