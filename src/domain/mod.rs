//! Pure values and rules: no async, no I/O, no clock, no randomness, no wire format.
//!
//! The names are those of CUCM's administration pages and AXL schema.

pub mod account;
pub mod activation;
pub mod auto_registration;
pub mod binding;
pub mod call_limits;
pub mod call_route;
pub mod call_target;
pub mod catalogue;
pub mod config_file;
pub mod credential;
pub mod ctiid;
pub mod device;
pub mod directory_number;
pub mod end_user;
pub mod fresh_system;
pub mod history;
pub mod line;
pub mod lockout;
pub mod login_name;
pub mod phone;
pub mod phone_model;
pub mod phone_restart;
pub mod pkid;
pub mod range_forecast;
pub mod refusal;
pub mod registration;
pub mod registration_refused;
pub mod schema;
pub mod secret;
pub mod self_provisioning;
pub mod short_text;
pub mod sip_digest;
pub mod source_network;
pub mod sql_name;
pub mod stored_credential;
pub mod template;
pub mod text_rule;
pub mod time;
pub mod trivial_credential;
pub mod trust_list;
pub mod user_profile;
pub mod user_search;
