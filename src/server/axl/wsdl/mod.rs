//! Our own WSDL and XML schemas, written from the tables that the program runs on, as the archive
//! that tools download before they speak AXL.
//!
//! Everybody may fetch it: it holds nothing of this installation but the address of AXL, which
//! whoever fetches it has used already. CUCM asks for a login there; tools that send one are
//! served as well.
//!
//! Source: the layout of CUCM's archive (`schema/<version>/AXLAPI.wsdl` and so on), which tools
//! look for. The text is ours.

mod description;
mod document;
mod operations;
mod simple_types;
mod types;

use std::io::{self, Cursor, Write as _};
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse as _;
use axum::routing::get;
use tokio::sync::OnceCell;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::domain::schema::SchemaVersion;
use crate::service::App;

use super::answer::{self, Answer};

/// Where the archive is. Source: CUCM's page of plug-ins.
const PATH: &str = "/plugins/axlsqltoolkit.zip";

/// The prefix of the namespace of requests and answers.
const PREFIX: &str = "axlapi";

/// The namespace of XML Schema.
const XSD: &str = "http://www.w3.org/2001/XMLSchema";

/// The file with the operations.
const WSDL: &str = "AXLAPI.wsdl";
/// The file with the requests and answers.
const SOAP: &str = "AXLSoap.xsd";
/// The file with the simple types.
const ENUMERATIONS: &str = "AXLEnums.xsd";

/// Seconds that whoever fetched the archive may use it: it changes with a release only.
const CACHE_CONTROL: &str = "public, max-age=3600";

/// The archive, made when it is first asked for.
#[derive(Clone)]
struct Toolkit {
    app: Arc<App>,
    archive: Arc<OnceCell<Bytes>>,
}

/// The route of the archive.
pub(super) fn router(app: Arc<App>) -> Router {
    Router::new().route(PATH, get(serve)).with_state(Toolkit {
        app,
        archive: Arc::default(),
    })
}

async fn serve(State(toolkit): State<Toolkit>) -> Answer {
    let made = toolkit.archive.get_or_try_init(|| async {
        let address = format!(
            "{}{}",
            toolkit.app.settings.advertised.https_base(),
            super::PATH
        );
        let made = tokio::task::spawn_blocking(move || archive(&address)).await;
        made.map_err(io::Error::other)?
    });
    match made.await {
        Ok(archive) => {
            let headers = [
                (header::CONTENT_TYPE, "application/zip"),
                (header::CACHE_CONTROL, CACHE_CONTROL),
            ];
            (headers, archive.clone()).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "the archive of AXL's schemas could not be made");
            answer::page(
                StatusCode::INTERNAL_SERVER_ERROR,
                "HTTP Status 500 - The archive could not be made; the service's log says why",
            )
        }
    }
}

/// The archive with the three files of every version; `address` is the URL of AXL.
///
/// # Errors
///
/// The archive cannot be written.
fn archive(address: &str) -> io::Result<Bytes> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    // Without a time of their own, equal tables give equal bytes.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default());
    for version in SchemaVersion::ALL {
        let types = types::write(version);
        let description = description::write(version, address);
        for (name, content) in [
            (WSDL, description),
            (SOAP, types.soap),
            (ENUMERATIONS, types.enumerations),
        ] {
            archive.start_file(format!("schema/{version}/{name}"), options)?;
            archive.write_all(content.as_bytes())?;
        }
    }
    Ok(archive.finish()?.into_inner().into())
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn the_archive_has_three_well_formed_files_of_every_version() {
        let bytes = archive("https://10.0.0.5:8443/axl/").unwrap();
        let mut archive = zip::ZipArchive::new(Cursor::new(&bytes[..])).unwrap();
        assert_eq!(archive.len(), 3 * SchemaVersion::ALL.len());
        for version in SchemaVersion::ALL {
            for name in [WSDL, SOAP, ENUMERATIONS] {
                let mut text = String::new();
                let path = format!("schema/{version}/{name}");
                let mut file = archive.by_name(&path).unwrap();
                file.read_to_string(&mut text).unwrap();
                let mut reader = quick_xml::Reader::from_str(&text);
                let is_end = |event| matches!(event, quick_xml::events::Event::Eof);
                while !is_end(reader.read_event().unwrap()) {}
                let namespace = format!("\"http://www.cisco.com/AXL/API/{version}\"");
                assert!(text.contains(&namespace), "{path}");
            }
        }
        assert!(bytes.len() < 1024 * 1024, "{} bytes", bytes.len());
    }
}
