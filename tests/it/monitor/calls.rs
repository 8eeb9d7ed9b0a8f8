//! Calls on peers, as operations.

use std::pin::pin;

use anypeer::PeerOptions;
use anypeer::monitor::{OperationOutcome, OperationTarget};
use anypeer::webrtc::OperationError;

use super::watched;
use crate::support::host::{BACKENDS, Host};
use crate::support::loopback::open;

#[test]
fn a_call_hands_out_the_id_of_its_operation() {
    let host = Host::start(BACKENDS[0]);
    let (monitor, peers) = watched(&host);
    host.in_task(async move {
        let (peer, _) = open(&peers, PeerOptions::new()).await.expect("opens");
        let mut call = pin!(peer.create_offer(None));
        let id = call.operation();
        assert!(monitor.operation(id).is_none(), "expected nothing before it is polled");
        call.as_mut().await.expect("an offer");
        let told = monitor.operation(id).expect("it is known by the id that the caller has");
        assert_eq!(
            (told.kind, told.target),
            ("create_offer", OperationTarget::Peer(peer.id().clone()))
        );
        assert_eq!(told.outcome, Some(OperationOutcome::Completed(None)));

        let call = peer.create_offer(None);
        let other = call.operation();
        assert_ne!(id, other, "expected an id for each");
        drop(call);
        assert!(monitor.operation(other).is_none(), "expected nothing of what was not begun");
    });
}

#[test]
fn a_call_on_a_closed_peer_is_an_operation_that_failed() {
    let host = Host::start(BACKENDS[0]);
    let (monitor, peers) = watched(&host);
    host.in_task(async move {
        let (peer, _) = open(&peers, PeerOptions::new()).await.expect("opens");
        assert!(peer.close().await.is_closed());
        let call = peer.create_offer(None);
        let id = call.operation();
        assert!(matches!(call.await, Err(OperationError::Closed)));
        let told = monitor.operation(id).expect("it is known by the id that the caller has");
        assert_eq!(
            told.outcome,
            Some(OperationOutcome::Failed(["the peer is closed".into()].into()))
        );
        let operations = monitor.summary().operations;
        assert_eq!((operations.failed, operations.in_flight()), (1, 0), "{operations:?}");
    });
}
