//! The commands about the whole system: authentication mode, User Profiles.

use crate::domain::catalogue::UserProfile;
use crate::domain::self_provisioning::AuthenticationMode;
use crate::server::control::fault::{Fault, actor};
use crate::server::control::protocol::{Answer, ProfileChange, SecretText};
use crate::service::App;
use crate::service::self_provisioning::settings::{set_authentication_code, warnings};
use crate::service::templates::{self, Saved};

/// Shows the authentication mode and whether there is an authentication code.
pub fn self_provisioning(app: &App) -> Answer {
    let settings = app.self_provisioning.load();
    let code = match (&settings.code, settings.code_off_at) {
        (None, _) => "not set",
        (Some(_), None) => "set",
        (Some(_), Some(_)) => "off after too many failures",
    };
    let mut text = format!(
        "authentication mode: {}\nauthentication code: {code}",
        settings.mode.as_str().replace('_', "-")
    );
    for warning in warnings(&settings) {
        text.push_str("\nwarning: ");
        text.push_str(&warning);
    }
    Answer::Done(text)
}

/// Sets the authentication mode.
///
/// # Errors
///
/// The database failed.
pub async fn set_mode(app: &App, mode: AuthenticationMode) -> Result<Answer, Fault> {
    crate::service::self_provisioning::settings::set_mode(app, &actor(app), mode).await?;
    Ok(self_provisioning(app))
}

/// Sets the administrators' authentication code, or removes it.
///
/// # Errors
///
/// It does not have 8 to 20 digits, or the database failed.
pub async fn set_code(app: &App, code: Option<SecretText>) -> Result<Answer, Fault> {
    let code = code.map(|code| code.secret());
    set_authentication_code(app, &actor(app), code.as_ref(), false).await?;
    Ok(self_provisioning(app))
}

/// Lists User Profiles with what they say about self-provisioning.
pub fn user_profiles(app: &App) -> Answer {
    let catalogue = app.catalogue.load();
    let mut profiles: Vec<&UserProfile> = catalogue.user_profiles.values().collect();
    profiles.sort_by(|a, b| a.identity.name.cmp(&b.identity.name));
    let lines: Vec<String> = profiles.into_iter().map(profile_line).collect();
    Answer::Done(lines.join("\n"))
}

/// Changes what a User Profile says about self-provisioning.
///
/// # Errors
///
/// There is no such profile, the limit is above 20, or somebody else changed it meanwhile.
pub async fn user_profile_set(app: &App, change: &ProfileChange) -> Result<Answer, Fault> {
    let catalogue = app.catalogue.load_full();
    let wanted = |profile: &&UserProfile| match &change.name {
        Some(name) => profile.identity.name == *name,
        None => profile.is_default,
    };
    let found = catalogue.user_profiles.values().find(wanted);
    let Some(mut profile) = found.cloned() else {
        let text = "there is no such User Profile; selfprov user-profile list names them";
        return Err(Fault::new(text));
    };
    profile.allow_provision = change.allow.unwrap_or(profile.allow_provision);
    profile.limit_provision = change.limit.unwrap_or(profile.limit_provision);
    let saved = templates::save(app, &actor(app), &profile, None).await?;
    Ok(Answer::Done(with_warnings(profile_line(&profile), &saved)))
}

fn profile_line(profile: &UserProfile) -> String {
    let default = if profile.is_default {
        " (system default)"
    } else {
        ""
    };
    let may = if profile.allow_provision {
        format!(
            "users may provision up to {} phones",
            profile.limit_provision
        )
    } else {
        "users may not provision their own phone".to_owned()
    };
    format!("{}{default}: {may}", profile.identity.name)
}

fn with_warnings(mut text: String, saved: &Saved) -> String {
    for warning in &saved.warnings {
        text.push_str("\nwarning: ");
        text.push_str(warning);
    }
    text
}
