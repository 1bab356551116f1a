//! AXL's operations on objects: what they have in common, on both databases.

#![cfg(test)]

mod common;

use common::Axl;
use common::for_each_database;

#[tokio::test(flavor = "multi_thread")]
async fn an_object_is_added_changed_found_and_removed() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let add = "<userProfileProvision><name>Sales</name><description>d</description>\
                   <universalLineTemplate>sample line template with tag usage examples\
                   </universalLineTemplate><limitProvision>3</limitProvision>\
                   <mraPolicy_Desktop>No Service</mraPolicy_Desktop></userProfileProvision>";
        let uuid = axl.succeed("12.5", "addUserProfileProvision", add).await;
        assert!(uuid.starts_with('{') && uuid.ends_with('}'), "{uuid}");

        let get = axl
            .succeed("12.5", "getUserProfileProvision", "<name>sales</name>")
            .await;
        let opening = format!("<userProfileProvision uuid=\"{uuid}\"><name>Sales</name>");
        assert!(get.starts_with(&opening), "{get}");
        for element in [
            "<limitProvision>3</limitProvision>",
            "<mraPolicy_Desktop>No Service</mraPolicy_Desktop>",
            "<mraPolicy_Mobile>IM &amp; Presence, Voice and Video calls</mraPolicy_Mobile>",
            ">Sample Line Template with TAG usage examples</universalLineTemplate>",
            "<deskPhones/>",
        ] {
            assert!(get.contains(element), "{element}: {get}");
        }
        let update = format!("<uuid>{uuid}</uuid><newName>Sales 2</newName><enableMra>f</enableMra>");
        let updated = axl.succeed("14.0", "updateUserProfileProvision", &update);
        assert_eq!(updated.await, uuid);
        let tags = "<uuid>x</uuid>".replace('x', &uuid)
            + "<returnedTags><name/><limitProvision/><enableMra/><mraPolicy_Desktop/></returnedTags>";
        assert_eq!(
            axl.succeed("14.0", "getUserProfileProvision", &tags).await,
            format!(
                "<userProfileProvision uuid=\"{uuid}\"><name>Sales 2</name>\
                 <limitProvision>3</limitProvision><enableMra>false</enableMra>\
                 <mraPolicy_Desktop>No Service</mraPolicy_Desktop></userProfileProvision>"
            )
        );
        for (criteria, rest, found) in [
            ("<name>s%2</name>", "", true),
            ("<name>x</name>", "", false),
            ("<name>%</name>", "<skip>1000</skip><first>10</first>", false),
        ] {
            let list = format!(
                "<searchCriteria>{criteria}</searchCriteria><returnedTags><name/></returnedTags>\
                 {rest}"
            );
            let listed = axl.succeed("14.0", "listUserProfileProvision", &list).await;
            assert_eq!(listed.contains("<name>Sales 2</name>"), found, "{listed}");
            assert_eq!(listed.is_empty(), !found, "{listed}");
        }

        let key = "<name>Sales 2</name>";
        assert_eq!(axl.succeed("14.0", "removeUserProfileProvision", key).await, uuid);
        let (code, message) = axl.refused("14.0", "getUserProfileProvision", key).await;
        assert_eq!(code, 5007);
        assert_eq!(
            message,
            "Item not valid: The specified UserProfileProvision was not found"
        );
        let update = format!("{key}<description>d</description>");
        let (code, _) = axl.refused("14.0", "updateUserProfileProvision", &update).await;
        assert_eq!(code, 5003);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_refused_by_name() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        for (inner, expected) in [
            ("<description>d</description>", "name is missing"),
            ("<name>a</name><nmae>b</nmae>", "nmae"),
            (
                "<name>a</name><limitProvision>21</limitProvision>",
                "limitProvision",
            ),
            (
                "<name>a</name><deskPhones>nothing</deskPhones>",
                "deskPhones is \"nothing\"",
            ),
        ] {
            let add = format!("<userProfileProvision>{inner}</userProfileProvision>");
            let (_, message) = axl.refused("14.0", "addUserProfileProvision", &add).await;
            assert!(message.contains(expected), "{message}");
        }
        let (code, _) = axl.refused("9.0", "listUserProfileProvision", "").await;
        assert_eq!(code, 5001, "10.0 is the first version that has it");
    })
    .await;
}

/// Adds an object over AXL and gives its identity and what get gives of it.
async fn added(axl: &Axl, noun: &str, inner: &str) -> (String, String) {
    let element = noun[..1].to_lowercase() + &noun[1..];
    let add = format!("<{element}>{inner}</{element}>");
    let uuid = axl.succeed("14.0", &format!("add{noun}"), &add).await;
    let key = format!("<uuid>{uuid}</uuid>");
    let got = axl.succeed("14.0", &format!("get{noun}"), &key).await;
    (uuid, got)
}

#[tokio::test(flavor = "multi_thread")]
async fn small_objects_are_rows_that_others_refer_to() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        for name in ["Inside", "Outside"] {
            let inner = format!("<name>{name}</name><description>d</description>");
            let (_, got) = added(&axl, "RoutePartition", &inner).await;
            assert!(got.contains("<description>d</description>"), "{got}");
            assert!(got.contains("<timeZone>Etc/GMT</timeZone>"), "{got}");
        }
        let member = |name: &str, index: u8| {
            format!(
                "<member><routePartitionName>{name}</routePartitionName><index>{index}</index>\
                 </member>"
            )
        };
        let members = member("outside", 2) + &member("Inside", 1);
        let inner = format!("<members>{members}</members><name>Office</name>");
        let (css, got) = added(&axl, "Css", &inner).await;
        assert!(got.contains("<clause>Inside:Outside</clause>"), "{got}");

        let inner = "<name>Bonn</name><timeZone>Europe/Berlin</timeZone><separator>.</separator>\
                     <dateformat>D/M/Y</dateformat><timeFormat>24-hour</timeFormat>";
        let (_, got) = added(&axl, "DateTimeGroup", inner).await;
        assert!(got.contains("<dateformat>D/M/Y</dateformat>"), "{got}");
        let inner = "<name>Bonn</name><dateTimeSettingName>bonn</dateTimeSettingName>\
                     <autoSearchSpaceName>Office</autoSearchSpaceName>";
        let (pool, got) = added(&axl, "DevicePool", inner).await;
        assert!(got.contains(">CMLocal<") || got.contains(">Bonn</dateTimeSettingName>"));
        assert!(got.contains(&format!("<autoSearchSpaceName uuid=\"{css}\">Office<")));
        let catalogue = axl.0.test.app.catalogue.load_full();
        let bonn = catalogue
            .device_pools
            .values()
            .find(|one| one.name == "Bonn");
        let group = &catalogue.date_time_groups[&bonn.unwrap().date_time_group];
        assert_eq!(
            (&*group.date_template, &*group.time_zone),
            ("D.M.Y", "Europe/Berlin")
        );

        // What others refer to stays, whether in a column or only kept.
        for (operation, name, user) in [
            (
                "removeRoutePartition",
                "Inside",
                "Calling Search Space Office",
            ),
            ("removeCss", "Office", "Device Pool Bonn"),
            ("removeDateTimeGroup", "Bonn", "Device Pool Bonn"),
        ] {
            let key = format!("<name>{name}</name>");
            let (code, message) = axl.refused("14.0", operation, &key).await;
            assert_eq!(code, -692, "{message}");
            assert!(message.contains(user), "{message}");
        }
        let change = format!(
            "<uuid>{css}</uuid><removeMembers>{}</removeMembers>",
            "<member><routePartitionName>Inside</routePartitionName></member>"
        );
        axl.succeed("14.0", "updateCss", &change).await;
        axl.succeed("14.0", "removeRoutePartition", "<name>Inside</name>")
            .await;
        let key = format!("<uuid>{pool}</uuid>");
        axl.succeed("14.0", "removeDevicePool", &key).await;
        axl.succeed("14.0", "removeCss", "<name>Office</name>")
            .await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn profiles_templates_and_policies_are_what_the_program_acts_on() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let inner = "<phoneType>Cisco 8851</phoneType><name>Cisco 8851 - TLS</name>\
                     <deviceSecurityMode>Encrypted</deviceSecurityMode>\
                     <nonceValidityTime>300</nonceValidityTime><transportType>TLS</transportType>\
                     <enableDigestAuthentication>true</enableDigestAuthentication>";
        let (_, got) = added(&axl, "PhoneSecurityProfile", inner).await;
        for element in inner
            .split_inclusive('>')
            .filter(|part| part.starts_with("</"))
        {
            assert!(got.contains(element), "{element} {got}");
        }
        let inner = "<name>Two lines</name>\
                     <basePhoneTemplateName>Standard 8851 SIP</basePhoneTemplateName>";
        let (uuid, got) = added(&axl, "PhoneButtonTemplate", inner).await;
        assert!(got.contains("<feature>Line</feature>"), "{got}");
        let pkid = uuid.trim_matches(['{', '}']).parse().unwrap();
        let renamed = format!("<uuid>{uuid}</uuid><newName>Three lines</newName>");
        axl.succeed("14.0", "updatePhoneButtonTemplate", &renamed)
            .await;
        let catalogue = axl.0.test.app.catalogue.load_full();
        assert!(catalogue.phone_button_templates[&pkid].model.is_some());

        let inner = "<name>Long</name><lockoutDuration>5</lockoutDuration>\
                     <minCredLength>10</minCredLength>";
        let (uuid, got) = added(&axl, "CredentialPolicy", inner).await;
        assert!(
            got.contains("<lockoutDuration>5</lockoutDuration>"),
            "{got}"
        );
        let pkid = uuid.trim_matches(['{', '}']).parse().unwrap();
        let catalogue = axl.0.test.app.catalogue.load_full();
        assert_eq!(catalogue.credential_policies[&pkid].policy.length_min, 10);

        let (_, got) = added(&axl, "Location", "<name>Attic</name>").await;
        assert!(got.contains("<name>Attic</name>"), "{got}");
        let key = "<name>Default Credential Policy</name>";
        let (code, _) = axl.refused("14.0", "removeCredentialPolicy", key).await;
        assert_eq!(code, -692);
        let add = "<sipProfile><name>x</name><startMediaPort>30000</startMediaPort>\
                   <stopMediaPort>20000</stopMediaPort></sipProfile>";
        let (_, message) = axl.refused("14.0", "addSipProfile", add).await;
        assert!(message.contains("startMediaPort"), "{message}");
    })
    .await;
}
