//! The commands about activation codes.

use crate::server::control::fault::{Fault, actor};
use crate::server::control::protocol::{Answer, SecretText};
use crate::server::control::values::{device_name, timestamp};
use crate::service::App;
use crate::service::self_provisioning::activation_codes::{self, CodeBefore};

/// Makes the code of a device, or gives the one that waits.
///
/// # Errors
///
/// There is no such device, or nobody could enter a code for it.
pub async fn show(
    app: &App,
    name: &str,
    lifetime_s: Option<u64>,
    replace: bool,
) -> Result<Answer, Fault> {
    let name = device_name(name)?;
    let lifetime = activation_codes::lifetime_of(lifetime_s)?;
    let before = if replace {
        CodeBefore::Goes
    } else {
        CodeBefore::Stays
    };
    let code = activation_codes::add(app, &actor(app), &name, (lifetime, before)).await?;
    Ok(Answer::ActivationCode {
        device: code.device.to_string(),
        code: SecretText::new(&code.code.in_groups()),
        expires_at: timestamp(code.expires_at),
    })
}

/// Takes the code of a device back.
///
/// # Errors
///
/// There is no such device.
pub async fn remove(app: &App, name: &str) -> Result<Answer, Fault> {
    let name = device_name(name)?;
    let was_there = activation_codes::remove_of(app, &actor(app), &name).await?;
    Ok(Answer::Done(if was_there {
        format!("the activation code of {name} is removed")
    } else {
        format!("{name} has no activation code")
    }))
}
