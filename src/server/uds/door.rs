//! What the handset's door works with.

use std::sync::Arc;

use crate::server::trace_log::TraceLog;
use crate::service::App;

/// The use cases, and where what happens is written.
#[derive(Clone)]
pub struct UdsDoor {
    /// The use cases.
    pub app: Arc<App>,
    /// The `cucm-uds` files.
    pub trace: Arc<TraceLog>,
}
