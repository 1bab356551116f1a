//! `SEP<MAC>.cnf.xml` in the element order of a real CUCM.
//!
//! The root stands without the `xsi:type` that CUCM writes: its prefix is bound nowhere, phones do
//! not look at it, and every XML tool of an administrator would refuse the file.
//! Left out for good: `sshUserId`, `sshPassword`, `phonePassword`, `userId`, `ownerId`.

use std::sync::LazyLock;

use super::xml::Fixed;
use super::xml::Xml;
use crate::domain::config_file::CallManagers;
use crate::domain::config_file::DateTimeSetting;
use crate::domain::config_file::DeviceFile;
use crate::domain::config_file::FileLine;
use crate::domain::config_file::ServiceUrls;
use crate::domain::config_file::SipSettings;
use crate::domain::config_file::TrustVerificationMember;
use crate::domain::config_file::idle_url::IdleUrl;
use crate::domain::config_file::text::PhoneUrl;

/// A usual length of a file, so that writing it allocates once.
const CAPACITY_BYTES: usize = 12 * 1024;

/// What stands in place of a proxy so that the CallManager group counts.
const USE_CALL_MANAGER: &str = "USECALLMANAGER";

/// Writes the file.
pub(super) fn write(file: &DeviceFile) -> String {
    let mut xml = Xml::document(CAPACITY_BYTES);
    let uuid = file.pkid.map(|pkid| pkid.in_braces());
    let ctiid = file.ctiid.map(|ctiid| ctiid.to_string());
    let attributes = [("ctiid", ctiid.as_deref()), ("uuid", uuid.as_deref())];
    let attributes: Vec<_> = attributes
        .iter()
        .filter_map(|(name, value)| Some((*name, (*value)?)))
        .collect();
    xml.nest_with("device", &attributes, |xml| {
        xml.flag("fullConfig", true);
        xml.text("deviceProtocol", "SIP");
        xml.number("ipAddressMode", 0_u8);
        xml.flag("allowAutoConfig", true);
        device_pool(xml, file);
        trust_verification(xml, &file.trust_verification);
        sip_profile(xml, &file.sip_profile, &file.lines);
        xml.text("MissedCallLoggingOption", &"1".repeat(file.lines.len()));
        xml.text("featurePolicyFile", "featurepolicy.xml");
        xml.fixed(&COMMON_PROFILE);
        xml.text("loadInformation", &file.load_information);
        xml.fixed(&VENDOR_CONFIG);
        xml.text("versionStamp", &file.version_stamp.in_braces());
        locales(xml, file);
        xml.number("deviceSecurityMode", file.security_mode as u8);
        xml.number("idleTimeout", file.urls.idle_timeout_s);
        service_urls(xml, &file.urls);
        xml.fixed(&DSCP);
        xml.number("transportLayerProtocol", file.transport as u8);
        xml.fixed(&AFTER_TRANSPORT);
        xml.nest_with("phoneServices", &[("useHTTPS", "false")], |xml| {
            xml.number("provisioning", file.services_provisioning as u8);
        });
    });
    xml.finish()
}

fn device_pool(xml: &mut Xml, file: &DeviceFile) {
    xml.nest("devicePool", |xml| {
        xml.text("name", &file.device_pool);
        date_time_setting(xml, &file.date_time);
        call_manager_group(xml, &file.call_managers);
        xml.fixed(&SRST_INFO);
    });
}

static SRST_INFO: LazyLock<Fixed> = LazyLock::new(|| {
    Fixed::at(2, |xml| {
        xml.nest("srstInfo", |xml| {
            xml.text("name", "Disable");
            xml.text("srstOption", "Disable");
            xml.flag("userModifiable", false);
            xml.flag("isSecure", false);
        });
        xml.number("connectionMonitorDuration", 120_u8);
    })
});

fn date_time_setting(xml: &mut Xml, setting: &DateTimeSetting) {
    xml.nest("dateTimeSetting", |xml| {
        xml.text("name", &setting.name);
        xml.text("dateTemplate", &setting.date_template);
        if let Some(zone) = setting.cisco_time_zone {
            xml.text("timeZone", zone);
        }
        xml.text("olsonTimeZone", &setting.olson_time_zone);
        xml.nest("ntps", |xml| {
            for server in &setting.ntp_servers {
                xml.nest("ntp", |xml| {
                    xml.text("name", server);
                    xml.text("ntpMode", "Unicast");
                });
            }
        });
    });
}

/// The group, also for `XMLDefault.cnf.xml`. The ports stand before `processNodeName`: a phone
/// that meets the name first takes its default ports.
pub(super) fn call_manager_group(xml: &mut Xml, call_managers: &CallManagers) {
    xml.nest("callManagerGroup", |xml| {
        xml.text("name", call_managers.group());
        xml.flag("tftpDefault", true);
        xml.nest("members", |xml| {
            for (priority, member) in call_managers.members().iter().enumerate() {
                let priority = priority.to_string();
                xml.nest_with("member", &[("priority", &priority)], |xml| {
                    xml.nest("callManager", |xml| {
                        xml.text("name", &member.name);
                        xml.text("description", &member.description);
                        xml.nest("ports", |xml| {
                            xml.number("ethernetPhonePort", member.ethernet_phone_port);
                            xml.number("sipPort", member.sip_port);
                            xml.number("securedSipPort", member.secured_sip_port);
                        });
                        xml.text("processNodeName", &member.process_node_name);
                    });
                });
            }
        });
    });
}

/// Where to ask about certificates, also for `XMLDefault.cnf.xml`; nothing while TVS is off.
pub(super) fn trust_verification(xml: &mut Xml, members: &[TrustVerificationMember]) {
    if members.is_empty() {
        return;
    }
    xml.nest("TVS", |xml| {
        xml.nest("members", |xml| {
            for (priority, member) in members.iter().enumerate() {
                let priority = priority.to_string();
                xml.nest_with("member", &[("priority", &priority)], |xml| {
                    xml.number("port", member.port);
                    xml.text("address", &member.address);
                });
            }
        });
    });
}

fn sip_profile(xml: &mut Xml, sip: &SipSettings, lines: &[FileLine]) {
    xml.nest("sipProfile", |xml| {
        xml.fixed(&PROXIES_AND_FEATURES);
        sip_stack(xml, sip);
        xml.fixed(&BEFORE_PHONE_LABEL);
        xml.text(
            "phoneLabel",
            lines.first().map_or("", |line| line.label.as_str()),
        );
        xml.fixed(&AFTER_PHONE_LABEL);
        xml.number("startMediaPort", sip.start_media_port);
        xml.number("stopMediaPort", sip.stop_media_port);
        xml.nest("sipLines", |xml| {
            for each in lines {
                line(xml, each);
            }
        });
        xml.fixed(&AFTER_LINES);
    });
}

static PROXIES_AND_FEATURES: LazyLock<Fixed> = LazyLock::new(|| {
    Fixed::at(2, |xml| {
        sip_proxies(xml);
        sip_call_features(xml);
    })
});

static BEFORE_PHONE_LABEL: LazyLock<Fixed> = LazyLock::new(|| {
    Fixed::at(2, |xml| {
        xml.number("autoAnswerTimer", 1_u8);
        xml.flag("autoAnswerAltBehavior", false);
        xml.flag("autoAnswerOverride", true);
        xml.flag("transferOnhookEnabled", false);
        xml.flag("enableVad", false);
        xml.text("preferredCodec", "none");
        xml.number("dtmfAvtPayload", 101_u8);
        xml.number("dtmfDbLevel", 3_u8);
        xml.text("dtmfOutofBand", "avt");
        xml.number("kpml", 3_u8);
    })
});

static AFTER_PHONE_LABEL: LazyLock<Fixed> = LazyLock::new(|| {
    Fixed::at(2, |xml| {
        xml.number("stutterMsgWaiting", 2_u8);
        xml.flag("callStats", true);
        xml.number("silentPeriodBetweenCallWaitingBursts", 10_u8);
        xml.flag("disableLocalSpeedDialConfig", true);
    })
});

static AFTER_LINES: LazyLock<Fixed> = LazyLock::new(|| {
    Fixed::at(2, |xml| {
        xml.number("voipControlPort", 5060_u16);
        xml.number("dscpForAudio", 184_u8);
        xml.number("ringSettingBusyStationPolicy", 0_u8);
        xml.text("dialTemplate", "dialplan.xml");
        xml.text("softKeyFile", "softkeys.xml");
    })
});

fn sip_proxies(xml: &mut Xml) {
    xml.nest("sipProxies", |xml| {
        for (proxy, port) in [
            ("backupProxy", "backupProxyPort"),
            ("emergencyProxy", "emergencyProxyPort"),
            ("outboundProxy", "outboundProxyPort"),
        ] {
            xml.text(proxy, USE_CALL_MANAGER);
            xml.number(port, 5060_u16);
        }
        xml.flag("registerWithProxy", true);
    });
}

fn sip_call_features(xml: &mut Xml) {
    xml.nest("sipCallFeatures", |xml| {
        xml.flag("cnfJoinEnabled", true);
        for (element, service) in [
            ("callForwardURI", "cfwdall"),
            ("callPickupURI", "pickup"),
            ("callPickupListURI", "opickup"),
            ("callPickupGroupURI", "gpickup"),
            ("meetMeServiceURI", "meetme"),
            ("abbreviatedDialURI", "abbrdial"),
        ] {
            xml.text(element, &format!("x-cisco-serviceuri-{service}"));
        }
        xml.flag("rfc2543Hold", false);
        xml.number("callHoldRingback", 1_u8);
        xml.flag("localCfwdEnable", true);
        xml.flag("semiAttendedTransfer", true);
        xml.number("anonymousCallBlock", 2_u8);
        xml.number("callerIdBlocking", 2_u8);
        xml.number("dndControl", 2_u8);
        xml.flag("remoteCcEnable", true);
        xml.flag("retainForwardInformation", false);
    });
}

fn sip_stack(xml: &mut Xml, sip: &SipSettings) {
    xml.nest("sipStack", |xml| {
        xml.fixed(&STACK_BEFORE_TIMERS);
        xml.number("timerRegisterExpires", sip.register_expires_s);
        xml.number("timerRegisterDelta", sip.register_delta_s);
        xml.number("timerKeepAliveExpires", sip.keep_alive_expires_s);
        xml.fixed(&STACK_AFTER_TIMERS);
    });
}

static STACK_BEFORE_TIMERS: LazyLock<Fixed> = LazyLock::new(|| {
    Fixed::at(3, |xml| {
        xml.number("sipInviteRetx", 6_u8);
        xml.number("sipRetx", 10_u8);
        xml.number("timerInviteExpires", 180_u8);
    })
});

static STACK_AFTER_TIMERS: LazyLock<Fixed> = LazyLock::new(|| {
    Fixed::at(3, |xml| {
        xml.number("timerSubscribeExpires", 120_u8);
        xml.number("timerSubscribeDelta", 5_u8);
        xml.number("timerT1", 500_u16);
        xml.number("timerT2", 4000_u16);
        xml.number("maxRedirects", 70_u8);
        xml.flag("remotePartyID", true);
        xml.text("userInfo", "None");
    })
});

fn line(xml: &mut Xml, line: &FileLine) {
    let (button, index) = (line.button.to_string(), line.index.to_string());
    xml.nest_with(
        "line",
        &[("button", &button), ("lineIndex", &index)],
        |xml| {
            xml.number("featureID", 9_u8);
            xml.text("featureLabel", line.label.as_str());
            xml.text("proxy", USE_CALL_MANAGER);
            xml.number("port", 5060_u16);
            xml.text("name", line.name.as_str());
            xml.text("displayName", line.display_name.as_str());
            xml.nest("autoAnswer", |xml| {
                xml.number("autoAnswerEnabled", if line.auto_answer { 3_u8 } else { 0 });
            });
            xml.number("callWaiting", 3_u8);
            let (name, password) = line.digest.as_ref().map_or(("", ""), |digest| {
                (digest.user_name.as_str(), digest.secret.reveal())
            });
            xml.text("authName", name);
            xml.text("authPassword", password);
            xml.fixed(&LINE_AFTER_SECRET);
            xml.text("contact", &line.contact);
            xml.fixed(&LINE_AFTER_CONTACT);
            xml.number("maxNumCalls", line.max_number_of_calls);
            xml.number("busyTrigger", line.busy_trigger);
        },
    );
}

static LINE_AFTER_SECRET: LazyLock<Fixed> = LazyLock::new(|| {
    Fixed::at(4, |xml| {
        xml.flag("sharedLine", false);
        xml.number("messageWaitingLampPolicy", 3_u8);
        xml.text("messagesNumber", "");
        xml.number("ringSettingIdle", 4_u8);
        xml.number("ringSettingActive", 5_u8);
    })
});

static LINE_AFTER_CONTACT: LazyLock<Fixed> = LazyLock::new(|| {
    Fixed::at(4, |xml| {
        xml.nest("forwardCallInfoDisplay", |xml| {
            xml.flag("callerName", true);
            xml.flag("callerNumber", false);
            xml.flag("redirectedNumber", false);
            xml.flag("dialedNumber", true);
        });
    })
});

static COMMON_PROFILE: LazyLock<Fixed> = LazyLock::new(|| {
    Fixed::at(1, |xml| {
        xml.nest("commonProfile", |xml| {
            xml.flag("backgroundImageAccess", true);
            xml.number("callLogBlfEnabled", 0_u8);
        });
    })
});

/// The phone's own web server and SSH stay off (1 means disabled for both): they tell everybody
/// the names and addresses that a sweep needs.
static VENDOR_CONFIG: LazyLock<Fixed> = LazyLock::new(|| {
    Fixed::at(1, |xml| {
        xml.nest("vendorConfig", |xml| {
            xml.number("settingsAccess", 1_u8);
            xml.number("webAccess", 1_u8);
            xml.number("sshAccess", 1_u8);
        });
    })
});

fn locales(xml: &mut Xml, file: &DeviceFile) {
    if let Some(locale) = file.user_locale {
        xml.nest("userLocale", |xml| {
            xml.text("name", &locale.name.replace(' ', "_"));
            xml.text("langCode", locale.language_code);
            xml.text("winCharSet", "utf-8");
        });
    }
    xml.text("networkLocale", &file.network_locale);
    if !file.network_locale.is_empty() {
        xml.nest("networkLocaleInfo", |xml| {
            xml.text("name", &file.network_locale);
        });
    }
}

/// The URLs, also for `XMLDefault.cnf.xml`.
pub(super) fn service_urls(xml: &mut Xml, urls: &ServiceUrls) {
    fn text(url: Option<&PhoneUrl>) -> &str {
        url.map_or("", PhoneUrl::as_str)
    }
    let (plain_idle, secure_idle) = match &urls.idle {
        IdleUrl::None => (None, None),
        IdleUrl::Plain(url) => (Some(url.as_str()), None),
        IdleUrl::Secure(url) => (None, Some(url.as_str())),
    };
    xml.text("authenticationURL", urls.authentication.as_str());
    xml.text("directoryURL", text(urls.directory.as_ref()));
    if let Some(url) = plain_idle {
        xml.text("idleURL", url);
    }
    xml.text("informationURL", text(urls.information.as_ref()));
    xml.text("messagesURL", text(urls.messages.as_ref()));
    xml.text("proxyServerURL", text(urls.proxy_server.as_ref()));
    xml.text("servicesURL", text(urls.services.as_ref()));
    xml.text(
        "secureAuthenticationURL",
        urls.secure_authentication.as_str(),
    );
    xml.text("secureDirectoryURL", text(urls.secure_directory.as_ref()));
    if let Some(url) = secure_idle {
        xml.text("secureIdleURL", url);
    }
    xml.text(
        "secureInformationURL",
        text(urls.secure_information.as_ref()),
    );
    xml.text("secureMessagesURL", text(urls.secure_messages.as_ref()));
    xml.text("secureServicesURL", text(urls.secure_services.as_ref()));
}

static DSCP: LazyLock<Fixed> = LazyLock::new(|| {
    Fixed::at(1, |xml| {
        xml.number("dscpForSCCPPhoneConfig", 96_u8);
        xml.number("dscpForSCCPPhoneServices", 0_u8);
        xml.number("dscpForCm2Dvce", 96_u8);
    })
});

static AFTER_TRANSPORT: LazyLock<Fixed> = LazyLock::new(|| {
    Fixed::at(1, |xml| {
        xml.number("dndCallAlert", 5_u8);
        xml.number("phonePersonalization", 0_u8);
        xml.flag("singleButtonBarge", false);
        xml.number("capfAuthMode", 0_u8);
        xml.empty("capfList", &[]);
        xml.text("certHash", "");
        xml.flag("encrConfig", false);
        xml.number("TLSResumptionTimer", 3600_u16);
    })
});
