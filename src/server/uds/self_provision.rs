//! The endpoint `/cucm-uds/private/selfProvision`: reads a request, asks one use case, shows a
//! screen. The phone service `/cucm-uds/private/releasePhone` is another way in, for its form.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Extension;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use tokio::time::timeout;

use crate::domain::config_file::assemble::RELEASE_PATH;
use crate::server::http::Peer;
use crate::server::metrics;
use crate::server::uds::door::UdsDoor;
use crate::server::uds::request::{self, Ask, BadRequest};
use crate::server::uds::visit::{Ended, Visit};

/// Largest form in bytes; ours have under 1 KiB.
const FORM_BYTES_MAX: usize = 8 * 1024;
/// Time a phone has to send its form.
const FORM_TIMEOUT: Duration = Duration::from_secs(10);

/// Answers GET, HEAD and POST; the router refuses other methods.
pub async fn answer(
    State(door): State<UdsDoor>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Response {
    let started = Instant::now();
    let (parts, body) = request.into_parts();
    let form = if parts.method == Method::POST {
        read_form(body, FORM_TIMEOUT).await
    } else {
        Ok(Bytes::new())
    };
    let query = parts.uri.query().unwrap_or_default().as_bytes();
    let cut_off = form.is_err();
    let read = form
        .and_then(|form| request::parse(query, &form))
        .map(|mut request| {
            if parts.uri.path() == RELEASE_PATH && matches!(request.ask, Ask::LoginForm { .. }) {
                request.ask = Ask::ReleaseForm;
            }
            request
        });
    let device = match &read {
        Ok(request) => request.device.clone(),
        Err(_) => request::device_of_query(query),
    };
    let visit = Visit::new(door, peer, device, &parts);
    let trace = visit.trace.clone();
    let log = Arc::clone(&visit.door.trace);
    let (step, ended) = match read {
        // HEAD asks for nothing but the headers, so it must not try a login.
        Ok(_) if parts.method == Method::HEAD => ("head", visit.login_form("")),
        Ok(request) => (request.ask.word(), visit.answer(request.ask).await),
        Err(reason) if cut_off => {
            let Ended { answer, detail } = visit.bad_request(reason);
            (
                "unread",
                Ended {
                    answer: answer.closing(),
                    detail,
                },
            )
        }
        Err(reason) => ("unread", visit.bad_request(reason)),
    };
    let Ended { answer, detail } = ended;
    trace.ended(&log, step, answer.result, &detail);
    let seconds = started.elapsed().as_secs_f64();
    metrics::HANDSET_REQUEST.of(step).record(seconds);
    metrics::HANDSET_ANSWER.of(answer.result).increment(1);
    answer.into_response()
}

async fn read_form(body: Body, time_max: Duration) -> Result<Bytes, BadRequest> {
    match timeout(time_max, to_bytes(body, FORM_BYTES_MAX)).await {
        Ok(Ok(form)) => Ok(form),
        Ok(Err(_)) | Err(_) => Err(BadRequest::Body),
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context as TaskContext, Poll};

    use hyper::body::Frame;

    use super::*;

    /// A body that sends one piece and then nothing, without ending.
    struct Stalled(Option<Bytes>);

    impl hyper::body::Body for Stalled {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _task: &mut TaskContext<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
            self.0.take().map_or(Poll::Pending, |piece| {
                Poll::Ready(Some(Ok(Frame::data(piece))))
            })
        }
    }

    #[tokio::test]
    async fn a_form_that_never_ends_is_cut_off() {
        let body = Body::new(Stalled(Some(Bytes::from_static(b"userid=a"))));
        let read = read_form(body, Duration::from_millis(20)).await;
        assert_eq!(read, Err(BadRequest::Body));
    }

    #[tokio::test]
    async fn a_form_of_8_kib_is_read_and_one_byte_more_is_not() {
        let read = read_form(Body::from(vec![b'x'; FORM_BYTES_MAX]), FORM_TIMEOUT).await;
        assert_eq!(read.map(|form| form.len()), Ok(FORM_BYTES_MAX));
        let read = read_form(Body::from(vec![b'x'; FORM_BYTES_MAX + 1]), FORM_TIMEOUT).await;
        assert_eq!(read, Err(BadRequest::Body));
    }
}
