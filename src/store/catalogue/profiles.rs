//! Tables `user_profile` and `feature_group_template`.

use std::collections::HashMap;

use sqlx::any::AnyRow;

use super::super::Connection;
use super::super::StoreError;
use super::super::row::Columns;
use super::super::row::one_row;
use crate::domain::catalogue::FeatureGroupTemplate;
use crate::domain::catalogue::Identity;
use crate::domain::catalogue::UserProfile;
use crate::domain::pkid::Pkid;

fn user_profile_of(row: &AnyRow) -> Result<UserProfile, StoreError> {
    Ok(UserProfile {
        identity: Identity {
            pkid: row.pkid("user_profile.pkid")?,
            name: row.text("user_profile.name")?,
            version: row.number("user_profile.version")?,
        },
        description: row.text("user_profile.description")?,
        desk_phones: row.pkid_or_null("user_profile.desk_phones")?,
        mobile_devices: row.pkid_or_null("user_profile.mobile_devices")?,
        profile: row.pkid_or_null("user_profile.profile")?,
        universal_line_template: row.pkid_or_null("user_profile.universal_line_template")?,
        allow_provision: row.flag("user_profile.allow_provision")?,
        limit_provision: row.integer("user_profile.limit_provision")?,
        allow_phone_reassign: row.flag("user_profile.allow_phone_reassign")?,
        is_default: row.flag("user_profile.is_default")?,
    })
}

pub(super) async fn user_profiles(
    connection: &mut Connection,
) -> Result<HashMap<Pkid, UserProfile>, StoreError> {
    sqlx::query("SELECT * FROM user_profile")
        .fetch_all(connection)
        .await?
        .iter()
        .map(|row| user_profile_of(row).map(|profile| (profile.identity.pkid, profile)))
        .collect()
}

/// Binds the columns that both statements write, in their order from `$1` to `$12`.
macro_rules! bind_user_profile {
    ($query:expr, $profile:expr) => {
        $query
            .bind($profile.identity.pkid.to_string())
            .bind($profile.identity.name.as_str())
            .bind($profile.description.as_str())
            .bind($profile.desk_phones.map(|pkid| pkid.to_string()))
            .bind($profile.mobile_devices.map(|pkid| pkid.to_string()))
            .bind($profile.profile.map(|pkid| pkid.to_string()))
            .bind(
                $profile
                    .universal_line_template
                    .map(|pkid| pkid.to_string()),
            )
            .bind(i64::from($profile.allow_provision))
            .bind(i64::from($profile.limit_provision))
            .bind(i64::from($profile.allow_phone_reassign))
            .bind(i64::from($profile.is_default))
            .bind($profile.identity.version)
    };
}

/// Adds a user profile.
///
/// # Errors
///
/// [`StoreError::Duplicate`] when the name exists, [`StoreError::InUse`] when it refers to
/// something that does not.
pub async fn insert_user_profile(
    connection: &mut Connection,
    profile: &UserProfile,
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "INSERT INTO user_profile (pkid, name, description, desk_phones, mobile_devices, profile, \
         universal_line_template, allow_provision, limit_provision, allow_phone_reassign, \
         is_default, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    );
    bind_user_profile!(query, profile)
        .execute(connection)
        .await?;
    Ok(())
}

/// Replaces a user profile and raises its version.
///
/// # Errors
///
/// [`StoreError::Conflict`] when its version is not the one given.
pub async fn update_user_profile(
    connection: &mut Connection,
    profile: &UserProfile,
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "UPDATE user_profile SET name = $2, description = $3, desk_phones = $4, \
         mobile_devices = $5, profile = $6, universal_line_template = $7, allow_provision = $8, \
         limit_provision = $9, allow_phone_reassign = $10, is_default = $11, \
         version = version + 1 WHERE pkid = $1 AND version = $12",
    );
    let updated = bind_user_profile!(query, profile)
        .execute(connection)
        .await?;
    one_row(&updated, "User Profile")
}

/// Takes the mark of the system default from every profile but `except`.
///
/// # Errors
///
/// [`StoreError`] when the database fails.
pub async fn clear_default_user_profile(
    connection: &mut Connection,
    except: Pkid,
) -> Result<(), StoreError> {
    // Two changes of the default follow each other: the second sees what the first has added.
    sqlx::query("UPDATE user_profile SET name = name")
        .execute(&mut *connection)
        .await?;
    sqlx::query(
        "UPDATE user_profile SET version = version + 1, is_default = 0 \
         WHERE pkid <> $1 AND is_default = 1",
    )
    .bind(except.to_string())
    .execute(connection)
    .await?;
    Ok(())
}

/// Removes a user profile with what is kept under its identity.
///
/// # Errors
///
/// [`StoreError::InUse`] when a user or feature group template has it, [`StoreError::Conflict`]
/// when its version is not the one given.
pub async fn delete_user_profile(
    connection: &mut Connection,
    pkid: Pkid,
    version: i64,
) -> Result<(), StoreError> {
    let deleted = sqlx::query("DELETE FROM user_profile WHERE pkid = $1 AND version = $2")
        .bind(pkid.to_string())
        .bind(version)
        .execute(&mut *connection)
        .await?;
    one_row(&deleted, "User Profile")?;
    super::super::attribute::delete_of(connection, pkid).await
}

fn feature_group_template_of(row: &AnyRow) -> Result<FeatureGroupTemplate, StoreError> {
    Ok(FeatureGroupTemplate {
        identity: Identity {
            pkid: row.pkid("feature_group_template.pkid")?,
            name: row.text("feature_group_template.name")?,
            version: row.number("feature_group_template.version")?,
        },
        description: row.text("feature_group_template.description")?,
        user_profile: row.pkid_or_null("feature_group_template.user_profile")?,
        service_profile: row.pkid_or_null("feature_group_template.service_profile")?,
        blf_presence_group: row.pkid_or_null("feature_group_template.blf_presence_group")?,
        user_locale: row.text("feature_group_template.user_locale")?,
    })
}

pub(super) async fn feature_group_templates(
    connection: &mut Connection,
) -> Result<HashMap<Pkid, FeatureGroupTemplate>, StoreError> {
    sqlx::query("SELECT * FROM feature_group_template")
        .fetch_all(connection)
        .await?
        .iter()
        .map(|row| {
            feature_group_template_of(row).map(|template| (template.identity.pkid, template))
        })
        .collect()
}

/// Binds the columns that both statements write, in their order from `$1` to `$8`.
macro_rules! bind_feature_group_template {
    ($query:expr, $template:expr) => {
        $query
            .bind($template.identity.pkid.to_string())
            .bind($template.identity.name.as_str())
            .bind($template.description.as_str())
            .bind($template.user_profile.map(|pkid| pkid.to_string()))
            .bind($template.service_profile.map(|pkid| pkid.to_string()))
            .bind($template.blf_presence_group.map(|pkid| pkid.to_string()))
            .bind($template.user_locale.as_str())
            .bind($template.identity.version)
    };
}

/// Adds a feature group template.
///
/// # Errors
///
/// [`StoreError`] as [`insert_user_profile`].
pub async fn insert_feature_group_template(
    connection: &mut Connection,
    template: &FeatureGroupTemplate,
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "INSERT INTO feature_group_template (pkid, name, description, user_profile, \
         service_profile, blf_presence_group, user_locale, version) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    );
    bind_feature_group_template!(query, template)
        .execute(connection)
        .await?;
    Ok(())
}

/// Replaces a feature group template and raises its version.
///
/// # Errors
///
/// [`StoreError`] as [`update_user_profile`].
pub async fn update_feature_group_template(
    connection: &mut Connection,
    template: &FeatureGroupTemplate,
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "UPDATE feature_group_template SET name = $2, description = $3, user_profile = $4, \
         service_profile = $5, blf_presence_group = $6, user_locale = $7, \
         version = version + 1 WHERE pkid = $1 AND version = $8",
    );
    let updated = bind_feature_group_template!(query, template)
        .execute(connection)
        .await?;
    one_row(&updated, "Feature Group Template")
}

/// Removes a feature group template with what is kept under its identity.
///
/// # Errors
///
/// [`StoreError`] as [`delete_user_profile`].
pub async fn delete_feature_group_template(
    connection: &mut Connection,
    pkid: Pkid,
    version: i64,
) -> Result<(), StoreError> {
    let deleted =
        sqlx::query("DELETE FROM feature_group_template WHERE pkid = $1 AND version = $2")
            .bind(pkid.to_string())
            .bind(version)
            .execute(&mut *connection)
            .await?;
    one_row(&deleted, "Feature Group Template")?;
    super::super::attribute::delete_of(connection, pkid).await
}
