//! `selfprov self-provisioning` and `selfprov user-profile`.

use super::CliError;
use super::arguments::{ModeArgument, SelfProvisioningCommand, UserProfileCommand};
use super::control;
use super::output::Output;
use super::secret_input;
use crate::domain::self_provisioning::AuthenticationMode;
use crate::server::control::protocol::{Answer, ProfileChange, Request, SecretText};
use crate::settings::Settings;

/// What a command about the login on phones asks for.
///
/// # Errors
///
/// The code could not be read.
pub async fn self_provisioning(command: SelfProvisioningCommand) -> Result<Request, CliError> {
    Ok(match command {
        SelfProvisioningCommand::Show => Request::SelfProvisioningShow,
        SelfProvisioningCommand::SetMode { mode } => Request::SelfProvisioningSetMode {
            mode: mode_of(mode),
        },
        SelfProvisioningCommand::SetCode { code_file } => {
            let code = match code_file {
                Some(path) => secret_input::from_file(&path)?,
                None => secret_input::ask_new("New authentication code").await?,
            };
            Request::SelfProvisioningSetCode {
                code: Some(SecretText::new(&code)),
            }
        }
        SelfProvisioningCommand::RemoveCode => Request::SelfProvisioningSetCode { code: None },
    })
}

const fn mode_of(argument: ModeArgument) -> AuthenticationMode {
    match argument {
        ModeArgument::UsersOnly => AuthenticationMode::UsersOnly,
        ModeArgument::UsersAndAdministrators => AuthenticationMode::UsersAndAdministrators,
        ModeArgument::NotRequired => AuthenticationMode::NotRequired,
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
///
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
