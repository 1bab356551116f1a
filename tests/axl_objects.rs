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
