//! Connections that the application builds itself.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anypeer::peer::{CloseMode, RetainedBy};
use anypeer::runtime::ExecutorSpawner;
use anypeer::webrtc::peer_connection::PeerConnection;
use anypeer::webrtc::{self, OpenError, OperationError};
use anypeer::{Outcome, PeerOptions, Peers};

use crate::support::host::{BACKENDS, Backend, Host};
use crate::support::loopback::{Pair, Recorder, Seen, builder, open};

const BOUND: Duration = Duration::from_secs(5);

/// A connection on the `webrtc` crate's own runtime.
pub(crate) async fn build_bare(backend: Backend) -> Arc<dyn PeerConnection> {
    let runtime: Arc<dyn ::webrtc::runtime::Runtime> = if backend.is_tokio() {
        Arc::new(::webrtc::runtime::TokioRuntime)
    } else {
        Arc::new(::webrtc::runtime::SmolRuntime)
    };
    let handler = Recorder::new(Arc::new(Seen::default()));
    let built = builder().with_runtime(runtime).with_handler(handler).build().await;
    Arc::new(built.expect("a bare connection is built"))
}

#[test]
fn an_opaque_connection_is_closed_and_its_end_unconfirmed() {
    for &backend in BACKENDS {
        let host = Host::start(backend);
        let bare = host.in_task(build_bare(backend));
        let peers = Peers::builder().runtime(host.runtime()).build();
        let adopted = webrtc::adopt(&peers, Arc::clone(&bare), PeerOptions::new()).unwrap();
        assert_eq!(adopted.connection_state(), None, "expected no claim about its state");
        // From a plain thread, where the crate's own close panics on tokio.
        let outcome = adopted.close().wait(BOUND).expect("a plain thread may block");
        assert_eq!(outcome, Outcome::Unconfirmed, "on {backend:?}");
        assert_eq!(adopted.close_mode(), None, "expected no claim that it is closed");
        assert_eq!(adopted.connection_state(), None);
        assert_eq!(adopted.close().wait(BOUND), Ok(Outcome::Unconfirmed), "and ever after");
        let held = peers.retained();
        assert_eq!(held[0].by, [RetainedBy::Connection(1)], "expected what is held to be named");
        drop(bare);
        assert!(peers.retained().is_empty());
    }
}

#[cfg(feature = "tokio")]
#[test]
fn an_opaque_connection_whose_runtime_is_not_known_fails_and_says_so() {
    let host = Host::start(Backend::TokioMulti);
    let bare = host.in_task(build_bare(Backend::TokioMulti));
    let background = anypeer::runtime::Runtime::background().unwrap();
    let peers = Peers::builder().runtime(background).build();
    let adopted = webrtc::adopt(&peers, bare, PeerOptions::new()).unwrap();
    let outcome = adopted.close().wait(BOUND).expect("a plain thread may block");
    match outcome {
        Outcome::Failed(anypeer::peer::CloseFailure::Panicked(message)) => {
            assert!(message.contains("reactor"), "expected tokio's own message: {message}");
        }
        other => panic!("expected the panic to be the outcome, and it is {other}"),
    }
}

#[test]
fn an_instrumented_connection_is_adopted_and_its_end_seen() {
    for &backend in BACKENDS {
        let host = Host::start(backend);
        let peers = Peers::builder().runtime(host.runtime()).build();
        let set = peers.clone();
        let outcome = host.in_task(async move {
            let seen = Arc::new(Seen::default());
            let handler = Recorder::new(Arc::clone(&seen));
            let instrument = webrtc::instrument(&set, |_| handler, PeerOptions::new()).unwrap();
            let connection: Arc<dyn PeerConnection> = Arc::new(
                builder()
                    .with_runtime(instrument.runtime())
                    .with_handler(instrument.handler())
                    .with_dedicated_reactor_pool_size(1)
                    .build()
                    .await
                    .expect("the application builds"),
            );
            let peer = instrument.adopt(connection).expect("adopted");
            let answerer = open(&set, PeerOptions::new()).await.expect("opens");
            let pair = Pair::connect((peer, Arc::clone(&seen)), answerer).await.expect("connects");
            let outcome = pair.offerer.close().await;
            let refused = pair.offerer.create_offer(None).await;
            assert!(matches!(refused, Err(OperationError::Closed)), "expected no call after close");
            assert_eq!(seen.closed.load(Ordering::Acquire), 1);
            outcome
        });
        assert_eq!(outcome, Outcome::Closed(CloseMode::Graceful), "on {backend:?}");
    }
}

#[test]
fn an_instrument_that_nothing_was_built_with_is_refused() {
    let host = Host::start(BACKENDS[0]);
    let peers = Peers::builder().runtime(host.runtime()).build();
    let foreign = host.in_task(build_bare(BACKENDS[0]));
    let handler = Recorder::new(Arc::new(Seen::default()));
    let instrument = webrtc::instrument(&peers, |_| handler, PeerOptions::new()).unwrap();
    let refused = instrument.adopt(Arc::clone(&foreign));
    assert!(matches!(refused, Err(OpenError::NotInstrumented)), "{refused:?}");
    assert!(peers.shutdown().wait(BOUND).unwrap().all_closed());
    assert!(peers.is_empty(), "expected the peer that came to nothing to be gone");
    let close = host.in_task(async move { foreign.close().await });
    close.expect("the foreign connection is as it was");
}

#[test]
fn an_executor_that_is_gone_is_named_by_an_open_and_nothing_is_left() {
    let executor = Arc::new(anypeer::runtime::Executor::new());
    let peers = Peers::builder().runtime(ExecutorSpawner::new(&executor)).build();
    drop(executor);
    let set = peers.clone();
    let mut opening = anypeer::runtime::run(async move {
        let handler = Recorder::new(Arc::new(Seen::default()));
        webrtc::open(&set, builder(), |_| handler, PeerOptions::new()).await
    })
    .expect("threads");
    let opened = opening.wait(BOUND).expect("it ends").expect("no panic");
    assert!(matches!(opened, Err(OpenError::RuntimeGone)), "{opened:?}");
    assert!(peers.is_empty(), "expected nothing to be left");
}

#[test]
fn an_error_of_the_build_is_reported_and_leaves_nothing() {
    let host = Host::start(BACKENDS[0]);
    let peers = Peers::builder().runtime(host.runtime()).build();
    let set = peers.clone();
    let refused = host.in_task(async move {
        let handler = Recorder::new(Arc::new(Seen::default()));
        // An address of documentation (RFC 5737): not this machine's.
        let builder = builder().with_udp_addrs(vec!["192.0.2.1:0"]);
        webrtc::open(&set, builder, |_| handler, PeerOptions::new()).await
    });
    assert!(matches!(refused, Err(OpenError::Build(_))), "{refused:?}");
    assert!(peers.is_empty());
}
