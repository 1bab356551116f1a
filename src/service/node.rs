//! The CallManager node that this process is.

use crate::domain::pkid::Pkid;

/// Identity and advertised address of this node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its row in `call_manager`.
    pub pkid: Pkid,
}
