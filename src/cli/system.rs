//! `selfprov auto-registration` and `selfprov user-profile`.

use super::CliError;
use super::arguments::{AutoRegistrationCommand, UserProfileCommand};
use super::control;
use super::output::Output;
use crate::server::control::protocol::{Answer, NewRange, ProfileChange, Request};
use crate::settings::Settings;

/// What a command about auto-registration asks for.
pub fn auto_registration(command: AutoRegistrationCommand) -> Request {
    match command {
        AutoRegistrationCommand::Show => Request::AutoRegistrationShow,
        AutoRegistrationCommand::On { from, to, time } => Request::AutoRegistrationOn(NewRange {
            from,
            to,
            for_s: time.map(|time| time.as_secs()),
        }),
        AutoRegistrationCommand::Off => Request::AutoRegistrationOff,
    }
}

/// What a command about User Profiles asks for.
pub fn user_profile(command: UserProfileCommand) -> Request {
    match command {
        UserProfileCommand::List => Request::UserProfileList,
        UserProfileCommand::Set { name, allow, limit } => {
            Request::UserProfileSet(ProfileChange { name, allow, limit })
        }
    }
}

/// Asks for it and prints what came of it.
///
/// # Errors
/// It was refused; the text says why.
pub async fn run(settings: &Settings, request: Request, output: Output) -> Result<(), CliError> {
    let answer = control::ask(settings, &request).await?;
    if output.json {
        output.json_document(&answer);
    } else if let Answer::Done(text) = answer {
        output.line(text);
    }
    Ok(())
}
