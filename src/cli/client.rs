//! A client of the server's own HTTP API.

use std::error::Error;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use async_io::{Async, Timer};
use axum::body::{Body, Bytes, to_bytes};
use futures::StreamExt;
use futures::future::{Either, select};
use hyper::client::conn::http1;
use hyper::header::{self, HeaderMap};
use hyper::{Method, Request, StatusCode};
use serde_json::Value;
use smol_hyper::rt::FuturesIo;

/// An error of the self-test.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// How long a request may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// The maximum length of a response body.
const MAX_BYTES: usize = 64 << 20;

/// A client, which opens a connection for each request.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    address: SocketAddr,
    token: Option<String>,
}

/// A response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    pub(crate) fn text(&self) -> Result<&str, Failure> {
        Ok(std::str::from_utf8(&self.body)?)
    }

    pub(crate) fn json(&self) -> Result<Value, Failure> {
        Ok(serde_json::from_slice(&self.body)?)
    }

    pub(crate) fn header(&self, name: &header::HeaderName) -> Result<&str, Failure> {
        let missing = || format!("expected a header {name}, got none");
        Ok(self.headers.get(name).ok_or_else(missing)?.to_str()?)
    }

    /// Returns the response if it has the expected status, and otherwise an error with its body.
    pub(crate) fn expect(self, status: u16) -> Result<Self, Failure> {
        if self.status == status {
            return Ok(self);
        }
        let body = String::from_utf8_lossy(&self.body);
        Err(format!("expected status {status}, got {}: {body:.200}", self.status).into())
    }
}

impl Client {
    pub(crate) fn new(address: SocketAddr, token: Option<String>) -> Self {
        Self { address, token }
    }

    /// Sends a `GET` request, and returns the JSON of a response with status 200.
    pub(crate) async fn get(&self, path: &str) -> Result<Value, Failure> {
        self.ask(Method::GET, path, "").await?.expect(200)?.json()
    }

    pub(crate) async fn post(&self, path: &str) -> Result<Answer, Failure> {
        self.ask(Method::POST, path, "").await
    }

    /// Sends a request. A body that is not empty is sent as SDP.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: &str,
    ) -> Result<Answer, Failure> {
        let request = self.request(method, path, body)?;
        let asked = Box::pin(async {
            let (parts, body) = self.send(request).await?;
            Ok(Answer {
                status: parts.status,
                headers: parts.headers,
                body: to_bytes(body, MAX_BYTES).await?,
            })
        });
        match select(asked, Timer::after(PATIENCE)).await {
            Either::Left((answer, _)) => answer,
            Either::Right(_) => Err(format!("no answer from {path} within {PATIENCE:?}").into()),
        }
    }

    /// Reads the event stream until `is_it` returns true for an event. `ready` is called when the
    /// stream has begun.
    pub(crate) async fn follow(
        &self,
        is_it: impl Fn(&str) -> bool,
        ready: impl FnOnce(),
    ) -> Result<(), Failure> {
        let request = self.request(Method::GET, "/webrtc/monitor/events", "")?;
        let (parts, body) = self.send(request).await?;
        if parts.status != 200 {
            return Err(format!("expected status 200, got {}", parts.status).into());
        }
        ready();
        let (mut chunks, mut text) = (body.into_data_stream(), String::new());
        while let Some(chunk) = chunks.next().await {
            text.push_str(std::str::from_utf8(&chunk?)?);
            while let Some((event, rest)) = text.split_once("\n\n") {
                if is_it(event) {
                    return Ok(());
                }
                text = rest.to_owned();
            }
        }
        Err("the event stream ended".into())
    }

    fn request(&self, method: Method, path: &str, body: &str) -> Result<Request<Body>, Failure> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, self.address.to_string())
            .header(header::CONNECTION, "close");
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if !body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/sdp");
        }
        Ok(request.body(Body::from(body.to_owned()))?)
    }

    async fn send(
        &self,
        request: Request<Body>,
    ) -> Result<(hyper::http::response::Parts, Body), Failure> {
        let stream = Async::<TcpStream>::connect(self.address).await?;
        let (mut sender, connection) = http1::handshake(FuturesIo::new(stream)).await?;
        // The connection's task ends with the response body.
        drop(anypeer::runtime::Runtime::background()?.spawn(connection));
        let (parts, body) = sender.send_request(request).await?.into_parts();
        Ok((parts, Body::new(body)))
    }
}
