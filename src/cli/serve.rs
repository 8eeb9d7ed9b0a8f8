//! The command `anypeer serve`.

use std::error::Error;
use std::net::TcpListener;
use std::path::{Component, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anypeer::Peers;
use anypeer::http::{Api, ServeOptions, SessionOptions};
use anypeer::log::LogOptions;
use anypeer::monitor::{Monitor, UpdateKind};
use anypeer::runtime::{AsyncStdSpawner, Runtime, SmolSpawner, TokioSpawner};
use async_signal::{Signal, Signals};
use futures::StreamExt;
use futures::future::{Either, select};
use tempfile::TempDir;

use crate::args::{Backend, Serve};
use crate::{run_tests, say, stop};

/// The signals that end the program.
#[cfg(unix)]
const SIGNALS: [Signal; 2] = [Signal::Int, Signal::Term];
#[cfg(not(unix))]
const SIGNALS: [Signal; 1] = [Signal::Int];

/// How long HTTP requests may take to finish when the program ends.
const GRACE: Duration = Duration::from_secs(2);

/// Runs the server until a signal arrives, or until the self-test has ended with
/// `--exit-after-tests`. Then closes every connection.
pub(crate) async fn serve(options: &Serve) -> Result<ExitCode, Box<dyn Error>> {
    // This is the first step, so that no signal arrives before the program listens for it.
    let mut signals = Signals::new(SIGNALS)?;
    let executor = Executor::start(options.runtime)?;
    let state = State::new(options)?;
    let monitor = Monitor::builder()
        .log(LogOptions::new(&state.logs))
        .redact(options.token.clone().unwrap_or_default())
        .build()?;
    let peers = Peers::builder()
        .runtime(executor.runtime.clone())
        .max_peers(options.max_connections)
        .monitor(&monitor)
        .build();
    let api = api(options, &peers, &monitor)?;
    let listener = TcpListener::bind((options.host, options.port)).map_err(|error| {
        format!("cannot listen on {}, port {}: {error}", options.host, options.port)
    })?;
    let serving = api.serve(listener, ServeOptions::new().runtime(executor.runtime.clone()))?;
    let address = serving.local_addr();
    say::line(format_args!("listening on http://{address}/ ({})", executor.runtime.name()));
    say::line(format_args!("logging to {}", state.logs.display()));
    let _talk = options.debug.then(|| executor.runtime.spawn(tell(monitor.clone())));

    let stopped = std::pin::pin!(signals.next());
    let work = std::pin::pin!(async {
        if options.run_tests {
            let passed = run_tests::run(options, address, &executor.runtime).await;
            if options.exit_after_tests {
                return passed;
            }
        }
        std::future::pending().await
    });
    let passed = match select(work, stopped).await {
        Either::Left((passed, _)) => passed,
        // Tests that a signal interrupts have not passed.
        Either::Right(_) => !options.exit_after_tests,
    };
    // After a second signal, the program does not wait for the closes any longer.
    let closed = {
        let closing = std::pin::pin!(stop::close_all(&peers));
        let again = std::pin::pin!(signals.next());
        matches!(select(closing, again).await, Either::Left((true, _)))
    };
    serving.shutdown(GRACE).await;
    monitor.flush().await;
    Ok(if passed && closed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Builds the API.
fn api(options: &Serve, peers: &Peers, monitor: &Monitor) -> Result<Api, Box<dyn Error>> {
    let sessions =
        SessionOptions::new().address(options.host).max_sessions(options.max_connections);
    let api = Api::builder(peers, monitor)
        .debug(options.debug)
        .open_reads(options.open_reads)
        .test_routes(options.webrtc_test)
        .token(options.token.clone().unwrap_or_default())
        .host(options.host.to_string())
        .sessions(sessions);
    let api = options.allow_hosts.iter().fold(api, anypeer::http::ApiBuilder::host);
    Ok(api.build()?)
}

/// Prints events and operations to standard error.
async fn tell(monitor: Monitor) {
    let mut updates = monitor.updates(None);
    while let Some(update) = updates.next().await {
        match update.as_ref().map(|update| update.kind()) {
            Ok(UpdateKind::Connection { peer, event, .. }) => {
                say::note(format_args!("{peer}: {event}"));
            }
            Ok(UpdateKind::OperationEnded(info)) => {
                let outcome = info.outcome.as_ref().map_or("-", |outcome| outcome.as_str());
                say::note(format_args!("{} {outcome} in {:?}", info.kind, info.duration));
            }
            Ok(_) => {}
            Err(lagged) => say::note(format_args!("{lagged}")),
        }
    }
}

/// The folders that the program writes to.
struct State {
    logs: PathBuf,
    /// The temporary folder, which is removed on drop.
    _private: Option<TempDir>,
}

impl State {
    fn new(options: &Serve) -> Result<Self, Box<dyn Error>> {
        let private = options
            .isolation
            .then(|| tempfile::Builder::new().prefix("anypeer-").tempdir())
            .transpose()?;
        let logs = match &private {
            // `--log-dir` must not lead out of the temporary folder.
            Some(private) => {
                let inside = |part: &Component<'_>| matches!(part, Component::Normal(_));
                let parts = options.log_dir.components().filter(inside);
                private.path().join(parts.collect::<PathBuf>())
            }
            None => options.log_dir.clone(),
        };
        Ok(Self { logs, _private: private })
    }
}

/// The runtime that the server and its peers run on.
struct Executor {
    runtime: Runtime,
    /// Keeps the tokio runtime running until it is dropped.
    _tokio: Option<tokio::runtime::Runtime>,
}

impl Executor {
    fn start(backend: Backend) -> Result<Self, Box<dyn Error>> {
        let (runtime, tokio) = match backend {
            Backend::Smol => (SmolSpawner::new().into(), None),
            Backend::AsyncStd => (AsyncStdSpawner::new().into(), None),
            Backend::Tokio => {
                let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
                (TokioSpawner::new(tokio.handle().clone()).into(), Some(tokio))
            }
        };
        Ok(Self { runtime, _tokio: tokio })
    }
}
