//! `selfprov admin`: application users, that is administrators and programs.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::CliError;
use super::control;
use super::output::{Output, columns};
use super::secret_input;
use crate::server::control::protocol::{
    AdministratorRequest, AdministratorView, Answer, Request, SecretText,
};
use crate::settings::Settings;

/// How a command gets a password.
#[derive(Debug, Args)]
pub struct PasswordArguments {
    /// File whose first line is the password; - reads standard input
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// Makes a password and prints it once
    #[arg(long, conflicts_with = "password_file")]
    pub generate: bool,
    /// It must be changed before it opens an API; programs cannot do that
    #[arg(long)]
    pub must_change: bool,
}

impl PasswordArguments {
    /// The password from a file or typed unseen; `None` when one is to be made.
    ///
    /// # Errors
    ///
    /// Nothing or too much was entered.
    pub(super) async fn ask(&self, user: &str) -> Result<Option<SecretText>, CliError> {
        let password = match &self.password_file {
            _ if self.generate => return Ok(None),
            Some(path) => secret_input::from_file(path)?,
            None => secret_input::ask_new(&format!("New password of {user}")).await?,
        };
        Ok(Some(SecretText::new(&password)))
    }
}

/// The commands about application users.
#[derive(Debug, Subcommand)]
pub enum AdminCommand {
    /// Adds an administrator, or a program that uses AXL
    #[command(after_help = "\
Asks for the password without showing it; --generate makes one and prints it once.

Examples:
  selfprov admin add kim
  selfprov admin add provisioner --group 'Standard AXL API Access' --generate
  selfprov admin add auditor --group 'Standard AXL Read Only API Access' --password-file -")]
    Add {
        /// User ID
        user: String,
        /// Access control group; may be repeated
        #[arg(
            long = "group",
            value_name = "NAME",
            default_value = crate::domain::fresh_system::STANDARD_CCM_SUPER_USERS
        )]
        groups: Vec<String>,
        /// Where the password comes from.
        #[command(flatten)]
        password: PasswordArguments,
    },
    /// Sets a password; the account is enabled and its lock ends
    #[command(after_help = "\
Asks for the password without showing it; --generate makes one and prints it once. The one-time
password of the first start opens no API until it has been changed by this.

Examples:
  selfprov admin set-password admin
  selfprov admin set-password provisioner --generate")]
    SetPassword {
        /// User ID
        user: String,
        /// Where the password comes from.
        #[command(flatten)]
        password: PasswordArguments,
    },
    /// Lists application users with their access control groups
    #[command(after_help = "\
What keeps an account from logging in (disabled, locked, no password, one that must be changed),
set-password mends.

Example:
  selfprov admin list")]
    List,
}

/// Does what the command says.
///
/// # Errors
///
/// It was refused; the text says why.
pub async fn run(
    settings: &Settings,
    command: AdminCommand,
    output: Output,
) -> Result<(), CliError> {
    let request = match command {
        AdminCommand::Add {
            user,
            groups,
            password,
        } => AdministratorRequest::Add {
            password: password.ask(&user).await?,
            must_change: password.must_change,
            user_id: user,
            groups,
        },
        AdminCommand::SetPassword { user, password } => AdministratorRequest::SetPassword {
            password: password.ask(&user).await?,
            must_change: password.must_change,
            user_id: user,
        },
        AdminCommand::List => AdministratorRequest::List,
    };
    let answer = control::ask(settings, &Request::Administrator(request)).await?;
    if output.json {
        output.json_document(&answer);
    } else {
        match answer {
            Answer::Administrators(administrators) => output.line(table(&administrators)),
            Answer::PasswordSet { user_id, password } => {
                output.line(password_set(&user_id, password.as_ref()));
            }
            _ => {}
        }
    }
    Ok(())
}

/// That a password was set, with the password where it was made.
pub(super) fn password_set(user_id: &str, made: Option<&SecretText>) -> String {
    match made {
        Some(password) => format!(
            "password of {user_id}: {} (shown only now)",
            password.secret().reveal()
        ),
        None => format!("the password of {user_id} is set"),
    }
}

fn table(administrators: &[AdministratorView]) -> String {
    let row =
        |one: &AdministratorView| vec![one.user_id.clone(), one.groups.join(", "), state(one)];
    let rows: Vec<Vec<String>> = administrators.iter().map(row).collect();
    columns(&["USER", "GROUPS", "STATE"], &rows)
}

/// Whether the account opens an API, and what keeps it from that; `set-password` mends each.
fn state(one: &AdministratorView) -> String {
    let until = one.locked_until.as_deref();
    let mut reasons = Vec::new();
    if !one.enabled {
        reasons.push("disabled".to_owned());
    }
    if !one.has_password {
        reasons.push("has no password".to_owned());
    }
    if one.locked {
        let until = until.unwrap_or("a password is set for it");
        reasons.push(format!("locked until {until}"));
    }
    if one.must_change_password {
        reasons.push("password must be changed: it opens no API".to_owned());
    }
    if reasons.is_empty() {
        return "enabled".to_owned();
    }
    reasons.join("; ")
}
