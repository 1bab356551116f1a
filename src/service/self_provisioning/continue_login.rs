//! Use case: *Continue*. What the confirm screen showed becomes true.

use super::activate;
use super::claim::Claim;
use super::provision;
use super::provision::ProvisionError;
use super::provision::Provisioned;
use super::sealed_token;
use super::sealed_token::Token;
use crate::service::App;
use crate::service::keys::Purpose;

/// Carries out what a confirm screen was shown for: after a login the phone becomes its user's, after
/// an activation code the device that the code is for. The same token gives the same answer again,
/// for the rest of its life.
///
/// # Errors
///
/// [`ProvisionError`]; then nothing has changed.
pub async fn continue_login(
    app: &App,
    claim: &Claim,
    token: &str,
) -> Result<Provisioned, ProvisionError> {
    let fingerprint = sealed_token::fingerprint(token);
    let now = app.environment.now();
    let opened = |purpose| Token::open(token, &app.keys, purpose, now);
    if let Some(token) = opened(Purpose::ConfirmToken) {
        return Box::pin(provision::provision(app, claim, &token, &fingerprint)).await;
    }
    let token = opened(Purpose::ActivationToken).ok_or(ProvisionError::StartAgain)?;
    Box::pin(activate::confirm(app, claim, &token, &fingerprint)).await
}
