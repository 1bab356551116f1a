//! What every test stands on: real databases, a hand-driven clock, an [`App`] on a fresh database
//! and a server with all doors.
//!
//! ```text
//! for_each_database(|database| async move {
//!     let test = TestApp::start(&database).await;   // or TestServer::start(&database)
//!     …
//! }).await;
//! ```

mod app;
mod axl;
mod claims;
mod database;
mod environment;
mod handset_door;
mod ipv6;
mod own_process;
mod postgresql;
mod server;
mod sip_phone;

pub(crate) use app::PASSWORD;
pub(crate) use app::PIN;
pub(crate) use app::TestApp;
pub(crate) use app::TestAppBuilder;
pub(crate) use app::administrator;
pub(crate) use app::line_in_none;
pub(crate) use axl::AXL_PASSWORD;
pub(crate) use axl::Axl;
pub(crate) use axl::AxlCall;
pub(crate) use axl::add_application_user;
pub(crate) use axl::axl_envelope;
pub(crate) use claims::CISCO_7841;
pub(crate) use claims::TestPhone;
pub(crate) use claims::provision_for_user;
pub(crate) use claims::secret_of;
pub(crate) use database::Database;
pub(crate) use database::for_each_database;
pub(crate) use database::row_as_text;
pub(crate) use environment::ManualClock;
pub(crate) use environment::SeededEntropy;
pub(crate) use handset_door::Answer;
pub(crate) use handset_door::HandsetDoor;
pub(crate) use handset_door::form_url;
pub(crate) use handset_door::post;
pub(crate) use handset_door::url_of_key;
pub(crate) use ipv6::has_ipv6;
pub(crate) use own_process::OwnLog;
pub(crate) use own_process::is_own_process;
pub(crate) use server::TestServer;
pub(crate) use sip_phone::Reply;
pub(crate) use sip_phone::SipPhone;
pub(crate) use sip_phone::tls_client;
