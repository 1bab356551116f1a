//! The main job on a system that was configured over AXL alone: templates, auto-registration,
//! profile, user and login, then a phone that nobody configured, with clients that are not ours, on
//! both databases.

use crate::outside::clients::Phone;
use crate::outside::clients::curl;
use crate::outside::clients::element;
use crate::outside::service::Service;
use crate::outside::steps;
use crate::outside::steps::PhoneFile;
use crate::outside::steps::User;
use crate::outside::steps::fetch;

/// The version that the configuration is written in.
const VERSION: &str = "12.5";

/// First and last number of the range; the demonstration's own is another.
const RANGE: std::ops::RangeInclusive<u32> = 5000..=5099;

/// Calls an operation and gives what stands in its `return`.
pub(crate) fn axl(service: &Service, operation: &str, elements: &str) -> String {
    let body = format!(
        "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:ns=\"http://www.cisco.com/AXL/API/{VERSION}\"><soapenv:Body><ns:{operation}>\
         {elements}</ns:{operation}></soapenv:Body></soapenv:Envelope>"
    );
    let admin = &service.report["admin"];
    let login = format!(
        "{}:{}",
        admin["user"].as_str().unwrap(),
        admin["password"].as_str().unwrap()
    );
    let action = format!("SOAPAction: \"CUCM:DB ver={VERSION} {operation}\"");
    let page = curl(
        service,
        &[
            "-u",
            &login,
            "-H",
            "Content-Type: text/xml",
            "-H",
            &action,
            "--data-binary",
            &body,
        ],
        &format!("{}/axl/", service.text("https").trim_end_matches('/')),
    );
    assert_eq!(page.status, 200, "{operation}: {}", page.body);
    let (_, rest) = page.body.split_once("<return>").unwrap_or(("", ""));
    let (content, _) = rest.split_once("</return>").unwrap_or(("", ""));
    content.to_owned()
}

/// The steps of the guide, in its order; gives the user.
fn configure(service: &Service) -> User {
    add_templates(service);
    set_auto_registration(service);
    add_profile(service);
    add_user(service)
}

fn add_templates(service: &Service) {
    let https = service.text("https");
    let idle_url = format!(
        "{}/cucm-uds/private/selfProvision",
        https.trim_end_matches('/')
    );
    axl(
        service,
        "addUniversalDeviceTemplate",
        &format!(
            "<universalDeviceTemplate><name>Guide device</name><deviceDescription>Guide \
             #DirectoryNumber#</deviceDescription><devicePool>Default</devicePool>\
             <deviceSecurityProfile>Universal Device Template - Model-independent Security \
             Profile</deviceSecurityProfile><sipProfile>Standard SIP Profile</sipProfile>\
             <phoneButtonTemplate>Universal Device Template Button Layout</phoneButtonTemplate>\
             <lines><line><index>1</index><label>Guide #DirectoryNumber#</label><dirn><pattern/></dirn></line>\
             </lines><idle>{idle_url}</idle><idleTimer>7</idleTimer></universalDeviceTemplate>"
        ),
    );
    axl(
        service,
        "addUniversalLineTemplate",
        "<universalLineTemplate><name>Guide line</name><lineDescription>Line of #FirstName#\
         </lineDescription><routePartition/><blfPresenceGroup>Standard Presence group\
         </blfPresenceGroup></universalLineTemplate>",
    );
}

fn set_auto_registration(service: &Service) {
    let nodes = axl(
        service,
        "listCallManager",
        "<searchCriteria><name>%</name></searchCriteria><returnedTags><name/></returnedTags>",
    );
    let node = element(&nodes, "name").unwrap();
    let (start, end) = (RANGE.start(), RANGE.end());
    axl(
        service,
        "updateCallManager",
        &format!(
            "<name>{node}</name><autoRegistration><startDn>{start}</startDn><endDn>{end}</endDn>\
             <nextDn>{}</nextDn><autoRegistrationEnabled>true</autoRegistrationEnabled>\
             <universalDeviceTemplate>Guide device</universalDeviceTemplate>\
             <lineTemplate>Guide line</lineTemplate></autoRegistration>",
            start + 20
        ),
    );
}

fn add_profile(service: &Service) {
    axl(
        service,
        "addUserProfileProvision",
        "<userProfileProvision><name>Guide profile</name><deskPhones>Guide device</deskPhones>\
         <mobileDevices>Guide device</mobileDevices><profile>Guide device</profile>\
         <universalLineTemplate>Guide line</universalLineTemplate><allowProvision>true\
         </allowProvision><limitProvision>1</limitProvision></userProfileProvision>",
    );
    axl(
        service,
        "addFeatureGroupTemplate",
        "<featureGroupTemplate><name>Guide features</name><maxDeskPickupWait>10000\
         </maxDeskPickupWait><remoteDestinationLimit>4</remoteDestinationLimit>\
         <BLFPresenceGp>Standard Presence group</BLFPresenceGp>\
         <userProfile>Guide profile</userProfile></featureGroupTemplate>",
    );
}

fn add_user(service: &Service) -> User {
    axl(
        service,
        "addLine",
        "<line><pattern>5555</pattern><usage>Device</usage><routePartitionName/></line>",
    );
    axl(
        service,
        "addUser",
        "<user><firstName>Greta</firstName><lastName>Guide</lastName><userid>gguide</userid>\
         <password>Correct-7-horse</password><pin>740926</pin><associatedGroups><userGroup>\
         <name>Standard CCM End Users</name></userGroup></associatedGroups><primaryExtension>\
         <pattern>5555</pattern><routePartitionName/></primaryExtension>\
         <userProfile>Guide profile</userProfile></user>",
    );
    axl(
        service,
        "updateSelfProvisioning",
        "<requireAuthentication>true</requireAuthentication><allowAuthentication>false\
         </allowAuthentication>",
    );
    User {
        login: "gguide".to_owned(),
        pin: "740926".to_owned(),
        extension: "5555".to_owned(),
    }
}

/// From the first file to the registration as the user's line.
fn journey(service: &Service, user: &User) {
    let mut phone = Phone::new("0011AABBCC71");
    let file_name = format!("{}.cnf.xml", phone.name());
    let (status, text) = fetch(service, &file_name);
    assert_eq!(status, 200);
    let auto_name = PhoneFile::read(&text).line;

    // The phone is made from the templates, with the number that AXL said was next.
    let own = steps::auto_register(service, &mut phone, &auto_name);
    assert_eq!(own.line, (RANGE.start() + 20).to_string());
    let (_, text) = fetch(service, &file_name);
    assert_eq!(element(&text, "idleTimeout").as_deref(), Some("7"));
    assert!(text.contains(&format!("Guide {}", own.line)), "{text}");

    let continue_url = steps::log_in(service, &phone, &own, user);
    let done = steps::press_continue(service, &continue_url);
    assert!(done.body.contains("restart"), "{}", done.body);
    phone.answers_notify();

    phone.boots();
    let theirs = steps::own_file(service, &phone);
    assert_eq!(theirs.line, user.extension);
    assert_eq!(theirs.idle_url, None);
    let (_, text) = fetch(service, &file_name);
    assert!(text.contains("Guide 5555"), "{text}");
    assert!(phone.sipp(
        service,
        "journey_register.xml",
        &user.extension,
        Some(theirs.secret())
    ));
}

#[test]
fn a_phone_goes_through_the_journey_on_a_system_configured_over_axl() {
    for database in crate::outside::databases() {
        println!("on {:?}", database.engine);
        let setting = format!("database.url={}", database.url);
        let service = Service::start(database.folder(), &[&setting]);
        let user = configure(&service);
        journey(&service, &user);
    }
}
