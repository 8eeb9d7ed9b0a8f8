//! Samples the statistics of connections, one after the other, within a share of a core, and looks
//! for stuck and orphaned tasks.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::book::Book;
use super::context::Context;
use super::hub::Hub;
use super::options::SampleOptions;
use super::record::{Connection, State};
use super::tasks::StuckOptions;
use crate::runtime::background::foreign;
use crate::runtime::{Clock, Runtime};

/// How often the sampler looks for connections that are due.
const TICK: Duration = Duration::from_millis(100);
/// How often the sampler looks for stuck and orphaned tasks.
const TASKS: Duration = Duration::from_secs(1);
/// The maximum number of connections that are sampled as one task.
const BATCH: usize = 64;

/// The sampler does not wait longer for a batch, which then continues as a detached task. A
/// connection that blocks its thread therefore does not prevent the others from being sampled.
const BATCH_TIME: Duration = Duration::from_secs(2);

/// Starts the sampler, which runs until the monitor is dropped.
pub(super) fn start(hub: &Arc<Hub>, book: &Arc<Book>, options: SampleOptions, stuck: StuckOptions) {
    let (weak_hub, weak_book) = (Arc::downgrade(hub), Arc::downgrade(book));
    drop(Runtime::spawn_background(look_at_tasks(weak_hub, weak_book, stuck)));
    let (hub, book) = (Arc::downgrade(hub), Arc::downgrade(book));
    drop(Runtime::spawn_background(async move {
        let mut pace = Pace::new(options);
        loop {
            let Some(opened) = book.upgrade().map(|book| (book.listen(), book.live_len())) else {
                return;
            };
            match opened {
                // Wait for a connection. The deadline is needed to notice that the monitor was
                // dropped.
                (opened, 0) => {
                    let deadline = Clock::system().after(TASKS);
                    Clock::system().by(deadline, opened).await;
                }
                _ => Clock::system().sleep(pace.pause()).await,
            }
            let Some(due) = book.upgrade().map(|book| pace.due(&book)) else { return };
            if !due.is_empty() {
                // Reading the statistics of a connection calls foreign code, which may block its
                // thread.
                let batch = Runtime::spawn_background(foreign(look_at(Weak::clone(&hub), due)));
                let spent = Clock::system().by(Clock::system().after(BATCH_TIME), batch).await;
                pace.spent(spent.and_then(Result::ok).unwrap_or_default());
            }
        }
    }));
}

/// Looks for tasks that are stuck or orphaned, until the monitor is dropped.
async fn look_at_tasks(hub: Weak<Hub>, book: Weak<Book>, stuck: StuckOptions) {
    loop {
        Clock::system().sleep(TASKS).await;
        let (Some(hub), Some(book)) = (hub.upgrade(), book.upgrade()) else { return };
        hub.tasks.look(stuck, |number| book.is_live(number));
    }
}

/// Samples connections, and returns the total time of all polls.
async fn look_at(hub: Weak<Hub>, due: Vec<Arc<Connection>>) -> Duration {
    let mut looks = Box::pin(async move {
        for connection in due {
            let Some(hub) = hub.upgrade() else { return };
            look(&hub.context, &connection).await;
        }
    });
    let mut spent = Duration::ZERO;
    poll_fn(|cx| {
        let start = Instant::now();
        let polled = looks.as_mut().poll(cx);
        spent += start.elapsed();
        polled
    })
    .await;
    spent
}

/// Samples one connection.
async fn look(context: &Context, connection: &Connection) {
    /// How long to wait for the statistics of a connection.
    const PATIENCE: Duration = Duration::from_millis(500);
    let probe = connection.read(State::probe);
    let Some(probe) = probe else { return };
    let answer = pin!(probe.stats());
    if let Some(Some(report)) = Clock::system().by(Clock::system().after(PATIENCE), answer).await {
        connection.sampled(context, report.at, report);
    }
}

/// Decides which connections are due, and how long to wait for the next ones.
struct Pace {
    options: SampleOptions,
    /// The number of the last connection that was sampled.
    last: u64,
    /// How many connections are due, including a fraction.
    owed: f64,
    /// When `owed` was last updated.
    reckoned: Instant,
    /// How long to wait.
    pause: Duration,
}

impl Pace {
    fn new(options: SampleOptions) -> Self {
        Self { options, last: 0, owed: 0.0, reckoned: Instant::now(), pause: TICK }
    }

    fn pause(&self) -> Duration {
        self.pause
    }

    /// Returns the connections that are due, in the order of opening, starting over after the last.
    fn due(&mut self, book: &Book) -> Vec<Arc<Connection>> {
        let live = book.live_len();
        let now = Instant::now();
        let passed = now.saturating_duration_since(self.reckoned);
        self.reckoned = now;
        let interval = self.options.interval.max(Duration::from_secs(1)).as_secs_f64();
        self.owed = (self.owed + live as f64 * passed.as_secs_f64() / interval).min(live as f64);
        let count = (self.owed as usize).min(BATCH);
        self.owed -= count as f64;
        self.pause = if self.owed >= 1.0 { Duration::ZERO } else { TICK };
        let mut due = book.live_after(self.last, count);
        if due.len() < count {
            due.extend(book.live_after(0, count - due.len()));
        }
        self.last = due.last().map_or(self.last, |connection| connection.number);
        due
    }

    /// Extends the pause so that the time spent does not exceed the share of a core.
    fn spent(&mut self, time: Duration) {
        let share = self.options.share.clamp(0.000_1, 1.0);
        self.pause = self.pause.max(time.mul_f64(1.0 / share - 1.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::PeerId;

    #[test]
    fn every_connection_is_due_in_its_turn_and_none_twice_before_the_others() {
        let book = Book::new(0);
        for _ in 0..10 {
            book.open(&book.expect(&PeerId::generate(), None));
        }
        let mut pace = Pace::new(SampleOptions::new().interval(Duration::from_secs(10)).share(1.0));
        let mut seen = Vec::new();
        for _ in 0..80 {
            // Each time, a quarter of a connection becomes due.
            pace.reckoned = Instant::now() - Duration::from_millis(250);
            seen.extend(pace.due(&book).iter().map(|connection| connection.number));
        }
        assert!((19..=21).contains(&seen.len()), "expected two rounds: {seen:?}");
        let numbers: Vec<_> = (1..=10).cycle().take(seen.len()).collect();
        assert_eq!(seen, numbers);
    }

    #[test]
    fn what_was_spent_is_paid_for_with_rest() {
        let mut pace = Pace::new(SampleOptions::new().interval(Duration::from_secs(1)).share(0.02));
        pace.pause = TICK;
        pace.spent(Duration::from_millis(1));
        assert_eq!(pace.pause(), TICK, "expected a tick to be rest enough");
        pace.spent(Duration::from_millis(10));
        assert_eq!(pace.pause(), Duration::from_millis(490));
    }
}
