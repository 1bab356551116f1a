//! `selfprov user`.

use super::CliError;
use super::admin::password_set;
use super::all_rows;
use super::arguments::{PinArguments, UserAddArguments, UserCommand};
use super::device_arguments::DigestArguments;
use super::output::{Output, columns};
use super::secret_input;
use crate::server::control::protocol::{
    Answer, Name, NewDigest, NewPhone, NewUser, Page, Request, SecretText, UserView,
};
use crate::settings::Settings;

/// Does what the command says.
///
/// # Errors
///
/// It was refused; the text says why.
pub async fn run(
    settings: &Settings,
    command: UserCommand,
    output: Output,
) -> Result<(), CliError> {
    let request = match command {
        UserCommand::Add(arguments) => Request::UserAdd(Box::new(new_user(*arguments)?)),
        UserCommand::List(page) => Request::UserList(Page {
            after: page.after,
            limit: page.limit,
        }),
        UserCommand::Show { user } => Request::UserShow(Name { name: user }),
        UserCommand::SetPin { user, pin } => Request::UserSetPin {
            must_change: pin.must_change,
            pin: asked_pin(&pin, &user).await?,
            name: user,
        },
        UserCommand::SetPassword { user, password } => Request::UserSetPassword {
            must_change: password.must_change,
            password: password.ask(&user).await?,
            name: user,
        },
        UserCommand::SetDigest {
            user,
            digest,
            remove,
        } => Request::UserSetDigest {
            digest: asked_digest(&digest, remove, &user).await?,
            name: user,
        },
        UserCommand::Enable { user } => Request::UserSetEnabled {
            name: user,
            enabled: true,
        },
        UserCommand::Disable { user } => Request::UserSetEnabled {
            name: user,
            enabled: false,
        },
        UserCommand::Unlock { user } => Request::UserUnlock(Name { name: user }),
    };
    let answer = all_rows::ask(settings, request, output).await?;
    print(&answer, output);
    Ok(())
}

fn new_user(arguments: UserAddArguments) -> Result<NewUser, CliError> {
    let pin = match &arguments.pin.pin_file {
        Some(path) => Some(SecretText::new(&secret_input::from_file(path)?)),
        None => None,
    };
    let digest = given_digest(&arguments.phone.digest)?;
    let phone = arguments.phone;
    Ok(NewUser {
        last_name: arguments
            .last_name
            .unwrap_or_else(|| arguments.user_id.clone()),
        user_id: arguments.user_id,
        first_name: arguments.first_name,
        extension: arguments.extension,
        self_service_id: arguments.self_service_id,
        feature_group_template: arguments.feature_group_template,
        pin,
        must_change: arguments.pin.must_change,
        digest,
        phone: phone.phone.zip(phone.model).map(|(name, model)| NewPhone {
            name,
            model,
            template: phone.template,
        }),
    })
}

/// The digest credentials that the arguments give; `None` when they say nothing.
fn given_digest(arguments: &DigestArguments) -> Result<Option<NewDigest>, CliError> {
    Ok(match &arguments.digest_file {
        Some(path) => {
            let secret = secret_input::from_file(path)?;
            Some(NewDigest::Given(SecretText::new(&secret)))
        }
        None => arguments.digest_generate.then_some(NewDigest::Generated),
    })
}

/// The digest credentials that the arguments name, or else typed unseen.
async fn asked_digest(
    arguments: &DigestArguments,
    remove: bool,
    user: &str,
) -> Result<NewDigest, CliError> {
    if remove {
        return Ok(NewDigest::Removed);
    }
    if let Some(given) = given_digest(arguments)? {
        return Ok(given);
    }
    let secret = secret_input::ask_new(&format!("New digest credentials of {user}")).await?;
    Ok(NewDigest::Given(SecretText::new(&secret)))
}

/// The PIN from a file or typed unseen; `None` when one is to be made.
async fn asked_pin(arguments: &PinArguments, user: &str) -> Result<Option<SecretText>, CliError> {
    let pin = match &arguments.pin_file {
        _ if arguments.generate => return Ok(None),
        Some(path) => secret_input::from_file(path)?,
        None => secret_input::ask_new(&format!("New PIN of {user}")).await?,
    };
    Ok(Some(SecretText::new(&pin)))
}

fn print(answer: &Answer, output: Output) {
    if output.json {
        return output.json_document(answer);
    }
    match answer {
        Answer::Done(text) => output.line(text),
        Answer::Users(users) => output.line(table(users)),
        Answer::User {
            user,
            pin,
            digest_credentials,
            phone,
        } => {
            output.line(card(user));
            if let Some(phone) = phone {
                output.line(format!("\n{}", super::device::made(phone)));
            }
            if let Some(digest) = digest_credentials {
                let digest = digest.secret();
                let text = format!("\nDigest credentials {} (shown only now)", digest.reveal());
                output.line(text);
            }
            if let Some(pin) = pin {
                output.line(format!("\nPIN {} (shown only now)", pin.secret().reveal()));
            }
        }
        Answer::PasswordSet { user_id, password } => {
            output.line(password_set(user_id, password.as_ref()));
        }
        Answer::ActivationCode { .. }
        | Answer::Administrators(_)
        | Answer::Device(_)
        | Answer::Devices(_)
        | Answer::Findings(_)
        | Answer::Made(_)
        | Answer::Sheet { .. }
        | Answer::AutoRegistration(_)
        | Answer::TrustLists(_)
        | Answer::TrustKeyFile { .. }
        | Answer::Restarts(_) => {}
    }
}

fn table(users: &[UserView]) -> String {
    let row = |user: &UserView| {
        vec![
            user.user_id.clone(),
            user.name.clone(),
            user.extension.clone().unwrap_or_default(),
            user.self_service_id.clone().unwrap_or_default(),
            user.devices.len().to_string(),
            if user.not_ready.is_empty() {
                "ready".to_owned()
            } else {
                user.not_ready.join("; ")
            },
        ]
    };
    let rows: Vec<Vec<String>> = users.iter().map(row).collect();
    columns(
        &[
            "USER",
            "NAME",
            "EXTENSION",
            "SELF-SERVICE ID",
            "PHONES",
            "SELF-PROVISIONING",
        ],
        &rows,
    )
}

fn card(user: &UserView) -> String {
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
    let devices = if user.devices.is_empty() {
        "none".to_owned()
    } else {
        user.devices.join(", ")
    };
    let mut text = format!(
        "User ID               {}\nName                  {}\nStatus                {}\n\
         Primary extension     {}\nSelf-Service User ID  {}\nUser Profile          {}\n\
         Phones                {devices}\n",
        user.user_id,
        user.name,
        if user.enabled { "enabled" } else { "disabled" },
        or_none(&user.extension),
        or_none(&user.self_service_id),
        user.profile,
    );
    if user.not_ready.is_empty() {
        text.push_str("Self-provisioning     ready");
    } else {
        text.push_str("Self-provisioning     not ready:");
        for reason in &user.not_ready {
            text.push_str("\n  - ");
            text.push_str(reason);
        }
    }
    if user.must_change_pin {
        text.push_str("\nNext login            the PIN must be changed");
    }
    text
}
