use crate::loopback::Pair;
use anypeer::peer::Closure;
use anypeer::{Outcome, PeerOptions, Peers};
use std::time::Duration;

#[test]
fn smoke_smol() {
    let peers = Peers::builder()
        .runtime(anypeer::runtime::SmolSpawner::new())
        .build();
    smol::block_on(async {
        let pair = Pair::open(&peers, PeerOptions::new(), PeerOptions::new())
            .await
            .unwrap();
        println!("{:?} {:?}", pair.offerer, anypeer::webrtc::census());
        let t = std::time::Instant::now();
        let out = pair.offerer.close().await;
        println!("{out:?} {:?} {:?}", t.elapsed(), anypeer::webrtc::census());
        assert_eq!(out, Outcome::Closed(Closure::Graceful));
        drop(pair);
        async_io::Timer::after(Duration::from_millis(50)).await;
        println!("{:?} {:?}", anypeer::webrtc::census(), peers.held());
    });
}
#[test]
fn smoke_tokio() {
    let rt = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    rt.block_on(async {
        let peers = Peers::new();
        let pair = Pair::open(&peers, PeerOptions::new(), PeerOptions::new())
            .await
            .unwrap();
        println!("{:?} {:?}", pair.offerer, anypeer::webrtc::census());
        let t = std::time::Instant::now();
        let out = tokio::spawn({
            let p = pair.offerer.clone();
            async move {
                p.stats(
                    std::time::Instant::now(),
                    anypeer::webrtc::peer_connection::StatsSelector::None,
                )
                .await
                .unwrap();
                p.close().await
            }
        })
        .await
        .unwrap();
        println!("{out:?} {:?} {:?}", t.elapsed(), anypeer::webrtc::census());
        assert_eq!(out, Outcome::Closed(Closure::Graceful));
        drop(pair);
        async_io::Timer::after(Duration::from_millis(50)).await;
        println!("{:?} {:?}", anypeer::webrtc::census(), peers.held());
    });
}
