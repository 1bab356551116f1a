//! What a phone's configuration refers to, looked up in one place.

use super::incomplete::Incomplete;
use crate::domain::catalogue::CallManagerGroup;
use crate::domain::catalogue::Catalogue;
use crate::domain::catalogue::DateTimeGroup;
use crate::domain::catalogue::DevicePool;
use crate::domain::catalogue::PhoneSecurityProfile;
use crate::domain::catalogue::SipProfile;
use crate::domain::phone::PhoneConfiguration;

/// A configuration with the catalogue that it refers to.
pub(super) struct Referred<'a> {
    configuration: &'a PhoneConfiguration,
    catalogue: &'a Catalogue,
    /// Its device pool.
    pub(super) pool: &'a DevicePool,
}

impl<'a> Referred<'a> {
    /// # Errors
    ///
    /// [`Incomplete`] without its device pool, from which the rest follows; so for every look-up
    /// here, each for its own object.
    pub(super) fn new(
        configuration: &'a PhoneConfiguration,
        catalogue: &'a Catalogue,
    ) -> Result<Self, Incomplete> {
        let pool = catalogue.device_pools.get(&configuration.device_pool);
        Ok(Self {
            configuration,
            catalogue,
            pool: pool.ok_or(Incomplete("device pool"))?,
        })
    }

    pub(super) fn date_time_group(&self) -> Result<&'a DateTimeGroup, Incomplete> {
        let groups = &self.catalogue.date_time_groups;
        let group = groups.get(&self.pool.date_time_group);
        group.ok_or(Incomplete("date/time group"))
    }

    pub(super) fn call_manager_group(&self) -> Result<&'a CallManagerGroup, Incomplete> {
        let groups = &self.catalogue.call_manager_groups;
        let group = groups.get(&self.pool.call_manager_group);
        group.ok_or(Incomplete("CallManager group"))
    }

    pub(super) fn security_profile(&self) -> Result<&'a PhoneSecurityProfile, Incomplete> {
        let profiles = &self.catalogue.phone_security_profiles;
        let profile = profiles.get(&self.configuration.phone_security_profile);
        profile.ok_or(Incomplete("phone security profile"))
    }

    pub(super) fn sip_profile(&self) -> Result<&'a SipProfile, Incomplete> {
        let profiles = &self.catalogue.sip_profiles;
        let profile = profiles.get(&self.configuration.sip_profile);
        profile.ok_or(Incomplete("SIP profile"))
    }
}
