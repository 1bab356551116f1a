//! The journey of a phone from *auto-registered* to its user's device, and back.
//!
//! ```text
//! login.rs             the form, and what follows when it is sent
//! claim.rs             the phone somebody stands at, the user, and the decision over both
//! confirmation.rs      what a right login leads to: the confirm screen
//! sealed_token.rs      what carries the login from there to *Continue*
//! continue_login.rs    *Continue*: the token's purpose chooses what becomes true
//! provision.rs         ... the phone becomes its user's
//! activate/            ... the phone becomes the device of an activation code
//! change_pin.rs        ... a PIN that must change is changed first
//! release.rs           ... the phone goes back, by its owner or an administrator
//! activation_codes.rs  administrators make codes, look at them, take them back
//! settings.rs          *User Management > Self-Provisioning*: who may log in
//! readiness.rs         whether users can do all this, asked beforehand
//! ```

mod activate;
pub mod activation_codes;
pub mod change_pin;
pub mod claim;
pub mod confirmation;
pub mod continue_login;
pub mod login;
pub mod provision;
pub mod readiness;
pub mod release;
pub(in crate::service) mod sealed_token;
pub mod settings;
