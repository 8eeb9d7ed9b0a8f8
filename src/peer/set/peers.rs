//! A set of peers.

use std::fmt;
use std::sync::Arc;

use super::entries::{Ended, Intake};
use super::insert_error::InsertError;
use super::registry::{Found, Registry};
use super::reservation::Reservation;
use super::retained::Retained;
use crate::event::Target;
use crate::id::{GroupId, PeerId};
use crate::outcome::{CloseReason, Outcome};
use crate::peer::close::handles::{Closing, ClosingAll};
use crate::peer::close::request::Request;
use crate::peer::close::run;
use crate::peer::close::sweep::Sweep;
use crate::peer::connection::Connection;
use crate::peer::options::PeerOptions;
use crate::peer::owner::Peer;
use crate::peer::record::RecordOptions;
use crate::peer::status::Status;
use crate::runtime::{self, Runtime, StartError};
use crate::sync::OnceLock;
use crate::task::{Owner, TaskGroup};

/// A set of peers. It finds peers by id, and closes them by id, by group, or all at once.
///
/// A peer is a connection with an id and tasks of its own; it may also belong to a group. The peers
/// of a set share the limits, the observers and the default options of the set.
///
/// Clones of a `Peers` are handles to the same set. The application owns a peer through one or more
/// values of the type [`Peer`]. [`Peer::detach`] makes the set itself an owner of the peer. No peer
/// outlives its set: **when the last handle to the set is dropped, every peer in the set is
/// closed**, even if a [`Peer`] still exists, for instance in the peer's own handler.
///
/// A server usually has one set, and a clone of it in each handler of its HTTP routes:
///
/// ```no_run
/// # #[cfg(feature = "webrtc")] {
/// use std::sync::Arc;
/// use anypeer::webrtc::peer_connection::{PeerConnectionBuilder, PeerConnectionEventHandler};
/// use anypeer::{PeerOptions, Peers, webrtc};
///
/// struct Handler;
/// impl PeerConnectionEventHandler for Handler {}
///
/// /// A session begins. After `detach`, the set owns the peer, and this function can return.
/// async fn begin(peers: &Peers, id: &str) -> Result<(), webrtc::OpenError> {
///     let builder = PeerConnectionBuilder::new().with_udp_addrs(vec!["0.0.0.0:0"]);
///     let options = PeerOptions::new().id(id).group("room 1");
///     webrtc::open(peers, builder, |_peer| Arc::new(Handler), options).await?.detach();
///     Ok(())
/// }
///
/// /// A session ends.
/// async fn end(peers: &Peers, id: &str) {
///     println!("{id}: {}", peers.close(id).await); // "camera: closed, graceful"
/// }
///
/// /// The server ends.
/// async fn shut_down(peers: &Peers) {
///     println!("{}", peers.shutdown().await); // "12 of 12 closed"
/// }
/// # }
/// ```
///
/// [`get`](Self::get) finds a peer by its id, and [`all`](Self::all) lists the peers. A `Monitor`
/// (feature `monitor`) has more details, and keeps those of connections that have ended.
///
/// A set with limits, and the close of a peer that the set does not know:
///
/// ```
/// use anypeer::{Outcome, Peers};
///
/// let peers = Peers::builder().max_peers(1000).max_peers_per_group(50).build();
/// assert!(peers.get("camera").is_none());
/// let closing = peers.close("camera");
/// assert!(!closing.found()); // An HTTP server answers 404.
/// assert_eq!(futures::executor::block_on(closing), Outcome::NotFound);
/// ```
#[derive(Clone)]
pub struct Peers {
    handle: Arc<Handle>,
}

/// The part that all handles share. Its drop shuts the set down.
struct Handle {
    registry: Arc<Registry>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.registry.take_no_more(Intake::ShutDown);
        drop(self.registry.close_where(CloseReason::PeersDropped, None, |_| true));
        drop(self.registry.stop_tasks());
    }
}

impl Peers {
    pub(super) fn over(registry: Arc<Registry>) -> Self {
        Self { handle: Arc::new(Handle { registry }) }
    }

    /// Adds a connection of any stack to the set, and returns the peer that owns it. For
    /// connections of the `webrtc` crate, use the functions in [`crate::webrtc`].
    ///
    /// # Errors
    ///
    /// Returns [`InsertError`] if the connection was not registered. The connection is then
    /// dropped, without a call to any of its methods.
    pub fn insert(
        &self,
        connection: Arc<dyn Connection>,
        options: PeerOptions,
    ) -> Result<Peer, InsertError> {
        self.reserve(options)?.insert(connection)
    }

    /// Reserves a place for a peer whose connection is still to be built; see [`Reservation`].
    /// [`webrtc::open`](crate::webrtc) does this itself.
    ///
    /// # Errors
    ///
    /// Returns [`InsertError`] if the place could not be reserved.
    pub fn reserve(&self, options: PeerOptions) -> Result<Reservation, InsertError> {
        let PeerOptions { id, group, runtime, close, reaper, handler_budget, data } = options;
        let registry = &self.handle.registry;
        let id = id.map_or_else(|| Ok(PeerId::generate()), PeerId::new)?;
        let group = group.map(GroupId::new).transpose()?;
        // The background executor coordinates closes: once it runs, nothing that a close needs can
        // fail.
        let background = Runtime::background()?;
        let runtime = runtime
            .or_else(|| registry.runtime.clone())
            .or_else(runtime::current)
            .unwrap_or(background);
        let status = Arc::new(Status::new(
            id,
            group,
            &registry.watch,
            runtime.clock(),
            #[cfg(feature = "test-util")]
            registry.number,
        ));
        registry.reserve(&status)?;
        Ok(Reservation {
            status,
            runtime,
            options: RecordOptions {
                close: close.unwrap_or(registry.options.close),
                reaper: reaper.unwrap_or(registry.options.reaper),
                handler_budget: handler_budget.unwrap_or(registry.options.handler_budget),
                ..registry.options
            },
            registry: Arc::clone(registry),
            data,
            cell: Arc::new(OnceLock::new()),
            is_filled: false,
        })
    }

    /// Returns the peer with this id, if the peer has an owner: a [`Peer`] that the application
    /// holds, or the set itself after [`detach`](Peer::detach). A peer that has ended is returned
    /// as long as the application holds a [`Peer`] of it.
    ///
    /// The returned [`Peer`] is an owner too. `webrtc::get` returns a `webrtc::Peer`.
    #[must_use]
    pub fn get(&self, id: impl AsRef<str>) -> Option<Peer> {
        self.handle.registry.owner(id.as_ref()).map(Peer::new)
    }

    /// Returns the peers that [`get`](Self::get) finds, in no particular order. This includes peers
    /// that have ended, if the application still holds a [`Peer`] of them. To list the peers of a
    /// group, filter them by [`Peer::group`].
    #[must_use]
    pub fn all(&self) -> Vec<Peer> {
        self.handle.registry.owners().into_iter().map(Peer::new).collect()
    }

    /// Closes the peer with this id, gracefully if possible. The close has started when this
    /// returns. This function never waits, and may be called on any thread, in synchronous code,
    /// asynchronous code and destructors.
    ///
    /// The outcome is the same as that of [`Peer::close`]:
    ///
    /// - If the peer is open, the outcome says how this close ended.
    /// - If the connection has ended by itself, the first close of the peer returns
    ///   [`Outcome::Closed`] with the mode in which the connection ended, and further closes return
    ///   [`Outcome::AlreadyClosed`]. For a [detached](Peer::detach) peer, the set has already made
    ///   the first close.
    /// - If the peer was closed before, the outcome is [`Outcome::AlreadyClosed`], or
    ///   [`Outcome::Unconfirmed`] again if the end of the connection could not be observed.
    ///
    /// If the set knows no peer with this id, or the place of the peer is only
    /// [reserved](Self::reserve), the outcome is [`Outcome::NotFound`], and nothing is closed. The
    /// set knows every open peer, every ended peer of which a [`Peer`] still exists, and the last
    /// 1,024 other peers that have ended.
    pub fn close(&self, id: impl AsRef<str>) -> Closing {
        self.close_by(id.as_ref(), CloseReason::Requested.into())
    }

    /// Closes the peer with this id at once, without notifying the remote side; see
    /// [`Peer::abort`]. If the peer is not open, the outcome is that of [`close`](Self::close).
    pub fn abort(&self, id: impl AsRef<str>) -> Closing {
        self.close_by(id.as_ref(), Request { abort: true, ..CloseReason::Requested.into() })
    }

    /// Closes the peer with this id, as `request` says.
    fn close_by(&self, id: &str, request: Request<'_>) -> Closing {
        let registry = &self.handle.registry;
        match registry.find(id) {
            Found::Peer(record) => run::close_as(&record, request),
            Found::Ended(Ended { id, seen }) => {
                Closing::ready(&registry.watch, Target::Peer(&id), Outcome::of_ended(seen))
            }
            Found::Nothing => {
                Closing::ready(&registry.watch, Target::UnknownPeer(id), Outcome::NotFound)
            }
        }
    }

    /// Closes every peer of a group, concurrently.
    ///
    /// If the group has no peers, or only closed ones, the group is
    /// [not found](crate::peer::Report::found), and nothing is closed.
    pub fn close_group(&self, group: impl AsRef<str>) -> ClosingAll {
        let group = group.as_ref();
        let sweep = self.sweep("close_group", Some(group));
        let reason = CloseReason::GroupClosed;
        let closings = self.handle.registry.close_where(reason, Some(&sweep), |record| {
            record.status.group.as_ref().is_some_and(|own| own.as_str() == group)
        });
        ClosingAll::new(&sweep, !closings.is_empty(), closings)
    }

    /// Closes every peer, concurrently, including peers that `webrtc::open` is still building. A
    /// place that is only [reserved](Self::reserve) stays reserved. New peers may be opened during
    /// and after the close; use [`shutdown`](Self::shutdown) to refuse them.
    pub fn close_all(&self) -> ClosingAll {
        let sweep = self.sweep("close_all", None);
        let reason = CloseReason::AllClosed;
        let closings = self.handle.registry.close_where(reason, Some(&sweep), |_| true);
        ClosingAll::new(&sweep, true, closings)
    }

    /// Begins the operation that a close of several peers is.
    fn sweep(&self, operation: &'static str, group: Option<&str>) -> Arc<Sweep> {
        Arc::new(Sweep::start(&self.handle.registry.watch, operation, group))
    }

    /// Refuses new peers from now on ([`InsertError::Draining`]) and closes none, for a server that
    /// lets its connections end by themselves. [`idle`](Self::idle) completes when all peers have
    /// ended. A set that drains cannot accept peers again.
    pub fn drain(&self) {
        self.handle.registry.take_no_more(Intake::Draining);
    }

    /// Completes when no peer is open and no place is reserved, that is, when [`len`](Self::len) is
    /// 0.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn idle(&self) {
        let registry = &self.handle.registry;
        loop {
            let gone = registry.idle.listen();
            if self.is_empty() {
                return;
            }
            gone.await;
        }
    }

    /// Closes every peer, including peers that `webrtc::open` is still building, ends the set's own
    /// [tasks](Self::tasks), and refuses new peers from now on ([`InsertError::ShutDown`]).
    ///
    /// The handle returns a report with the outcome of each peer, and with the tasks that did not
    /// stop. Each close and the set's own tasks have the usual timeout, 5 s by default
    /// ([`PeersBuilder::close`](crate::peer::PeersBuilder::close)).
    ///
    /// Await the handle before the runtime is dropped. Otherwise the closes are forced, and the
    /// remote sides are not notified.
    pub fn shutdown(&self) -> ClosingAll {
        let registry = &self.handle.registry;
        registry.take_no_more(Intake::ShutDown);
        let sweep = self.sweep("shutdown", None);
        let closings = registry.close_where(CloseReason::Shutdown, Some(&sweep), |_| true);
        ClosingAll::new(&sweep, true, closings).with_tasks(registry.stop_tasks())
    }

    /// The tasks that belong to the set and to none of its peers. They run on the runtime of the
    /// set, or else on the runtime that is [current](crate::runtime::current) when this is called
    /// for the first time, or else on the background one.
    ///
    /// [`shutdown`](Self::shutdown) and the drop of the last handle to the set end these tasks. A
    /// task that holds a clone of its own `Peers` keeps the set from being dropped.
    ///
    /// # Errors
    ///
    /// Returns [`StartError`] if the background executor cannot be started.
    pub fn tasks(&self) -> Result<&TaskGroup, StartError> {
        let registry = &self.handle.registry;
        let background = Runtime::background()?;
        let mut is_new = false;
        let tasks = registry.tasks.get_or_init(|| {
            is_new = true;
            let runtime = registry.runtime.clone().or_else(runtime::current);
            let watch = registry.watch.clone();
            let (owner, timed) = (Owner { peer: None, watch }, registry.options.timed_tasks);
            TaskGroup::owned(runtime.unwrap_or(background), owner, timed)
        });
        if is_new {
            // Observers are told only after the cell is set, because an observer may call this
            // function.
            tasks.tell_created();
            #[cfg(feature = "test-util")]
            crate::known::know_group(tasks.downgrade(), Some(registry.number));
        }
        // A shutdown first marks the set and then stops its tasks, so a group that is created in
        // between is cancelled here.
        if registry.is_shut_down() {
            tasks.cancel();
        }
        Ok(tasks)
    }

    /// Returns the ids of the peers whose connections have not ended, in no particular order.
    /// Places that are only [reserved](Self::reserve) are not included.
    #[must_use]
    pub fn ids(&self) -> Vec<PeerId> {
        let records = self.handle.registry.records();
        records.iter().filter(|record| record.is_open()).map(|r| r.status.id.clone()).collect()
    }

    /// The number of open peers: those whose connections have not ended, and reserved places.
    #[must_use]
    pub fn len(&self) -> usize {
        self.handle.registry.open()
    }

    /// Whether no peer is open and no place is reserved.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of the set in this process.
    #[cfg(feature = "test-util")]
    pub(crate) fn number(&self) -> u64 {
        self.handle.registry.number
    }

    /// Returns the closed peers whose memory cannot be freed, because the application still holds a
    /// part of the connection. Each entry names what is held.
    #[must_use]
    pub fn retained(&self) -> Vec<Retained> {
        self.handle.registry.retained()
    }
}

impl fmt::Debug for Peers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peers").field("len", &self.len()).finish_non_exhaustive()
    }
}
