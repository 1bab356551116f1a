//! The commands of the program.

mod activation_code;
pub mod admin;
mod all_rows;
pub mod arguments;
pub mod auto_registration;
pub mod cert;
mod cert_file;
mod cert_verify;
pub mod control;
pub mod data_dir;
pub mod demo;
pub mod device;
pub mod device_arguments;
pub mod device_restart;
pub mod dhcp;
pub mod doctor;
pub mod error;
pub mod logging;
pub mod output;
pub mod phone;
pub mod secret_input;
pub mod serve;
pub mod service;
pub mod started_with;
pub mod system;
pub mod trace;
pub mod user;

use std::future::Future;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use arguments::{Arguments, Command, Common, ConfigArguments};
pub use error::CliError;
use output::Output;

use crate::settings::{Loaded, Sources, listing};

/// Reads the command line, does what it says, and gives the exit status.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let output = Output {
        json: arguments.common.json,
    };
    match run(arguments, output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output.remark(format!("selfprov: {error}"));
            ExitCode::from(error.exit_status())
        }
    }
}

fn run(arguments: Arguments, output: Output) -> Result<(), CliError> {
    let common = arguments.common;
    match arguments.command {
        Command::Completions { shell } => {
            let mut command = Arguments::command();
            // Into memory first: the generator does not bear a reader that closes early.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut command, "selfprov", &mut script);
            output.line(String::from_utf8_lossy(&script));
            Ok(())
        }
        Command::Config(config) => print_config(&common, &config, output),
        Command::Phone(phone) => block_on(phone::command::run(*phone, output)),
        Command::Serve(serve) => {
            let mut sources = sources(&common)?;
            if let Some(address) = serve.listen {
                let flag = ("--listen".to_owned(), "listen.address".to_owned());
                sources.flags.push((flag.0, flag.1, address.to_string()));
            }
            let loaded = Loaded::read(&sources)?;
            block_on(serve::run(&loaded, sources, output))
        }
        Command::Demo(demo) => block_on(demo::run(&demo, sources(&common)?, output)),
        Command::Doctor(doctor) => {
            let loaded = started_with::settings(sources(&common)?)?;
            block_on(doctor::run(&loaded, &doctor, output))
        }
        Command::User(user) => {
            let loaded = started_with::settings(sources(&common)?)?;
            block_on(user::run(&loaded.settings, user, output))
        }
        Command::Admin(command) => {
            let loaded = started_with::settings(sources(&common)?)?;
            block_on(admin::run(&loaded.settings, command, output))
        }
        Command::Device(device) => {
            let loaded = started_with::settings(sources(&common)?)?;
            block_on(device::run(&loaded.settings, device, output))
        }
        Command::Cert(command) => {
            let loaded = started_with::settings(sources(&common)?)?;
            block_on(cert::run(&loaded.settings, command, output))
        }
        Command::AutoRegistration(command) => {
            let loaded = started_with::settings(sources(&common)?)?;
            block_on(auto_registration::run(&loaded.settings, command, output))
        }
        Command::SelfProvisioning(command) => {
            let loaded = started_with::settings(sources(&common)?)?;
            block_on(async {
                let request = system::self_provisioning(command).await?;
                system::run(&loaded.settings, request, output).await
            })
        }
        Command::UserProfile(command) => {
            let loaded = started_with::settings(sources(&common)?)?;
            let request = system::user_profile(command);
            block_on(system::run(&loaded.settings, request, output))
        }
    }
}

fn print_config(
    common: &Common,
    arguments: &ConfigArguments,
    output: Output,
) -> Result<(), CliError> {
    if arguments.default {
        output.line(listing::example());
        return Ok(());
    }
    let loaded = started_with::settings(sources(common)?)?;
    if output.json {
        output.json_document(&listing::json(&loaded));
    } else {
        output.line(listing::text(&loaded));
    }
    Ok(())
}

/// What the command line and the environment say about settings.
fn sources(common: &Common) -> Result<Sources, CliError> {
    let mut sources = Sources {
        file: common.config.clone(),
        environment: environment(),
        flags: Vec::new(),
    };
    if let Some(data_dir) = &common.data_dir {
        let text = data_dir.display().to_string();
        sources
            .flags
            .push(("--data-dir".to_owned(), "data_dir".to_owned(), text));
    }
    for assignment in &common.set {
        sources.add_assignment(assignment)?;
    }
    Ok(sources)
}

/// The environment, without what is not UTF-8: no setting of ours is.
fn environment() -> Vec<(String, String)> {
    let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    std::env::vars_os().filter_map(text).collect()
}

/// Runs an async command to its end.
fn block_on<T>(command: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| CliError::Failed(error.to_string()))?;
    let result = runtime.block_on(command);
    // A read of standard input cannot be ended; the process ends instead.
    runtime.shutdown_background();
    result
}
