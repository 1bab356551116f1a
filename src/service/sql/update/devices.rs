//! Rows of `device`.

use std::collections::HashMap;

use super::row::Finder;
use super::row::Row;
use super::step::Step;
use crate::domain::catalogue::Catalogue;
use crate::domain::catalogue::NamedObject;
use crate::domain::pkid::Pkid;
use crate::service::devices::DeviceChange;
use crate::service::devices::settings::DeviceSettings;
use crate::service::sql::SqlError;

/// A device with other settings.
pub(super) async fn changed(finder: &mut Finder<'_>, row: &Row) -> Result<Step, SqlError> {
    let device = finder.device(row, "pkid").await?;
    let owner = match row.reference("fkenduser")? {
        None => None,
        Some(None) => Some(None),
        Some(Some(_)) => {
            let owner = finder.end_user(row, "fkenduser").await?;
            Some(Some(owner.user_id.to_string()))
        }
    };
    let change = DeviceChange {
        description: row.text("description"),
        settings: settings(&finder.catalogue, row)?,
        owner,
        ..DeviceChange::default()
    };
    Ok(Step::Device {
        device,
        change: Box::new(change),
    })
}

fn settings(catalogue: &Catalogue, row: &Row) -> Result<DeviceSettings, SqlError> {
    let c = catalogue;
    let by = Names { catalogue, row };
    Ok(DeviceSettings {
        device_pool: by.required("fkdevicepool", &c.device_pools, |pool| &pool.name)?,
        phone_security_profile: by.required(
            "fksecurityprofile",
            &c.phone_security_profiles,
            |profile| &profile.name,
        )?,
        sip_profile: by.required("fksipprofile", &c.sip_profiles, |profile| &profile.name)?,
        phone_button_template: by.required(
            "fkphonetemplate",
            &c.phone_button_templates,
            |template| &template.name,
        )?,
        calling_search_space: by.optional(
            "fkcallingsearchspace",
            &c.calling_search_spaces,
            |space| &space.name,
        )?,
        softkey_template: by.small("fksoftkeytemplate", NamedObject::SOFTKEY_TEMPLATE)?,
        common_phone_profile: by
            .required_small("fkcommonphoneconfig", NamedObject::COMMON_PHONE_PROFILE)?,
        location: by.required_small("fklocation", NamedObject::LOCATION)?,
        load_information: row.text("specialloadinformation"),
        ..DeviceSettings::default()
    })
}

/// The names by which the use case knows what the columns name by identity.
struct Names<'a> {
    catalogue: &'a Catalogue,
    row: &'a Row,
}

impl Names<'_> {
    fn required<T>(
        &self,
        column: &str,
        objects: &HashMap<Pkid, T>,
        name_of: impl Fn(&T) -> &String,
    ) -> Result<Option<String>, SqlError> {
        self.row.required_reference(column)?;
        Ok(self.optional(column, objects, name_of)?.flatten())
    }

    #[expect(clippy::option_option, reason = "not said, none, or a value")]
    fn optional<T>(
        &self,
        column: &str,
        objects: &HashMap<Pkid, T>,
        name_of: impl Fn(&T) -> &String,
    ) -> Result<Option<Option<String>>, SqlError> {
        let Some(Some(pkid)) = self.row.reference(column)? else {
            return Ok(self.row.reference(column)?.map(|_| None));
        };
        let object = objects.get(&pkid);
        let object = object.ok_or_else(|| self.row.missing(column))?;
        Ok(Some(Some(name_of(object).clone())))
    }

    #[expect(clippy::option_option, reason = "not said, none, or a value")]
    fn small(&self, column: &str, kind: &str) -> Result<Option<Option<String>>, SqlError> {
        let objects = &self.catalogue.named_objects;
        if let Some(Some(pkid)) = self.row.reference(column)?
            && objects.get(&pkid).is_none_or(|object| object.kind != kind)
        {
            return Err(self.row.missing(column));
        }
        self.optional(column, objects, |object| &object.name)
    }

    fn required_small(&self, column: &str, kind: &str) -> Result<Option<String>, SqlError> {
        self.row.required_reference(column)?;
        Ok(self.small(column, kind)?.flatten())
    }
}
