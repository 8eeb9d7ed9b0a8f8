//! The command line, a superset of the Python original's.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

/// A server that monitors and closes WebRTC connections.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the dashboard, the REST API, the metrics and WHIP test sessions.
    Serve(Serve),
}

#[derive(Debug, Parser)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent switch")]
pub(crate) struct Serve {
    /// Print events and ended operations to standard error, and set `debug_mode` in the summary.
    #[arg(long)]
    pub(crate) debug: bool,

    /// The port to listen on; 0 for any free port.
    #[arg(long, default_value_t = 9999)]
    pub(crate) port: u16,

    /// The IP address (or `localhost`) to listen on, and to bind the UDP sockets of WHIP sessions
    /// to. An address that is not loopback requires `--token`. With a wildcard such as 0.0.0.0,
    /// allow every host name and address that clients use with `--allow-host`.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST), value_parser = address)]
    pub(crate) host: IpAddr,

    /// A host name or address by which clients reach this server, without a port, in addition to
    /// `localhost`, `127.0.0.1`, `[::1]` and `--host`. The option can be repeated. A request for
    /// any other host gets status 421 on every route, also on `/health` and `/metrics`.
    #[arg(long = "allow-host", value_name = "NAME")]
    pub(crate) allow_hosts: Vec<String>,

    /// The folder to write logs to. If the folder cannot be written to, the server runs without a
    /// log.
    #[arg(long, default_value = "./logs", value_name = "DIR")]
    pub(crate) log_dir: PathBuf,

    /// Write the logs to a new temporary folder, and remove that folder at exit.
    #[arg(long)]
    pub(crate) isolation: bool,

    /// Add the test routes under `/webrtc/test/`.
    #[arg(long)]
    pub(crate) webrtc_test: bool,

    /// Run a self-test through the server's HTTP API at the start, and print the results. The
    /// self-test closes every connection of the server.
    #[arg(long)]
    pub(crate) run_tests: bool,

    /// Exit after the self-test, with status 0 if all tests passed and all connections were closed,
    /// and with status 1 otherwise. Requires `--run-tests`.
    #[arg(long, requires = "run_tests")]
    pub(crate) exit_after_tests: bool,

    /// The async runtime to run on.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) runtime: Backend,

    /// The bearer token that requests must carry. Only the page of the dashboard, `/health` and
    /// `/openapi.json` need no token. An empty token is the same as none.
    #[arg(long, env = "ANYPEER_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,

    /// Require the token only for requests that change something. Requires `--token`.
    #[arg(long, requires = "token")]
    pub(crate) open_reads: bool,

    /// The maximum number of concurrent WebRTC connections. A further WHIP offer gets status 503.
    #[arg(long, default_value_t = 1000, value_name = "N")]
    pub(crate) max_connections: usize,
}

/// The values of `--runtime`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Backend {
    /// smol, with `SMOL_THREADS` threads (1 by default).
    #[default]
    Smol,
    /// tokio, with one thread per core.
    Tokio,
    /// async-std, with one thread per core. Discontinued.
    AsyncStd,
}

/// Parses an IP address or `localhost`.
fn address(text: &str) -> Result<IpAddr, String> {
    if text.eq_ignore_ascii_case("localhost") {
        return Ok(Ipv4Addr::LOCALHOST.into());
    }
    text.parse().map_err(|_| "expected an IP address or `localhost`".to_owned())
}
