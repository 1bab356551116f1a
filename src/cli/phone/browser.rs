//! The phone's HTTP client: files from port 6970 and screens, with a phone's headers.
//!
//! Source: IP Phone Services notes, "HTTP Requests and Header Settings".

use std::path::Path;
use std::time::Duration;

use ureq::Agent;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

use super::display::Request;
use super::screen::{Screen, ScreenError};
use super::xml::DOCUMENT_BYTES_MAX;
use crate::domain::phone_model::{ModelFamily, PhoneModel};

/// How long a phone waits for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Largest file in bytes that is taken.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// Why nothing came. The first word of each text is what a phone shows.
#[derive(Debug, thiserror::Error)]
pub enum BrowserError {
    /// No connection, or the server's certificate is not trusted.
    #[error("Host not found ({0})")]
    HostNotFound(String),
    /// The server answered with a status that is not 200.
    #[error("{} (HTTP {_0})", status_text(*_0))]
    Status(u16),
    /// The document is no screen.
    #[error(transparent)]
    Screen(#[from] ScreenError),
    /// The file of trusted certificates cannot be used.
    #[error("cannot use the certificates in {path}: {reason}")]
    CaFile {
        /// The file.
        path: String,
        /// Why not.
        reason: String,
    },
}

/// What a phone shows for a status. Source: Application Development Notes, Troubleshooting.
const fn status_text(status: u16) -> &'static str {
    match status {
        404 => "File Not Found",
        503 => "Server Busy!",
        _ => "HTTP connection failed",
    }
}

/// A screen as it came, with what its headers say.
#[derive(Debug, Clone)]
pub struct Page {
    /// The screen.
    pub screen: Screen,
    /// Seconds after which another URL (or the same) is fetched.
    pub refresh: Option<(u32, Option<String>)>,
}

/// The phone's HTTP client. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Browser {
    agent: Agent,
    headers: Vec<(&'static str, String)>,
    accepts_post: bool,
}

impl Browser {
    /// A client of this model that trusts the certificates of `ca_file` (PEM), or the public
    /// authorities when there is none.
    ///
    /// # Errors
    ///
    /// The file cannot be read or holds no certificate.
    pub fn new(model: &PhoneModel, ca_file: Option<&Path>) -> Result<Self, BrowserError> {
        let mut tls = TlsConfig::builder();
        if let Some(path) = ca_file {
            tls = tls.root_certs(root_certificates(path)?);
        }
        let config = Agent::config_builder()
            .tls_config(tls.build())
            .http_status_as_error(false)
            .timeout_global(Some(ANSWER_TIMEOUT))
            .proxy(None)
            .build();
        Ok(Self {
            agent: config.new_agent(),
            headers: headers(model),
            accepts_post: model.accepts_post(),
        })
    }

    /// Fetches a screen.
    ///
    /// # Errors
    ///
    /// What a phone would show instead: no connection, a bad status, no readable screen.
    pub async fn page(&self, request: Request) -> Result<Page, BrowserError> {
        let browser = self.clone();
        blocking(move || browser.fetch_page(&request)).await
    }

    /// Fetches a file; `None` when the server says there is none.
    ///
    /// # Errors
    ///
    /// No connection, or another status than 200 and 404.
    pub async fn file(&self, url: String) -> Result<Option<Vec<u8>>, BrowserError> {
        let browser = self.clone();
        blocking(move || browser.fetch_file(&url)).await
    }

    fn fetch_page(&self, request: &Request) -> Result<Page, BrowserError> {
        let answer = match &request.body {
            Some(body) if self.accepts_post => {
                let mut post = self.agent.post(&request.url);
                for (name, value) in &self.headers {
                    post = post.header(*name, value);
                }
                post.content_type("application/x-www-form-urlencoded")
                    .send(body)
            }
            _ => {
                let mut get = self.agent.get(get_url(request));
                for (name, value) in &self.headers {
                    get = get.header(*name, value);
                }
                get.call()
            }
        };
        let mut answer = answer.map_err(|error| BrowserError::HostNotFound(error.to_string()))?;
        if answer.status().as_u16() != 200 {
            return Err(BrowserError::Status(answer.status().as_u16()));
        }
        let refresh = answer
            .headers()
            .get("refresh")
            .and_then(|value| value.to_str().ok());
        let refresh = refresh.and_then(parse_refresh);
        let limit = u64::try_from(DOCUMENT_BYTES_MAX).unwrap_or(u64::MAX);
        let document = answer.body_mut().with_config().limit(limit).read_to_vec();
        let document = document.map_err(|error| BrowserError::HostNotFound(error.to_string()))?;
        Ok(Page {
            screen: Screen::parse(&document)?,
            refresh,
        })
    }

    fn fetch_file(&self, url: &str) -> Result<Option<Vec<u8>>, BrowserError> {
        let lost = |error: ureq::Error| BrowserError::HostNotFound(error.to_string());
        let mut answer = self.agent.get(url).call().map_err(lost)?;
        match answer.status().as_u16() {
            200 => {
                let body = answer.body_mut().with_config().limit(FILE_BYTES_MAX);
                body.read_to_vec().map(Some).map_err(lost)
            }
            404 => Ok(None),
            status => Err(BrowserError::Status(status)),
        }
    }
}

/// Runs a blocking request away from the async threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BrowserError> + Send + 'static,
) -> Result<T, BrowserError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(BrowserError::HostNotFound(error.to_string())),
    }
}

/// Phones before the 7800 send a form by GET whatever the document asks.
fn get_url(request: &Request) -> String {
    match &request.body {
        Some(body) => {
            let separator = if request.url.contains('?') { '&' } else { '?' };
            format!("{}{separator}{body}", request.url)
        }
        None => request.url.clone(),
    }
}

fn headers(model: &PhoneModel) -> Vec<(&'static str, String)> {
    let display = match model.family {
        ModelFamily::Cisco8800 => "800,480,24,C",
        ModelFamily::Cisco7800 => "396,162,1,G",
        ModelFamily::Cisco8900 => "498,289,24,C",
        _ => "298,144,4,G",
    };
    let accept = "x-CiscoIPPhone/*, text/*, image/png, */*";
    let mut headers = vec![
        ("Accept", accept.to_owned()),
        ("Accept-Language", "en-US".to_owned()),
        ("Accept-Charset", "utf-8,iso-8859-1;q=0.8".to_owned()),
        ("x-CiscoIPPhoneModelName", model.header_name()),
        ("x-CiscoIPPhoneDisplay", display.to_owned()),
        ("x-CiscoIPPhoneSDKVersion", "8.5.1".to_owned()),
    ];
    if model.family == ModelFamily::Cisco7900 {
        headers.push(("User-Agent", "Allegro-Software-WebClient/4.34".to_owned()));
    }
    headers
}

/// `Refresh: <seconds>; url=<address>`; 0 refreshes only by the Update key.
fn parse_refresh(text: &str) -> Option<(u32, Option<String>)> {
    let (seconds, rest) = text.split_once(';').unwrap_or((text, ""));
    let seconds: u32 = seconds.trim().parse().ok().filter(|seconds| *seconds > 0)?;
    let url = rest.trim().strip_prefix("url=").map(str::to_owned);
    Some((seconds, url))
}

fn root_certificates(path: &Path) -> Result<RootCerts, BrowserError> {
    let unusable = |reason: String| BrowserError::CaFile {
        path: path.display().to_string(),
        reason,
    };
    let pem = std::fs::read(path).map_err(|error| unusable(error.to_string()))?;
    let certificates: Vec<Certificate<'static>> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() {
        return Err(unusable("it holds no certificate".into()));
    }
    Ok(RootCerts::new_with_certs(&certificates))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::phone_model;

    #[test]
    fn a_form_goes_by_get_from_a_phone_that_ignores_post() {
        let request = Request {
            url: "https://h/x?a=1".into(),
            body: Some("pin=1".into()),
        };
        assert_eq!(get_url(&request), "https://h/x?a=1&pin=1");
        assert_eq!(get_url(&Request::get("https://h/x")), "https://h/x");
    }

    #[test]
    fn refresh_and_model_headers_are_a_phones() {
        assert_eq!(
            parse_refresh("3; url=http://h/"),
            Some((3, Some("http://h/".into())))
        );
        assert_eq!(parse_refresh("5"), Some((5, None)));
        assert_eq!(parse_refresh("0"), None);
        let model = phone_model::by_product("Cisco 7841").unwrap();
        assert!(headers(model).contains(&("x-CiscoIPPhoneModelName", "CP-7841".into())));
    }

    #[test]
    fn a_ca_file_without_a_certificate_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let model = phone_model::by_product("Cisco 7841").unwrap();
        let error = Browser::new(model, Some(file.path()))
            .unwrap_err()
            .to_string();
        assert!(error.contains("no certificate"), "{error}");
    }
}
