//! What a row of `devicenumplanmap` does to one line of a device.

use super::writable::Verb;
use crate::domain::device::DeviceName;
use crate::domain::phone::Phone;
use crate::domain::phone::PhoneLine;
use crate::domain::pkid::Pkid;
use crate::service::App;
use crate::service::administration::AdministrationError;
use crate::service::devices::DeviceChange;
use crate::service::devices::lines::DeviceLine;
use crate::service::sql::SqlError;
use crate::service::users::Extension;
use crate::store;
use crate::store::Connection;

/// What is done to one line of a device.
#[derive(Debug)]
pub(super) struct LineEdit {
    pub(super) verb: Verb,
    pub(super) line: Pkid,
    pub(super) said: DeviceLine,
    /// Elements of AXL that say from now on what their columns say.
    pub(super) twins: Vec<&'static str>,
}

impl LineEdit {
    /// Forgets what AXL keeps for a column that says from now on what another says.
    async fn forget_twins(
        &self,
        connection: &mut Connection,
        phone: &Phone,
    ) -> Result<(), SqlError> {
        let mut lines = phone.lines.iter();
        let index = match self.verb {
            Verb::Insert => self.said.index,
            Verb::Update => lines
                .find(|line| line.line == self.line)
                .map(|line| line.index),
            Verb::Delete => None,
        };
        let Some(index) = index.filter(|_| !self.twins.is_empty()) else {
            return Ok(());
        };
        let twins = self.twins.iter();
        let paths: Vec<String> = twins
            .map(|element| format!("lines/line[{index}]/{element}"))
            .collect();
        Ok(store::attribute::delete(connection, phone.pkid, &paths).await?)
    }

    /// The change of the device, from its lines as they are in this transaction.
    pub(super) async fn change(
        &self,
        app: &App,
        connection: &mut Connection,
        name: &DeviceName,
    ) -> Result<DeviceChange, SqlError> {
        let phone = store::device::find_for_update(connection, name).await?;
        let phone = phone.ok_or(AdministrationError::Changed("device"))?;
        let catalogue = app.catalogue.load();
        let unchanged = |line: &PhoneLine| {
            let partition = catalogue.route_partitions.get(&line.route_partition);
            DeviceLine {
                index: Some(line.index),
                ..DeviceLine::new(Extension {
                    pattern: line.pattern.clone(),
                    route_partition: partition.cloned().unwrap_or_default(),
                })
            }
        };
        let has_it = phone.lines.iter().any(|line| line.line == self.line);
        if has_it == (self.verb == Verb::Insert) {
            return Err(match self.verb {
                Verb::Insert => {
                    let number = &self.said.extension.pattern;
                    SqlError::Duplicate(format!("{name} has the line {number} already"))
                }
                Verb::Update | Verb::Delete => AdministrationError::Changed("device").into(),
            });
        }
        self.forget_twins(connection, &phone).await?;
        let mut lines = Vec::with_capacity(phone.lines.len() + 1);
        for line in &phone.lines {
            match self.verb {
                Verb::Delete if line.line == self.line => {}
                Verb::Update if line.line == self.line => lines.push(DeviceLine {
                    index: Some(line.index),
                    ..self.said.clone()
                }),
                _ => lines.push(unchanged(line)),
            }
        }
        if self.verb == Verb::Insert {
            lines.push(self.said.clone());
        }
        Ok(DeviceChange {
            version: Some(phone.version),
            lines: Some(lines),
            ..DeviceChange::default()
        })
    }
}
