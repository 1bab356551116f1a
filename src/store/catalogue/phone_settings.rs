//! Tables of SIP profiles, phone security profiles and phone button templates.

use std::collections::HashMap;

use sqlx::any::AnyRow;

use super::super::Connection;
use super::super::StoreError;
use super::super::row::Columns;
use crate::domain::catalogue::PhoneButton;
use crate::domain::catalogue::PhoneButtonTemplate;
use crate::domain::catalogue::PhoneSecurityProfile;
use crate::domain::catalogue::SipProfile;
use crate::domain::pkid::Pkid;

pub(super) async fn sip_profiles(
    connection: &mut Connection,
) -> Result<HashMap<Pkid, SipProfile>, StoreError> {
    let profile_of = |row: &AnyRow| {
        let profile = SipProfile {
            name: row.text("sip_profile.name")?,
            register_expires_s: row.integer("sip_profile.register_expires_s")?,
            register_delta_s: row.integer("sip_profile.register_delta_s")?,
            keep_alive_expires_s: row.integer("sip_profile.keep_alive_expires_s")?,
            start_media_port: row.integer("sip_profile.start_media_port")?,
            stop_media_port: row.integer("sip_profile.stop_media_port")?,
        };
        Ok((row.pkid("sip_profile.pkid")?, profile))
    };
    sqlx::query("SELECT * FROM sip_profile")
        .fetch_all(connection)
        .await?
        .iter()
        .map(profile_of)
        .collect()
}

/// Adds a SIP profile.
///
/// # Errors
///
/// [`StoreError::Duplicate`] when the name exists; so for every function here.
pub async fn insert_sip_profile(
    connection: &mut Connection,
    pkid: Pkid,
    profile: &SipProfile,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO sip_profile (pkid, name, register_expires_s, register_delta_s, \
         keep_alive_expires_s, start_media_port, stop_media_port) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(pkid.to_string())
    .bind(profile.name.as_str())
    .bind(i64::from(profile.register_expires_s))
    .bind(i64::from(profile.register_delta_s))
    .bind(i64::from(profile.keep_alive_expires_s))
    .bind(i64::from(profile.start_media_port))
    .bind(i64::from(profile.stop_media_port))
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn phone_security_profiles(
    connection: &mut Connection,
) -> Result<HashMap<Pkid, PhoneSecurityProfile>, StoreError> {
    let profile_of = |row: &AnyRow| {
        let profile = PhoneSecurityProfile {
            name: row.text("phone_security_profile.name")?,
            model: row.integer_or_null("phone_security_profile.model")?,
            transport: row.text("phone_security_profile.transport")?,
            device_security_mode: row.integer("phone_security_profile.device_security_mode")?,
            digest_authentication: row.flag("phone_security_profile.digest_authentication")?,
            nonce_validity_s: row.integer("phone_security_profile.nonce_validity_s")?,
        };
        Ok((row.pkid("phone_security_profile.pkid")?, profile))
    };
    sqlx::query("SELECT * FROM phone_security_profile")
        .fetch_all(connection)
        .await?
        .iter()
        .map(profile_of)
        .collect()
}

/// Adds a phone security profile.
///
/// # Errors
///
/// [`StoreError`] as [`insert_sip_profile`].
pub async fn insert_phone_security_profile(
    connection: &mut Connection,
    pkid: Pkid,
    profile: &PhoneSecurityProfile,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO phone_security_profile (pkid, name, model, transport, device_security_mode, \
         digest_authentication, nonce_validity_s) VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(pkid.to_string())
    .bind(profile.name.as_str())
    .bind(profile.model.map(i64::from))
    .bind(profile.transport.as_str())
    .bind(i64::from(profile.device_security_mode))
    .bind(i64::from(profile.digest_authentication))
    .bind(i64::from(profile.nonce_validity_s))
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn phone_button_templates(
    connection: &mut Connection,
) -> Result<HashMap<Pkid, PhoneButtonTemplate>, StoreError> {
    let rows = sqlx::query("SELECT pkid, name, model FROM phone_button_template")
        .fetch_all(&mut *connection)
        .await?;
    let mut templates = HashMap::with_capacity(rows.len());
    for row in &rows {
        let template = PhoneButtonTemplate {
            name: row.text("phone_button_template.name")?,
            model: row.integer_or_null("phone_button_template.model")?,
            buttons: Vec::new(),
        };
        templates.insert(row.pkid("phone_button_template.pkid")?, template);
    }
    let buttons = sqlx::query("SELECT * FROM phone_button ORDER BY phone_button_template, button")
        .fetch_all(connection)
        .await?;
    for row in &buttons {
        let template = row.pkid("phone_button.phone_button_template")?;
        if let Some(template) = templates.get_mut(&template) {
            template.buttons.push(PhoneButton {
                button: row.integer("phone_button.button")?,
                feature: row.text("phone_button.feature")?,
                label: row.text("phone_button.label")?,
            });
        }
    }
    Ok(templates)
}

/// Adds a phone button template with its buttons.
///
/// # Errors
///
/// [`StoreError`] as [`insert_sip_profile`].
pub async fn insert_phone_button_template(
    connection: &mut Connection,
    pkid: Pkid,
    template: &PhoneButtonTemplate,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO phone_button_template (pkid, name, model) VALUES ($1, $2, $3)")
        .bind(pkid.to_string())
        .bind(template.name.as_str())
        .bind(template.model.map(i64::from))
        .execute(&mut *connection)
        .await?;
    for button in &template.buttons {
        sqlx::query(
            "INSERT INTO phone_button (phone_button_template, button, feature, label) \
             VALUES ($1, $2, $3, $4)",
        )
        .bind(pkid.to_string())
        .bind(i64::from(button.button))
        .bind(button.feature.as_str())
        .bind(button.label.as_str())
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}
