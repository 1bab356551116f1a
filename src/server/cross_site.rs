//! Requests that a browser sends because a page of somebody else told it to.
//!
//! A browser adds the cookie or password that it remembers for us to every request, whoever wrote
//! the page. Programs send none of the header fields that tell, so they are not concerned.

use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// What a browser says of where a request comes from. Source: W3C Fetch Metadata.
const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// Refuses what another site's page wants changed; reading stays, for its page cannot see it.
pub async fn refuse(request: Request, next: Next) -> Response {
    let reads = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    if !reads && is_of_another_site(request.headers()) {
        tracing::warn!(
            path = request.uri().path(),
            "refused a change that the page of another site asked a browser for"
        );
        let reason = "a browser sent this because the page of another site asked for it";
        return (StatusCode::FORBIDDEN, reason).into_response();
    }
    next.run(request).await
}

fn is_of_another_site(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text(SEC_FETCH_SITE) {
        return !matches!(site, "same-origin" | "none");
    }
    let Some(origin) = text(header::ORIGIN.as_str()) else {
        return false;
    };
    let host = origin.split_once("://").map_or("", |(_, host)| host);
    text(header::HOST.as_str()).is_none_or(|own| !own.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_refused(fields: &[(&'static str, &str)]) -> bool {
        let fields = fields.iter().map(|(name, value)| {
            let name = header::HeaderName::from_static(name);
            (name, value.parse().unwrap())
        });
        is_of_another_site(&fields.collect())
    }

    #[test]
    fn programs_and_our_own_pages_pass_and_others_do_not() {
        assert!(!is_refused(&[]));
        assert!(!is_refused(&[("host", "cm.example:8443")]));
        assert!(!is_refused(&[("sec-fetch-site", "same-origin")]));
        assert!(!is_refused(&[
            ("host", "cm.example:8443"),
            ("origin", "https://cm.example:8443"),
        ]));
        assert!(is_refused(&[("sec-fetch-site", "cross-site")]));
        assert!(is_refused(&[("sec-fetch-site", "same-site")]));
        assert!(is_refused(&[
            ("host", "cm.example:8443"),
            ("origin", "https://evil.example"),
        ]));
        assert!(is_refused(&[("host", "cm.example"), ("origin", "null")]));
    }
}
