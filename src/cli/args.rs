//! The command line: the Python original's, and more.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

/// Owns, closes and watches WebRTC connections.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serves the dashboard, the REST interface and WHIP sessions.
    Serve(Serve),
}

#[derive(Debug, Parser)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(crate) struct Serve {
    /// Tell on the terminal what happens, and say in the summary that this is debug mode.
    #[arg(long)]
    pub(crate) debug: bool,

    /// The port to listen on; 0 for any that is free.
    #[arg(long, default_value_t = 9999)]
    pub(crate) port: u16,

    /// The address to listen on, also for connections. One that is not of loopback needs a token.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST), value_parser = address)]
    pub(crate) host: IpAddr,

    /// Other names that the server is asked for by, without ports.
    #[arg(long = "allow-host", value_name = "NAME")]
    pub(crate) allow_hosts: Vec<String>,

    /// Where the logs are written.
    #[arg(long, default_value = "./logs", value_name = "DIR")]
    pub(crate) log_dir: PathBuf,

    /// Keep all state, `--log-dir` too, in a new private folder that is gone at exit.
    #[arg(long)]
    pub(crate) isolation: bool,

    /// Have the test routes, too.
    #[arg(long)]
    pub(crate) webrtc_test: bool,

    /// Connect real peers to the running server over its own HTTP, and say what works.
    #[arg(long)]
    pub(crate) run_tests: bool,

    /// End after the tests, with status 0 if all have passed, and 1 if not.
    #[arg(long, requires = "run_tests")]
    pub(crate) exit_after_tests: bool,

    /// The executor that all runs on.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) runtime: Backend,

    /// Ask for this bearer token.
    #[arg(long, env = "ANYPEER_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,

    /// Ask for the token only where something is changed.
    #[arg(long, requires = "token")]
    pub(crate) open_reads: bool,

    /// How many WebRTC connections there may be at once.
    #[arg(long, default_value_t = 1000, value_name = "N")]
    pub(crate) max_connections: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Backend {
    /// smol's, with `SMOL_THREADS` threads (1 unless set).
    #[default]
    Smol,
    /// tokio's, with a thread for each core.
    Tokio,
    /// async-std's, with a thread for each core. Discontinued.
    AsyncStd,
}

/// An address, or `localhost`.
fn address(text: &str) -> Result<IpAddr, String> {
    if text.eq_ignore_ascii_case("localhost") {
        return Ok(Ipv4Addr::LOCALHOST.into());
    }
    text.parse().map_err(|_| "expected an IP address or `localhost`".to_owned())
}
