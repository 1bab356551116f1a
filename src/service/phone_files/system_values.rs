//! What phones' files say of the whole installation, put together once and again when it changes.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwapOption;

use crate::domain::call_target::CallTarget;
use crate::domain::config_file::assemble::AuthenticationUrls;
use crate::domain::config_file::assemble::OwnNode;
use crate::domain::config_file::assemble::PbxRegistrar;
use crate::domain::config_file::assemble::SystemValues;
use crate::domain::config_file::idle_url::SelfProvisionDoors;
use crate::domain::config_file::text::InvalidPhoneUrl;
use crate::domain::self_provisioning::AuthenticationMode;
use crate::service::App;

/// What files need to know of the installation, as it was last put together.
#[derive(Debug, Default)]
pub struct KnownSystemValues(ArcSwapOption<SystemValues>);

/// What files need to know of the installation. Settings stay as they are while the service runs,
/// so the same is used again until the mode or the trust of phones changes.
pub(super) fn system_values(app: &App) -> Result<Arc<SystemValues>, InvalidPhoneUrl> {
    let mode = app.self_provisioning.load().mode;
    let phones_trust_https = app.settings.phones.trust_our_certificate
        || crate::service::trust_list::phones_trust_https(app);
    let is_so = |known: &SystemValues| {
        known.doors.phones_trust_https == phones_trust_https
            && known.self_provisioning_secure_mode == mode.asks_for_pin()
            && known.admin_provision_mode == (mode == AuthenticationMode::UsersAndAdministrators)
    };
    if let Some(known) = app.system_values.0.load().as_ref().filter(|one| is_so(one)) {
        return Ok(Arc::clone(known));
    }
    let values = Arc::new(put_together(app, mode, phones_trust_https)?);
    app.system_values.0.store(Some(Arc::clone(&values)));
    Ok(values)
}

fn put_together(
    app: &App,
    mode: AuthenticationMode,
    phones_trust_https: bool,
) -> Result<SystemValues, InvalidPhoneUrl> {
    let advertised = &app.settings.advertised;
    let plain = advertised.http_phones_base();
    let calls = &app.settings.calls;
    let doors = SelfProvisionDoors {
        https: advertised.https_base().parse()?,
        plain: plain.map(|base| base.parse()).transpose()?,
        phones_trust_https,
    };
    Ok(SystemValues {
        advertised_address: advertised.host.clone(),
        own_node: OwnNode {
            pkid: app.node.pkid,
            sip_port: advertised.sip_port,
            sip_secure_port: advertised.sip_secure_port,
        },
        tvs_port: advertised.tvs_port,
        pbx: calls
            .pbx
            .as_ref()
            .filter(|_| calls.pbx_register_there)
            .map(pbx_registrar),
        authentication: AuthenticationUrls::at(&doors),
        doors,
        service_urls: HashMap::new(),
        time_zone: app.settings.phones.time_zone.clone(),
        idle_timer_s: 0,
        self_provisioning_secure_mode: mode.asks_for_pin(),
        admin_provision_mode: mode == AuthenticationMode::UsersAndAdministrators,
    })
}

fn pbx_registrar(target: &CallTarget) -> PbxRegistrar {
    PbxRegistrar {
        host: target.host().to_owned(),
        port: target.port(),
    }
}
