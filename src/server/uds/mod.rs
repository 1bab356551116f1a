//! The handset's door: the self-provisioning screens of an idle phone.

pub mod endpoint;
pub mod request;
pub mod screen;
pub mod screens;
pub mod text;
