//! What is added to a list at an index where something else stands: it is refused, and what stands
//! there stays.

use crate::common::Axl;
use crate::common::for_each_database;

const PHONE: &str = "<phone><name>SEP0011AABBCC01</name><product>Cisco 8851</product>\
    <class>Phone</class><protocol>SIP</protocol><protocolSide>User</protocolSide>\
    <devicePoolName>Default</devicePoolName><lines>\
    <line><index>1</index><dirn><pattern>6001</pattern></dirn></line>\
    <line><index>2</index><label>Sales</label><dirn><pattern>6002</pattern></dirn></line>\
    </lines></phone>";

const KEY: &str = "<name>SEP0011AABBCC01</name>";

fn add(index: &str, pattern: &str, more: &str) -> String {
    format!(
        "{KEY}<addLines><line><index>{index}</index>{more}<dirn><pattern>{pattern}</pattern></dirn>\
         </line></addLines>"
    )
}

async fn patterns(axl: &Axl) -> Vec<String> {
    let phone = axl.succeed("14.0", "getPhone", KEY).await;
    let after = phone.split("<pattern>").skip(1);
    after
        .map(|text| text.split('<').next().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_line_is_not_added_at_the_index_of_another() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        axl.succeed("14.0", "addPhone", PHONE).await;
        for index in ["2", "02", " 2 "] {
            let (code, message) = axl
                .refused("14.0", "updatePhone", &add(index, "6003", ""))
                .await;
            assert_eq!(code, -239, "{index}: {message}");
            assert!(message.contains("index 2 is \"6002\"'s"), "{message}");
        }
        assert_eq!(patterns(&axl).await, ["6001", "6002"]);
        // The same line may be said again, and a line that the request takes away is not there.
        let same = add("2", "6002", "<label>Service</label>");
        axl.succeed("14.0", "updatePhone", &same).await;
        let phone = axl.succeed("14.0", "getPhone", KEY).await;
        assert!(phone.contains("<label>Service</label>"), "{phone}");
        let instead = format!(
            "{KEY}<removeLines><line><index>2</index></line></removeLines>{}",
            add("2", "6003", "").replace(KEY, "")
        );
        axl.succeed("14.0", "updatePhone", &instead).await;
        assert_eq!(patterns(&axl).await, ["6001", "6003"]);
        // Without a partition it is the only line of that number, wherever that is.
        let partition = "<routePartition><name>PT_Site</name></routePartition>";
        axl.succeed("14.0", "addRoutePartition", partition).await;
        let moved = "<pattern>6003</pattern><newRoutePartitionName>PT_Site</newRoutePartitionName>";
        axl.succeed("14.0", "updateLine", moved).await;
        let same = add("2", "6003", "<label>Sales</label>");
        axl.succeed("14.0", "updatePhone", &same).await;
        let phone = axl.succeed("14.0", "getPhone", KEY).await;
        assert!(phone.contains("<label>Sales</label>"), "{phone}");
        // Where another has it in no partition, that one is meant.
        axl.succeed("14.0", "addLine", "<line><pattern>6003</pattern></line>")
            .await;
        let (code, message) = axl.refused("14.0", "updatePhone", &same).await;
        assert_eq!(code, -239, "{message}");
    })
    .await;
}

#[tokio::test]
async fn a_partition_is_not_added_at_the_index_of_another() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        for partition in ["PT_One", "PT_Two"] {
            let partition = format!("<routePartition><name>{partition}</name></routePartition>");
            axl.succeed("14.0", "addRoutePartition", &partition).await;
        }
        let css = "<css><name>CSS_Site</name></css>";
        axl.succeed("14.0", "addCss", css).await;
        let add = |partition: &str, index: u8| {
            format!(
                "<name>CSS_Site</name><addMembers><member>\
                 <routePartitionName>{partition}</routePartitionName><index>{index}</index>\
                 </member></addMembers>"
            )
        };
        axl.succeed("14.0", "updateCss", &add("PT_One", 1)).await;
        let (code, message) = axl.refused("14.0", "updateCss", &add("PT_Two", 1)).await;
        assert_eq!(code, -239, "{message}");
        axl.succeed("14.0", "updateCss", &add("PT_One", 1)).await;
        axl.succeed("14.0", "updateCss", &add("PT_Two", 2)).await;
        let kept = axl.succeed("14.0", "getCss", "<name>CSS_Site</name>").await;
        let members = kept.matches("<routePartitionName").count();
        assert_eq!(members, 2, "{kept}");
    })
    .await;
}
