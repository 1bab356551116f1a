//! The phones' authentication URL: `/cucm-uds/private/authenticate`.
//!
//! A phone asks here before it runs what somebody pushed to it, and runs everything when it has no
//! such URL. It answers `UN-AUTHORIZED` to everybody: nothing is pushed yet, and users' passwords
//! are never tried here.

use axum::http::header;
use axum::response::{IntoResponse, Response};

pub use crate::domain::config_file::assemble::AUTHENTICATE_PATH as PATH;

/// The whole body, without a newline, as phones compare it. Source: IP phone services notes.
const REFUSED: &str = "UN-AUTHORIZED";

/// Refuses, whatever is sent.
pub async fn authenticate() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/plain"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, REFUSED).into_response()
}
