//! The three pages, over HTTP/1.1.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::{Told, readiness, survey};

/// The most connections that are served at once; more wait to be taken up.
const MOST_CONNECTIONS: usize = 32;

/// How long a request may take to come, so that a silent connection frees its place.
const REQUEST_WITHIN: Duration = Duration::from_secs(10);

const JSON: &str = "application/json";

/// The text format that Prometheus reads.
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Serves until `stop`.
pub(super) async fn serve(listener: TcpListener, told: Arc<Told>, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            // Out of file descriptors, say: others end meanwhile.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let (told, stop) = (Arc::clone(&told), stop.clone());
        tokio::spawn(async move {
            let answer = |request: Request<hyper::body::Incoming>| {
                let told = Arc::clone(&told);
                async move { Ok::<_, Infallible>(page(&told, request.method(), request.uri().path()).await) }
            };
            let connection = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(REQUEST_WITHIN)
                .serve_connection(TokioIo::new(stream), service_fn(answer));
            tokio::select! {
                ended = connection => {
                    if let Err(error) = ended {
                        tracing::debug!(%error, "a connection to the operation's pages broke off");
                    }
                }
                () = stop.cancelled() => {}
            }
            drop(place);
        });
    }
}

async fn page(told: &Told, method: &Method, path: &str) -> Response<Full<Bytes>> {
    if method != Method::GET && method != Method::HEAD {
        return respond(
            StatusCode::METHOD_NOT_ALLOWED,
            JSON,
            r#"{"error":"only GET is answered"}"#.to_owned(),
        );
    }
    match path {
        "/healthz" => {
            let stuck: Vec<&str> = told
                .services
                .iter()
                .filter(|observed| observed.pulse.is_stuck())
                .map(|observed| observed.service.name())
                .collect();
            let body = json!({ "healthy": stuck.is_empty(), "stuck": stuck }).to_string();
            respond(status(stuck.is_empty()), JSON, body)
        }
        "/readyz" => {
            let readiness = readiness::of(told).await;
            let body = serde_json::to_string(&readiness).unwrap_or_default();
            respond(status(readiness.ready), JSON, body)
        }
        "/metrics" => {
            survey::take(told).await;
            told.metrics.run_upkeep();
            respond(StatusCode::OK, PROMETHEUS, told.metrics.render())
        }
        _ => respond(
            StatusCode::NOT_FOUND,
            JSON,
            r#"{"error":"there are /healthz, /readyz and /metrics"}"#.to_owned(),
        ),
    }
}

const fn status(good: bool) -> StatusCode {
    if good {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    }
}

fn respond(status: StatusCode, content_type: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
