//! An HTTP client that writes what it is told, and reads what comes.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Instant;

use serde_json::Value;

use super::poll::PATIENCE;

/// What came.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        let json = serde_json::from_str(&self.body);
        json.unwrap_or_else(|error| panic!("expected JSON ({error}): {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    /// The answer, which has to have this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "expected another status: {self:?}");
        self
    }
}

/// A connection from which one can read for as long as a test has patience, however much comes.
pub(crate) struct Stream {
    stream: TcpStream,
    opened: Instant,
}

impl Stream {
    /// Says that no more will be sent.
    pub(crate) fn finish(&self) {
        self.stream.shutdown(Shutdown::Write).expect("it is open");
    }
}

impl Read for Stream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = PATIENCE.saturating_sub(self.opened.elapsed());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        self.stream.set_read_timeout(Some(left))?;
        self.stream.read(into)
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// Connects, and sends a text as it is.
pub(crate) fn send(address: SocketAddr, text: impl AsRef<[u8]>) -> Stream {
    let stream = TcpStream::connect(address).expect("it listens");
    let mut stream = Stream { stream, opened: Instant::now() };
    stream.write_all(text.as_ref()).expect("it reads");
    stream
}

/// Sends a text as it is, and reads to the end.
pub(crate) fn raw(address: SocketAddr, text: impl AsRef<[u8]>) -> Answer {
    let mut bytes = Vec::new();
    let mut stream = send(address, text);
    stream.read_to_end(&mut bytes).expect("an answer in time");
    let text = String::from_utf8(bytes).expect("text");
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.unwrap_or_else(|| panic!("expected an answer, and not {text:?}"));
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

/// A request with some headers, each a line, and a body.
pub(crate) fn ask(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[&str],
    body: &str,
) -> Answer {
    let mut text = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n");
    if !headers.iter().any(|line| line.to_lowercase().starts_with("host:")) {
        text.push_str(&format!("host: {address}\r\n"));
    }
    headers.iter().for_each(|line| text.push_str(&format!("{line}\r\n")));
    text.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
    raw(address, text)
}

pub(crate) fn get(address: SocketAddr, path: &str) -> Answer {
    ask(address, "GET", path, &[], "")
}

pub(crate) fn post(address: SocketAddr, path: &str) -> Answer {
    ask(address, "POST", path, &[], "")
}
