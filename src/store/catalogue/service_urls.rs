//! Table `service_url`: the service URLs that a template or a device sets itself.

use super::super::Connection;
use super::super::StoreError;
use super::super::row::Columns;
use crate::domain::phone::ServiceUrl;

/// The service URLs that a template or device sets itself.
///
/// # Errors
///
/// [`StoreError`] when the database fails.
pub async fn service_urls(
    connection: &mut Connection,
    owner: &str,
) -> Result<Vec<ServiceUrl>, StoreError> {
    sqlx::query("SELECT name, url FROM service_url WHERE owner = $1 ORDER BY name")
        .bind(owner)
        .fetch_all(connection)
        .await?
        .iter()
        .map(service_url_of)
        .collect()
}

pub(in crate::store) fn service_url_of(row: &sqlx::any::AnyRow) -> Result<ServiceUrl, StoreError> {
    Ok(ServiceUrl {
        name: row.text("service_url.name")?.into_boxed_str(),
        url: row.text("service_url.url")?.into_boxed_str(),
    })
}

/// Adds the service URLs of a new template or device.
///
/// # Errors
///
/// [`StoreError`] when the database fails.
pub async fn insert_service_urls(
    connection: &mut Connection,
    owner: &str,
    urls: &[ServiceUrl],
) -> Result<(), StoreError> {
    for service_url in urls {
        sqlx::query("INSERT INTO service_url (owner, name, url) VALUES ($1, $2, $3)")
            .bind(owner)
            .bind(&*service_url.name)
            .bind(&*service_url.url)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
