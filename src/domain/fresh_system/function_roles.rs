//! Which roles the access control groups of a fresh system have: the names that CUCM gives to
//! what their members may do here.

use super::AXL_READERS;
use super::AXL_WRITERS;
use super::STANDARD_CCM_END_USERS;
use super::STANDARD_CCM_READ_ONLY;
use super::STANDARD_CCM_SUPER_USERS;

/// Role of those who may read and change everything over AXL.
const AXL_ACCESS: &str = "Standard AXL API Access";
/// Role of those who may read everything over AXL.
const AXL_READ_ONLY: &str = "Standard AXL Read Only API Access";

/// The roles of a group by its name; none for a group that an administrator added, whose members
/// may nothing by it.
///
/// Source: Administration Guide for Cisco Unified Communications Manager, *Standard Roles and
/// Access Control Groups*, as far as this system knows what a role allows.
pub fn function_roles(group: &str) -> Vec<&'static str> {
    let mut roles = Vec::new();
    if AXL_WRITERS.contains(&group) {
        roles.push(AXL_ACCESS);
    }
    if AXL_READERS.contains(&group) {
        roles.push(AXL_READ_ONLY);
    }
    match group {
        STANDARD_CCM_SUPER_USERS => {
            roles.extend([
                "Standard CCM Admin Users",
                "Standard CCMADMIN Administration",
            ]);
        }
        STANDARD_CCM_READ_ONLY => {
            roles.extend(["Standard CCM Admin Users", "Standard CCMADMIN Read Only"]);
        }
        STANDARD_CCM_END_USERS => {
            roles.extend(["Standard CCM End Users", "Standard CCMUSER Administration"]);
        }
        _ => {}
    }
    roles
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fresh_system::STANDARD_AXL_API_USERS;

    #[test]
    fn roles_follow_what_a_group_may() {
        assert_eq!(function_roles(STANDARD_AXL_API_USERS), [AXL_ACCESS]);
        assert!(function_roles(STANDARD_CCM_READ_ONLY).contains(&AXL_READ_ONLY));
        assert!(function_roles(STANDARD_CCM_END_USERS).contains(&"Standard CCM End Users"));
        assert_eq!(function_roles("Sales"), [""; 0]);
    }
}
