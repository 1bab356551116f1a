//! Front doors: wire in, one service call, wire out.
//!
//! One folder a door; what several doors share lies directly here. Doors never name each other.

pub mod account_sheet;
pub mod axl;
pub mod basic_authentication;
pub mod certificate_validity;
pub mod config_files;
pub mod connection_permits;
pub mod control;
mod counters;
pub mod cross_site;
pub mod files_certificate;
pub mod http;
pub mod metrics;
pub mod original_address;
mod repeated_notice;
pub mod request_xml;
pub mod run;
pub mod shutdown;
pub mod signed_file_reader;
mod signed_header;
pub mod signed_header_reader;
pub mod sip;
pub mod sockets;
mod source_rates;
pub mod system;
pub mod tls;
pub mod to_the_end;
pub mod trace_files;
pub mod trace_log;
pub mod trust_list_format;
pub mod trust_list_reader;
pub mod tvs;
pub mod uds;
mod watched_stream;
