//! What phones fetch: their configuration files, from the request to the row that says that they
//! came.
//!
//! - [`file_answer`]: a request for a file, and the answer that a door writes;
//! - [`render_config`]: the use case; everything is answered from memory;
//! - `own_file`: which kind of file a device gets, and the file;
//! - [`system_values`]: what every file says of the installation, put together once;
//! - `file_access`: who gets a file with its secret, and who asks for too many;
//! - [`first_fetch`]: whose the file of a device is that never registered;
//! - [`file_requests`]: unknown names, sweeps and alarms, in memory alone;
//! - [`file_notes`]: what happened to files and waits to be written;
//! - [`file_fetched`]: writes it, and ends what waited for the phone to have its file;
//! - [`file_warnings`]: where files say something else than their templates.

mod file_access;
pub mod file_answer;
pub mod file_fetched;
pub mod file_notes;
pub mod file_requests;
pub mod file_warnings;
pub mod first_fetch;
pub(in crate::service) mod own_file;
pub mod render_config;
pub mod system_values;
