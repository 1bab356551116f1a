//! `SEP<MAC>.cnf.xml` in the element order of a real CUCM.
//!
//! The root stands without the `xsi:type` that CUCM writes: its prefix is bound nowhere, phones do
//! not look at it, and every XML tool of an administrator would refuse the file.
//! Left out for good: `sshUserId`, `sshPassword`, `phonePassword`, `userId`, `ownerId`.

use std::sync::LazyLock;

use bytes::Bytes;

use super::xml::Fixed;
use super::xml::Xml;
use super::xml::tag;
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
pub(super) fn write(file: &DeviceFile<'_>) -> Bytes {
    let mut xml = Xml::document(CAPACITY_BYTES);
    let uuid = file.pkid.map(|pkid| pkid.in_braces());
    let ctiid = file.ctiid.map(|ctiid| ctiid.to_string());
    let attributes = [("ctiid", ctiid.as_deref()), ("uuid", uuid.as_deref())];
    let attributes: Vec<_> = attributes
        .iter()
        .filter_map(|(name, value)| Some((*name, (*value)?)))
        .collect();
    xml.nest_with(tag!("device"), &attributes, |xml| {
        xml.flag(tag!("fullConfig"), true);
        xml.text(tag!("deviceProtocol"), "SIP");
        xml.number(tag!("ipAddressMode"), 0_u8);
        xml.flag(tag!("allowAutoConfig"), true);
        device_pool(xml, file);
        trust_verification(xml, &file.trust_verification);
        sip_profile(xml, &file.sip_profile, &file.lines);
        xml.text(
            tag!("MissedCallLoggingOption"),
            &"1".repeat(file.lines.len()),
        );
        xml.text(tag!("featurePolicyFile"), "featurepolicy.xml");
        xml.fixed(&COMMON_PROFILE);
        xml.text(tag!("loadInformation"), file.load_information);
        xml.fixed(&VENDOR_CONFIG);
        xml.text(tag!("versionStamp"), &file.version_stamp.in_braces());
        locales(xml, file);
        xml.number(tag!("deviceSecurityMode"), file.security_mode as u8);
        xml.number(tag!("idleTimeout"), file.urls.idle_timeout_s);
        service_urls(xml, &file.urls);
        xml.fixed(&DSCP);
        xml.number(tag!("transportLayerProtocol"), file.transport as u8);
        xml.fixed(&AFTER_TRANSPORT);
        xml.nest_with(tag!("phoneServices"), &[("useHTTPS", "false")], |xml| {
            xml.number(tag!("provisioning"), file.services_provisioning as u8);
        });
    });
    xml.finish()
}

fn device_pool(xml: &mut Xml, file: &DeviceFile<'_>) {
    xml.nest(tag!("devicePool"), |xml| {
        xml.text(tag!("name"), file.device_pool);
        date_time_setting(xml, &file.date_time);
        call_manager_group(xml, &file.call_managers);
        xml.fixed(&SRST_INFO);
    });
}

static SRST_INFO: LazyLock<Fixed> = LazyLock::new(|| {
    Fixed::at(2, |xml| {
        xml.nest(tag!("srstInfo"), |xml| {
            xml.text(tag!("name"), "Disable");
            xml.text(tag!("srstOption"), "Disable");
            xml.flag(tag!("userModifiable"), false);
            xml.flag(tag!("isSecure"), false);
        });
        xml.number(tag!("connectionMonitorDuration"), 120_u8);
    })
});

fn date_time_setting(xml: &mut Xml, setting: &DateTimeSetting<'_>) {
    xml.nest(tag!("dateTimeSetting"), |xml| {
        xml.text(tag!("name"), setting.name);
        xml.text(tag!("dateTemplate"), setting.date_template);
        if let Some(zone) = setting.cisco_time_zone {
            xml.text(tag!("timeZone"), zone);
        }
        xml.text(tag!("olsonTimeZone"), setting.olson_time_zone);
        xml.nest(tag!("ntps"), |xml| {
            for server in setting.ntp_servers {
                xml.nest(tag!("ntp"), |xml| {
                    xml.text(tag!("name"), server);
                    xml.text(tag!("ntpMode"), "Unicast");
                });
            }
        });
    });
}

/// The group, also for `XMLDefault.cnf.xml`. The ports stand before `processNodeName`: a phone
/// that meets the name first takes its default ports.
pub(super) fn call_manager_group(xml: &mut Xml, call_managers: &CallManagers<'_>) {
    xml.nest(tag!("callManagerGroup"), |xml| {
        xml.text(tag!("name"), call_managers.group());
        xml.flag(tag!("tftpDefault"), true);
        xml.nest(tag!("members"), |xml| {
            for (priority, member) in call_managers.members().iter().enumerate() {
                let priority = priority.to_string();
                xml.nest_with(tag!("member"), &[("priority", &priority)], |xml| {
                    xml.nest(tag!("callManager"), |xml| {
                        xml.text(tag!("name"), member.name);
                        xml.text(tag!("description"), member.description);
                        xml.nest(tag!("ports"), |xml| {
                            xml.number(tag!("ethernetPhonePort"), member.ethernet_phone_port);
                            xml.number(tag!("sipPort"), member.sip_port);
                            xml.number(tag!("securedSipPort"), member.secured_sip_port);
                        });
                        xml.text(tag!("processNodeName"), member.process_node_name);
                    });
                });
            }
        });
    });
}

/// Where to ask about certificates, also for `XMLDefault.cnf.xml`; nothing while TVS is off.
pub(super) fn trust_verification(xml: &mut Xml, members: &[TrustVerificationMember<'_>]) {
    if members.is_empty() {
        return;
    }
    xml.nest(tag!("TVS"), |xml| {
        xml.nest(tag!("members"), |xml| {
            for (priority, member) in members.iter().enumerate() {
                let priority = priority.to_string();
                xml.nest_with(tag!("member"), &[("priority", &priority)], |xml| {
                    xml.number(tag!("port"), member.port);
                    xml.text(tag!("address"), member.address);
                });
            }
        });
    });
}

fn sip_profile(xml: &mut Xml, sip: &SipSettings, lines: &[FileLine<'_>]) {
    xml.nest(tag!("sipProfile"), |xml| {
        xml.fixed(&PROXIES_AND_FEATURES);
        sip_stack(xml, sip);
        xml.fixed(&BEFORE_PHONE_LABEL);
        xml.text(
            tag!("phoneLabel"),
            lines.first().map_or("", |line| line.label.as_str()),
        );
        xml.fixed(&AFTER_PHONE_LABEL);
        xml.number(tag!("startMediaPort"), sip.start_media_port);
        xml.number(tag!("stopMediaPort"), sip.stop_media_port);
        xml.nest(tag!("sipLines"), |xml| {
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
        xml.number(tag!("autoAnswerTimer"), 1_u8);
        xml.flag(tag!("autoAnswerAltBehavior"), false);
        xml.flag(tag!("autoAnswerOverride"), true);
        xml.flag(tag!("transferOnhookEnabled"), false);
        xml.flag(tag!("enableVad"), false);
        xml.text(tag!("preferredCodec"), "none");
        xml.number(tag!("dtmfAvtPayload"), 101_u8);
        xml.number(tag!("dtmfDbLevel"), 3_u8);
        xml.text(tag!("dtmfOutofBand"), "avt");
        xml.number(tag!("kpml"), 3_u8);
    })
});

static AFTER_PHONE_LABEL: LazyLock<Fixed> = LazyLock::new(|| {
    Fixed::at(2, |xml| {
        xml.number(tag!("stutterMsgWaiting"), 2_u8);
        xml.flag(tag!("callStats"), true);
        xml.number(tag!("silentPeriodBetweenCallWaitingBursts"), 10_u8);
        xml.flag(tag!("disableLocalSpeedDialConfig"), true);
    })
});

static AFTER_LINES: LazyLock<Fixed> = LazyLock::new(|| {
    Fixed::at(2, |xml| {
        xml.number(tag!("voipControlPort"), 5060_u16);
        xml.number(tag!("dscpForAudio"), 184_u8);
        xml.number(tag!("ringSettingBusyStationPolicy"), 0_u8);
        xml.text(tag!("dialTemplate"), "dialplan.xml");
        xml.text(tag!("softKeyFile"), "softkeys.xml");
    })
});

fn sip_proxies(xml: &mut Xml) {
    xml.nest(tag!("sipProxies"), |xml| {
        for (proxy, port) in [
            (tag!("backupProxy"), tag!("backupProxyPort")),
            (tag!("emergencyProxy"), tag!("emergencyProxyPort")),
            (tag!("outboundProxy"), tag!("outboundProxyPort")),
        ] {
            xml.text(proxy, USE_CALL_MANAGER);
            xml.number(port, 5060_u16);
        }
        xml.flag(tag!("registerWithProxy"), true);
    });
}

fn sip_call_features(xml: &mut Xml) {
    xml.nest(tag!("sipCallFeatures"), |xml| {
        xml.flag(tag!("cnfJoinEnabled"), true);
        for (tag, service) in [
            (tag!("callForwardURI"), "cfwdall"),
            (tag!("callPickupURI"), "pickup"),
            (tag!("callPickupListURI"), "opickup"),
            (tag!("callPickupGroupURI"), "gpickup"),
            (tag!("meetMeServiceURI"), "meetme"),
            (tag!("abbreviatedDialURI"), "abbrdial"),
        ] {
            xml.text(tag, &format!("x-cisco-serviceuri-{service}"));
        }
        xml.flag(tag!("rfc2543Hold"), false);
        xml.number(tag!("callHoldRingback"), 1_u8);
        xml.flag(tag!("localCfwdEnable"), true);
        xml.flag(tag!("semiAttendedTransfer"), true);
        xml.number(tag!("anonymousCallBlock"), 2_u8);
        xml.number(tag!("callerIdBlocking"), 2_u8);
        xml.number(tag!("dndControl"), 2_u8);
        xml.flag(tag!("remoteCcEnable"), true);
        xml.flag(tag!("retainForwardInformation"), false);
    });
}

fn sip_stack(xml: &mut Xml, sip: &SipSettings) {
    xml.nest(tag!("sipStack"), |xml| {
        xml.fixed(&STACK_BEFORE_TIMERS);
        xml.number(tag!("timerRegisterExpires"), sip.register_expires_s);
        xml.number(tag!("timerRegisterDelta"), sip.register_delta_s);
        xml.number(tag!("timerKeepAliveExpires"), sip.keep_alive_expires_s);
        xml.fixed(&STACK_AFTER_TIMERS);
    });
}

static STACK_BEFORE_TIMERS: LazyLock<Fixed> = LazyLock::new(|| {
    Fixed::at(3, |xml| {
        xml.number(tag!("sipInviteRetx"), 6_u8);
        xml.number(tag!("sipRetx"), 10_u8);
        xml.number(tag!("timerInviteExpires"), 180_u8);
    })
});

static STACK_AFTER_TIMERS: LazyLock<Fixed> = LazyLock::new(|| {
    Fixed::at(3, |xml| {
        xml.number(tag!("timerSubscribeExpires"), 120_u8);
        xml.number(tag!("timerSubscribeDelta"), 5_u8);
        xml.number(tag!("timerT1"), 500_u16);
        xml.number(tag!("timerT2"), 4000_u16);
        xml.number(tag!("maxRedirects"), 70_u8);
        xml.flag(tag!("remotePartyID"), true);
        xml.text(tag!("userInfo"), "None");
    })
});

fn line(xml: &mut Xml, line: &FileLine<'_>) {
    let (button, index) = (line.button.to_string(), line.index.to_string());
    xml.nest_with(
        tag!("line"),
        &[("button", &button), ("lineIndex", &index)],
        |xml| {
            xml.number(tag!("featureID"), 9_u8);
            xml.text(tag!("featureLabel"), line.label.as_str());
            xml.text(tag!("proxy"), USE_CALL_MANAGER);
            xml.number(tag!("port"), 5060_u16);
            xml.text(tag!("name"), line.name.as_str());
            xml.text(tag!("displayName"), line.display_name.as_str());
            xml.nest(tag!("autoAnswer"), |xml| {
                xml.number(
                    tag!("autoAnswerEnabled"),
                    if line.auto_answer { 3_u8 } else { 0 },
                );
            });
            xml.number(tag!("callWaiting"), 3_u8);
            let (name, password) = line.digest.as_ref().map_or(("", ""), |digest| {
                (digest.user_name, digest.secret.reveal())
            });
            xml.text(tag!("authName"), name);
            xml.text(tag!("authPassword"), password);
            xml.fixed(&LINE_AFTER_SECRET);
            xml.text(tag!("contact"), &line.contact);
            xml.fixed(&LINE_AFTER_CONTACT);
            xml.number(tag!("maxNumCalls"), line.max_number_of_calls);
            xml.number(tag!("busyTrigger"), line.busy_trigger);
        },
    );
}

static LINE_AFTER_SECRET: LazyLock<Fixed> = LazyLock::new(|| {
    Fixed::at(4, |xml| {
        xml.flag(tag!("sharedLine"), false);
        xml.number(tag!("messageWaitingLampPolicy"), 3_u8);
        xml.text(tag!("messagesNumber"), "");
        xml.number(tag!("ringSettingIdle"), 4_u8);
        xml.number(tag!("ringSettingActive"), 5_u8);
    })
});

static LINE_AFTER_CONTACT: LazyLock<Fixed> = LazyLock::new(|| {
    Fixed::at(4, |xml| {
        xml.nest(tag!("forwardCallInfoDisplay"), |xml| {
            xml.flag(tag!("callerName"), true);
            xml.flag(tag!("callerNumber"), false);
            xml.flag(tag!("redirectedNumber"), false);
            xml.flag(tag!("dialedNumber"), true);
        });
    })
});

static COMMON_PROFILE: LazyLock<Fixed> = LazyLock::new(|| {
    Fixed::at(1, |xml| {
        xml.nest(tag!("commonProfile"), |xml| {
            xml.flag(tag!("backgroundImageAccess"), true);
            xml.number(tag!("callLogBlfEnabled"), 0_u8);
        });
    })
});

/// The phone's own web server and SSH stay off (1 means disabled for both): they tell everybody
/// the names and addresses that a sweep needs.
static VENDOR_CONFIG: LazyLock<Fixed> = LazyLock::new(|| {
    Fixed::at(1, |xml| {
        xml.nest(tag!("vendorConfig"), |xml| {
            xml.number(tag!("settingsAccess"), 1_u8);
            xml.number(tag!("webAccess"), 1_u8);
            xml.number(tag!("sshAccess"), 1_u8);
        });
    })
});

fn locales(xml: &mut Xml, file: &DeviceFile<'_>) {
    if let Some(locale) = file.user_locale {
        xml.nest(tag!("userLocale"), |xml| {
            xml.text(tag!("name"), &locale.name.replace(' ', "_"));
            xml.text(tag!("langCode"), locale.language_code);
            xml.text(tag!("winCharSet"), "utf-8");
        });
    }
    xml.text(tag!("networkLocale"), &file.network_locale);
    if !file.network_locale.is_empty() {
        xml.nest(tag!("networkLocaleInfo"), |xml| {
            xml.text(tag!("name"), &file.network_locale);
        });
    }
}

/// The URLs, also for `XMLDefault.cnf.xml`.
pub(super) fn service_urls(xml: &mut Xml, urls: &ServiceUrls<'_>) {
    fn text<'a>(url: Option<&'a PhoneUrl<'_>>) -> &'a str {
        url.map_or("", PhoneUrl::as_str)
    }
    let (plain_idle, secure_idle) = match &urls.idle {
        IdleUrl::None => (None, None),
        IdleUrl::Plain(url) => (Some(url.as_str()), None),
        IdleUrl::Secure(url) => (None, Some(url.as_str())),
    };
    xml.text(tag!("authenticationURL"), urls.authentication.as_str());
    xml.text(tag!("directoryURL"), text(urls.directory.as_ref()));
    if let Some(url) = plain_idle {
        xml.text(tag!("idleURL"), url);
    }
    xml.text(tag!("informationURL"), text(urls.information.as_ref()));
    xml.text(tag!("messagesURL"), text(urls.messages.as_ref()));
    xml.text(tag!("proxyServerURL"), text(urls.proxy_server.as_ref()));
    xml.text(tag!("servicesURL"), text(urls.services.as_ref()));
    xml.text(
        tag!("secureAuthenticationURL"),
        urls.secure_authentication.as_str(),
    );
    xml.text(
        tag!("secureDirectoryURL"),
        text(urls.secure_directory.as_ref()),
    );
    if let Some(url) = secure_idle {
        xml.text(tag!("secureIdleURL"), url);
    }
    xml.text(
        tag!("secureInformationURL"),
        text(urls.secure_information.as_ref()),
    );
    xml.text(
        tag!("secureMessagesURL"),
        text(urls.secure_messages.as_ref()),
    );
    xml.text(
        tag!("secureServicesURL"),
        text(urls.secure_services.as_ref()),
    );
}

static DSCP: LazyLock<Fixed> = LazyLock::new(|| {
    Fixed::at(1, |xml| {
        xml.number(tag!("dscpForSCCPPhoneConfig"), 96_u8);
        xml.number(tag!("dscpForSCCPPhoneServices"), 0_u8);
        xml.number(tag!("dscpForCm2Dvce"), 96_u8);
    })
});

static AFTER_TRANSPORT: LazyLock<Fixed> = LazyLock::new(|| {
    Fixed::at(1, |xml| {
        xml.number(tag!("dndCallAlert"), 5_u8);
        xml.number(tag!("phonePersonalization"), 0_u8);
        xml.flag(tag!("singleButtonBarge"), false);
        xml.number(tag!("capfAuthMode"), 0_u8);
        xml.empty(tag!("capfList"), &[]);
        xml.text(tag!("certHash"), "");
        xml.flag(tag!("encrConfig"), false);
        xml.number(tag!("TLSResumptionTimer"), 3600_u16);
    })
});
