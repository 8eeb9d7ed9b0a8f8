//! What stands before every route.
//!
//! A service rather than axum's `from_fn`, which costs some boxes for each request.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Response, header};
use axum::response::IntoResponse;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::access::Need;
use super::api::Shared;

/// Checks where each request comes from and is meant for, and says on each answer how it may be used.
#[derive(Clone)]
pub(super) struct Guard {
    pub(super) shared: Shared,
    pub(super) need: Need,
}

impl<S> Layer<S> for Guard {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { guard: self.clone(), inner }
    }
}

/// What is guarded.
#[derive(Clone)]
pub(super) struct Guarded<S> {
    guard: Guard,
    inner: S,
}

impl<S> Service<Request> for Guarded<S>
where
    S: Service<Request, Response = Response<Body>, Error = Infallible>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answering<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let Guard { shared, need } = &self.guard;
        match shared.access.check(*need, request.uri(), request.headers()) {
            Ok(()) => Answering::Asked { answer: self.inner.call(request) },
            Err(problem) => Answering::Refused { answer: Some(problem.into_response()) },
        }
    }
}

pin_project! {
    /// The answer of what is guarded, or of who guards it.
    #[project = AnsweringPlaces]
    pub(super) enum Answering<F> {
        Asked { #[pin] answer: F },
        Refused { answer: Option<Response<Body>> },
    }
}

impl<F> Future for Answering<F>
where
    F: Future<Output = Result<Response<Body>, Infallible>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        const ALWAYS: [(HeaderName, HeaderValue); 3] = [
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            (
                HeaderName::from_static("cross-origin-resource-policy"),
                HeaderValue::from_static("same-origin"),
            ),
        ];
        let mut response = match self.project() {
            AnsweringPlaces::Asked { answer } => match ready!(answer.poll(cx)) {
                Ok(response) => response,
                Err(never) => match never {},
            },
            AnsweringPlaces::Refused { answer } => answer.take().unwrap_or_default(),
        };
        response.headers_mut().extend(ALWAYS);
        Poll::Ready(Ok(response))
    }
}
