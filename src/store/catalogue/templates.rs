//! Tables `universal_device_template` and `universal_line_template`.

use std::collections::HashMap;

use sqlx::any::AnyRow;

use super::super::Connection;
use super::super::StoreError;
use super::super::row::Columns;
use super::super::row::one_row;
use crate::domain::catalogue::Identity;
use crate::domain::catalogue::UniversalDeviceTemplate;
use crate::domain::catalogue::UniversalLineTemplate;
use crate::domain::phone::PhoneConfiguration;
use crate::domain::pkid::Pkid;

fn configuration_of(row: &AnyRow) -> Result<PhoneConfiguration, StoreError> {
    Ok(PhoneConfiguration {
        device_pool: row.pkid("universal_device_template.device_pool")?,
        phone_security_profile: row.pkid("universal_device_template.phone_security_profile")?,
        sip_profile: row.pkid("universal_device_template.sip_profile")?,
        phone_button_template: row.pkid("universal_device_template.phone_button_template")?,
        softkey_template: row.pkid_or_null("universal_device_template.softkey_template")?,
        common_phone_profile: row.pkid("universal_device_template.common_phone_profile")?,
        location: row.pkid("universal_device_template.location")?,
        calling_search_space: row.pkid_or_null("universal_device_template.calling_search_space")?,
        user_locale: row.text("universal_device_template.user_locale")?,
        network_locale: row.text("universal_device_template.network_locale")?,
        // A template names no firmware: it is for every model.
        load_information: String::new(),
        idle_timer_s: row.integer_or_null("universal_device_template.idle_timer_s")?,
        services_provisioning: row.text("universal_device_template.services_provisioning")?,
        service_urls: Vec::new(),
    })
}

fn universal_device_template_of(row: &AnyRow) -> Result<UniversalDeviceTemplate, StoreError> {
    Ok(UniversalDeviceTemplate {
        identity: Identity {
            pkid: row.pkid("universal_device_template.pkid")?,
            name: row.text("universal_device_template.name")?,
            version: row.number("universal_device_template.version")?,
        },
        device_description: row.text("universal_device_template.device_description")?,
        configuration: configuration_of(row)?,
        line_label: row.text("universal_device_template.line_label")?,
        display_caller_id: row.text("universal_device_template.display_caller_id")?,
        external_phone_number: row.text("universal_device_template.external_phone_number")?,
        max_number_of_calls: row.integer("universal_device_template.max_number_of_calls")?,
        busy_trigger: row.integer("universal_device_template.busy_trigger")?,
    })
}

pub(super) async fn universal_device_templates(
    connection: &mut Connection,
) -> Result<HashMap<Pkid, UniversalDeviceTemplate>, StoreError> {
    let rows = sqlx::query("SELECT * FROM universal_device_template")
        .fetch_all(&mut *connection)
        .await?;
    let mut templates = HashMap::with_capacity(rows.len());
    for row in &rows {
        let template = universal_device_template_of(row)?;
        templates.insert(template.identity.pkid, template);
    }
    let urls = sqlx::query(
        "SELECT service_url.owner, service_url.name, service_url.url FROM service_url \
         JOIN universal_device_template ON universal_device_template.pkid = service_url.owner \
         ORDER BY service_url.owner, service_url.name",
    )
    .fetch_all(connection)
    .await?;
    for row in &urls {
        if let Some(template) = templates.get_mut(&row.pkid("service_url.owner")?) {
            let url = super::service_url_of(row)?;
            template.configuration.service_urls.push(url);
        }
    }
    Ok(templates)
}

/// Binds the columns that both statements write, in their order from `$1` to `$20`.
macro_rules! bind_universal_device_template {
    ($query:expr, $template:expr) => {{
        let configuration = &$template.configuration;
        $query
            .bind($template.identity.pkid.to_string())
            .bind($template.identity.name.as_str())
            .bind($template.device_description.as_str())
            .bind(configuration.device_pool.to_string())
            .bind(configuration.phone_security_profile.to_string())
            .bind(configuration.sip_profile.to_string())
            .bind(configuration.phone_button_template.to_string())
            .bind(configuration.softkey_template.map(|pkid| pkid.to_string()))
            .bind(configuration.common_phone_profile.to_string())
            .bind(configuration.location.to_string())
            .bind(
                configuration
                    .calling_search_space
                    .map(|pkid| pkid.to_string()),
            )
            .bind(configuration.user_locale.as_str())
            .bind(configuration.network_locale.as_str())
            .bind(configuration.idle_timer_s.map(i64::from))
            .bind(configuration.services_provisioning.as_str())
            .bind($template.line_label.as_str())
            .bind($template.display_caller_id.as_str())
            .bind($template.external_phone_number.as_str())
            .bind(i64::from($template.max_number_of_calls))
            .bind(i64::from($template.busy_trigger))
            .bind($template.identity.version)
    }};
}

/// Adds a Universal Device Template with its service URLs.
///
/// # Errors
///
/// [`StoreError::Duplicate`] when the name exists, [`StoreError::InUse`] when it refers to
/// something that does not; so for every `insert` and `update` here.
pub async fn insert_universal_device_template(
    connection: &mut Connection,
    template: &UniversalDeviceTemplate,
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "INSERT INTO universal_device_template (pkid, name, device_description, device_pool, \
         phone_security_profile, sip_profile, phone_button_template, softkey_template, \
         common_phone_profile, location, calling_search_space, user_locale, network_locale, \
         idle_timer_s, services_provisioning, line_label, display_caller_id, \
         external_phone_number, max_number_of_calls, busy_trigger, version) VALUES ($1, $2, $3, \
         $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)",
    );
    bind_universal_device_template!(query, template)
        .execute(&mut *connection)
        .await?;
    let owner = template.identity.pkid.to_string();
    super::insert_service_urls(connection, &owner, &template.configuration.service_urls).await
}

/// Replaces a Universal Device Template and raises its version.
///
/// # Errors
///
/// [`StoreError::Conflict`] when its version is not the one given.
pub async fn update_universal_device_template(
    connection: &mut Connection,
    template: &UniversalDeviceTemplate,
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "UPDATE universal_device_template SET name = $2, device_description = $3, \
         device_pool = $4, phone_security_profile = $5, sip_profile = $6, \
         phone_button_template = $7, softkey_template = $8, common_phone_profile = $9, \
         location = $10, calling_search_space = $11, user_locale = $12, network_locale = $13, \
         idle_timer_s = $14, services_provisioning = $15, line_label = $16, \
         display_caller_id = $17, external_phone_number = $18, max_number_of_calls = $19, \
         busy_trigger = $20, version = version + 1 WHERE pkid = $1 AND version = $21",
    );
    let updated = bind_universal_device_template!(query, template)
        .execute(&mut *connection)
        .await?;
    one_row(&updated, "Universal Device Template")?;
    let owner = template.identity.pkid.to_string();
    sqlx::query("DELETE FROM service_url WHERE owner = $1")
        .bind(owner.as_str())
        .execute(&mut *connection)
        .await?;
    super::insert_service_urls(connection, &owner, &template.configuration.service_urls).await
}

/// Removes a Universal Device Template with what is kept under its identity.
///
/// # Errors
///
/// [`StoreError::InUse`] when a profile or node refers to it, [`StoreError::Conflict`] when its
/// version is not the one given.
pub async fn delete_universal_device_template(
    connection: &mut Connection,
    pkid: Pkid,
    version: i64,
) -> Result<(), StoreError> {
    let owner = pkid.to_string();
    let deleted =
        sqlx::query("DELETE FROM universal_device_template WHERE pkid = $1 AND version = $2")
            .bind(owner.as_str())
            .bind(version)
            .execute(&mut *connection)
            .await?;
    one_row(&deleted, "Universal Device Template")?;
    sqlx::query("DELETE FROM service_url WHERE owner = $1")
        .bind(owner.as_str())
        .execute(&mut *connection)
        .await?;
    super::super::attribute::delete_of(connection, pkid).await
}

fn universal_line_template_of(row: &AnyRow) -> Result<UniversalLineTemplate, StoreError> {
    Ok(UniversalLineTemplate {
        identity: Identity {
            pkid: row.pkid("universal_line_template.pkid")?,
            name: row.text("universal_line_template.name")?,
            version: row.number("universal_line_template.version")?,
        },
        line_description: row.text("universal_line_template.line_description")?,
        route_partition: row.pkid("universal_line_template.route_partition")?,
        calling_search_space: row.pkid_or_null("universal_line_template.calling_search_space")?,
        voice_mail_profile: row.pkid_or_null("universal_line_template.voice_mail_profile")?,
        alerting_name: row.text("universal_line_template.alerting_name")?,
        external_call_control_profile: row
            .pkid_or_null("universal_line_template.external_call_control_profile")?,
        urgent_priority: row.flag("universal_line_template.urgent_priority")?,
        auto_answer: row.parsed("universal_line_template.auto_answer")?,
    })
}

pub(super) async fn universal_line_templates(
    connection: &mut Connection,
) -> Result<HashMap<Pkid, UniversalLineTemplate>, StoreError> {
    sqlx::query("SELECT * FROM universal_line_template")
        .fetch_all(connection)
        .await?
        .iter()
        .map(|row| {
            universal_line_template_of(row).map(|template| (template.identity.pkid, template))
        })
        .collect()
}

/// Binds the columns that both statements write, in their order from `$1` to `$11`.
macro_rules! bind_universal_line_template {
    ($query:expr, $template:expr) => {
        $query
            .bind($template.identity.pkid.to_string())
            .bind($template.identity.name.as_str())
            .bind($template.line_description.as_str())
            .bind($template.route_partition.to_string())
            .bind($template.calling_search_space.map(|pkid| pkid.to_string()))
            .bind($template.voice_mail_profile.map(|pkid| pkid.to_string()))
            .bind($template.alerting_name.as_str())
            .bind(
                $template
                    .external_call_control_profile
                    .map(|pkid| pkid.to_string()),
            )
            .bind(i64::from($template.urgent_priority))
            .bind($template.auto_answer.as_str())
            .bind($template.identity.version)
    };
}

/// Adds a Universal Line Template.
///
/// # Errors
///
/// [`StoreError`] as [`insert_universal_device_template`].
pub async fn insert_universal_line_template(
    connection: &mut Connection,
    template: &UniversalLineTemplate,
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "INSERT INTO universal_line_template (pkid, name, line_description, route_partition, \
         calling_search_space, voice_mail_profile, alerting_name, external_call_control_profile, \
         urgent_priority, auto_answer, version) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    );
    bind_universal_line_template!(query, template)
        .execute(connection)
        .await?;
    Ok(())
}

/// Replaces a Universal Line Template and raises its version.
///
/// # Errors
///
/// [`StoreError`] as [`update_universal_device_template`].
pub async fn update_universal_line_template(
    connection: &mut Connection,
    template: &UniversalLineTemplate,
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "UPDATE universal_line_template SET name = $2, line_description = $3, \
         route_partition = $4, calling_search_space = $5, voice_mail_profile = $6, \
         alerting_name = $7, external_call_control_profile = $8, urgent_priority = $9, \
         auto_answer = $10, version = version + 1 WHERE pkid = $1 AND version = $11",
    );
    let updated = bind_universal_line_template!(query, template)
        .execute(connection)
        .await?;
    one_row(&updated, "Universal Line Template")
}

/// Removes a Universal Line Template with what is kept under its identity.
///
/// # Errors
///
/// [`StoreError`] as [`delete_universal_device_template`].
pub async fn delete_universal_line_template(
    connection: &mut Connection,
    pkid: Pkid,
    version: i64,
) -> Result<(), StoreError> {
    let deleted =
        sqlx::query("DELETE FROM universal_line_template WHERE pkid = $1 AND version = $2")
            .bind(pkid.to_string())
            .bind(version)
            .execute(&mut *connection)
            .await?;
    one_row(&deleted, "Universal Line Template")?;
    super::super::attribute::delete_of(connection, pkid).await
}
