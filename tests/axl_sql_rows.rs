//! The rows of SQL say what AXL says: objects are added with what the program only keeps, and both
//! are read.

use crate::common::Axl;
use crate::common::for_each_database;

/// The rows of a question over AXL, a comma between values, a blank between rows.
async fn rows(axl: &Axl, statement: &str) -> String {
    let sql = format!("<sql>{}</sql>", quick_xml::escape::escape(statement));
    let answer = axl.succeed("12.5", "executeSQLQuery", &sql).await;
    let row = |row: &str| {
        let values = row.split('<').filter_map(|tag| {
            let (name, text) = tag.split_once('>')?;
            let is_empty = name.ends_with('/') && name.len() > 1;
            (is_empty || !name.starts_with('/')).then(|| text.to_owned())
        });
        values.collect::<Vec<_>>().join(",")
    };
    let rows = answer.split("<row>").skip(1);
    let rows = rows.map(|text| row(text.split("</row>").next().unwrap_or_default()));
    rows.collect::<Vec<_>>().join(" ")
}

const USER: &str = "<user><firstName>Jo</firstName><displayName>Jo of Sales</displayName>\
    <lastName>Dow</lastName><userid>jdoe</userid><manager>boss</manager>\
    <department>Sales</department><telephoneNumber>+493012</telephoneNumber>\
    <mailid>jo@example.org</mailid><title>Dr</title><enableCti>false</enableCti>\
    <enableMobility>true</enableMobility><enableEmcc>true</enableEmcc></user>";

const PLAIN_USER: &str = "<user><lastName>Plain</lastName><userid>plain</userid></user>";

const LINE: &str = "<line><pattern>6001</pattern><description>Front desk</description>\
    <routePartitionName>PT_New</routePartitionName>\
    <callForwardAll><forwardToVoiceMail>true</forwardToVoiceMail>\
    <callingSearchSpaceName>CSS_New</callingSearchSpaceName>\
    <destination>9001</destination></callForwardAll>\
    <callForwardBusy><destination>9002</destination></callForwardBusy>\
    <callForwardNoAnswer><destination>9003</destination></callForwardNoAnswer>\
    <alertingName>Desk</alertingName><asciiAlertingName>Desk ascii</asciiAlertingName>\
    <active>false</active></line>";

const PHONE: &str = "<phone><name>SEP0011AABBCC01</name><product>Cisco 8851</product>\
    <class>Phone</class><protocol>SIP</protocol><protocolSide>Network</protocolSide>\
    <devicePoolName>Default</devicePoolName><lines>\
    <line><index>1</index><label>One</label><display>Front</display>\
    <dirn><pattern>6001</pattern><routePartitionName>PT_New</routePartitionName></dirn>\
    <ringSetting>Beep Only</ringSetting><displayAscii>Front ascii</displayAscii>\
    <e164Mask>+4930XXXX</e164Mask><maxNumCalls>6</maxNumCalls><busyTrigger>3</busyTrigger>\
    <associatedEndusers><enduser><userId>jdoe</userId></enduser>\
    <enduser><userId>plain</userId></enduser></associatedEndusers></line>\
    <line><index>2</index><dirn><pattern>6002</pattern></dirn></line></lines>\
    <speeddials><speeddial><dirn>110</dirn><label>Police</label><index>3</index></speeddial>\
    <speeddial><dirn>112</dirn><index>12</index></speeddial></speeddials>\
    <enableExtensionMobility>true</enableExtensionMobility><isActive>false</isActive>\
    <isProtected>true</isProtected></phone>";

const PLAIN_PHONE: &str = "<phone><name>SEP0011AABBCC02</name><product>Cisco 8851</product>\
    <class>Phone</class><protocol>SIP</protocol><protocolSide>User</protocolSide>\
    <devicePoolName>Default</devicePoolName></phone>";

/// What each question gives: first the objects with everything, then those with nothing.
const EXPECTED: &[(&str, &str)] = &[
    (
        "select displayname, manager, department, telephonenumber, mailid, title, enablemobility, \
         allowcticontrolflag, enableemcc, status from enduser where userid in ('jdoe', 'plain') \
         order by userid",
        "Jo of Sales,boss,Sales,+493012,jo@example.org,Dr,t,f,t,1 ,,,,,,f,t,f,1",
    ),
    (
        "select dnorpattern, description, iscallable, alertingname, alertingnameascii, \
         cfbdestination, cfnadestination from numplan where dnorpattern in ('6001', '6002') \
         order by dnorpattern",
        "6001,Front desk,f,Desk,Desk ascii,9002,9003 6002,,t,,,,",
    ),
    (
        "select n.dnorpattern, f.cfadestination, f.cfavoicemailenabled, c.name \
         from callforwarddynamic f join numplan n on n.pkid = f.fknumplan \
         left join callingsearchspace c on c.pkid = f.fkcallingsearchspace_cfa \
         where n.dnorpattern in ('6001', '6002') order by n.dnorpattern",
        "6001,9001,t,CSS_New 6002,,f,",
    ),
    (
        "select name, tkprotocolside, allowhotelingflag, isactive, isprotected from device \
         where name like 'SEP0011AABBCC%' order by name",
        "SEP0011AABBCC01,0,t,f,t SEP0011AABBCC02,1,f,t,f",
    ),
    (
        "select m.numplanindex, m.label, m.labelascii, m.display, m.displayascii, \
         m.tkringsetting, m.e164mask, m.maxnumcalls, m.busytrigger from devicenumplanmap m \
         join device d on d.pkid = m.fkdevice where d.name = 'SEP0011AABBCC01' \
         order by m.numplanindex",
        "1,One,One,Front,Front ascii,5,+4930XXXX,6,3 2,,,,,4,,2,1",
    ),
    (
        "select m.numplanindex, u.userid from devicenumplanmapendusermap e \
         join devicenumplanmap m on m.pkid = e.fkdevicenumplanmap \
         join enduser u on u.pkid = e.fkenduser order by u.userid",
        "1,jdoe 1,plain",
    ),
    (
        "select d.name, s.speeddialindex, s.speeddialnumber, s.label, s.labelascii \
         from speeddial s join device d on d.pkid = s.fkdevice order by s.speeddialindex",
        "SEP0011AABBCC01,3,110,Police,Police SEP0011AABBCC01,12,112,,",
    ),
];

async fn site(axl: &Axl) {
    for (operation, elements) in [
        (
            "addRoutePartition",
            "<routePartition><name>PT_New</name></routePartition>",
        ),
        ("addCss", "<css><name>CSS_New</name></css>"),
        ("addUser", USER),
        ("addUser", PLAIN_USER),
        ("addLine", LINE),
        ("addLine", "<line><pattern>6002</pattern></line>"),
        ("addPhone", PHONE),
        ("addPhone", PLAIN_PHONE),
    ] {
        axl.succeed("12.5", operation, elements).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_axl_only_keeps_stands_in_the_rows() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        site(&axl).await;
        for (statement, expected) in EXPECTED {
            assert_eq!(rows(&axl, statement).await, *expected, "{statement}");
        }
    })
    .await;
}

/// What SQL changes, AXL gives, also where it keeps a text beside another.
#[tokio::test(flavor = "multi_thread")]
async fn texts_for_old_character_sets_are_the_same_over_sql_and_axl() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        site(&axl).await;
        let key = "<pattern>6001</pattern><routePartitionName>PT_New</routePartitionName>";
        for (set, sql, element) in [
            (
                "alertingname = 'New', alertingnameascii = 'New ascii'",
                "New,New ascii",
                "<asciiAlertingName>New ascii</asciiAlertingName>",
            ),
            (
                "alertingname = 'Same', alertingnameascii = 'Same'",
                "Same,Same",
                "<asciiAlertingName/>",
            ),
        ] {
            let update = format!("<sql>update numplan set {set} where dnorpattern='6001'</sql>");
            axl.succeed("12.5", "executeSQLUpdate", &update).await;
            let statement =
                "select alertingname, alertingnameascii from numplan where dnorpattern = '6001'";
            assert_eq!(rows(&axl, statement).await, sql);
            let line = axl.succeed("12.5", "getLine", key).await;
            assert!(line.contains(element), "{element} {line}");
        }
        let update = "<sql>update devicenumplanmap set display='Both', displayascii='Both' \
            where numplanindex=1</sql>";
        axl.succeed("12.5", "executeSQLUpdate", update).await;
        let statement = "select display, displayascii, tkringsetting from devicenumplanmap \
            where numplanindex = 1";
        assert_eq!(rows(&axl, statement).await, "Both,Both,5");
        let phone = "<name>SEP0011AABBCC01</name>";
        let phone = axl.succeed("12.5", "getPhone", phone).await;
        assert!(!phone.contains("Front ascii"), "{phone}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_have_one_identity_and_name() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let listed = axl
            .succeed(
                "12.5",
                "listProcessNode",
                "<searchCriteria><name>%</name></searchCriteria>\
                 <returnedTags><name/></returnedTags>",
            )
            .await;
        let server = rows(&axl, "select pkid, name from processnode").await;
        let (pkid, name) = server.split_once(',').unwrap();
        let pkid = format!("{{{}}}", pkid.to_uppercase());
        assert!(listed.contains(&pkid), "{listed} {server}");
        assert!(listed.contains(&format!("<name>{name}</name>")), "{listed}");
        let statement = "select m.name, n.name from callmanager m \
            join processnode n on n.pkid = m.fkprocessnode where n.name <> ''";
        let joined = rows(&axl, statement).await;
        let (node, of_node) = joined.split_once(',').unwrap();
        assert_eq!(of_node, name);
        let node = axl
            .succeed("12.5", "getCallManager", &format!("<name>{node}</name>"))
            .await;
        let reference = format!("<processNodeName uuid=\"{pkid}\">{name}</processNodeName>");
        assert!(node.contains(&reference), "{node}");
    })
    .await;
}

/// What AXL refuses: operation, its elements, and the same in SQL.
fn refused_texts() -> Vec<(&'static str, String, String)> {
    let phone = |elements: &str| format!("<name>SEP0011AABBCC01</name>{elements}");
    let number = |elements: &str| {
        format!("<pattern>6001</pattern><routePartitionName>PT_New</routePartitionName>{elements}")
    };
    vec![
        (
            "updatePhone",
            phone("<description>x&lt;y</description>"),
            "device set description='x<y'".to_owned(),
        ),
        (
            "updatePhone",
            phone("<description>50% off</description>"),
            "device set description='50% off'".to_owned(),
        ),
        (
            "updateLine",
            number("<description>a\\b</description>"),
            "numplan set description='a\\b'".to_owned(),
        ),
        (
            "updateLine",
            number("<alertingName>[a]</alertingName>"),
            "numplan set alertingname='[a]'".to_owned(),
        ),
        (
            "updateLine",
            number("<asciiAlertingName>a|b</asciiAlertingName>"),
            "numplan set alertingnameascii='a|b'".to_owned(),
        ),
    ]
}

/// The same of the appearance of a line on a phone.
fn refused_of_appearances() -> Vec<(&'static str, String, String)> {
    let phone = |elements: &str| format!("<name>SEP0011AABBCC01</name>{elements}");
    let line = |elements: &str| {
        let dirn = "<pattern>6001</pattern><routePartitionName>PT_New</routePartitionName>";
        phone(&format!(
            "<lines><line><index>1</index><dirn>{dirn}</dirn>{elements}</line></lines>"
        ))
    };
    let long = "x".repeat(31);
    vec![
        (
            "updatePhone",
            line("<e164Mask>hello world</e164Mask>"),
            "devicenumplanmap set e164mask='hello world'".to_owned(),
        ),
        (
            "updatePhone",
            line("<e164Mask>0123456789012345678901234</e164Mask>"),
            "devicenumplanmap set e164mask='0123456789012345678901234'".to_owned(),
        ),
        (
            "updatePhone",
            line(&format!("<label>{long}</label>")),
            format!("devicenumplanmap set label='{long}'"),
        ),
        (
            "updatePhone",
            line("<display>a{b</display>"),
            "devicenumplanmap set display='a{b'".to_owned(),
        ),
        (
            "updatePhone",
            line("<maxNumCalls>9999</maxNumCalls>"),
            "devicenumplanmap set maxnumcalls=9999".to_owned(),
        ),
        (
            "updatePhone",
            line("<maxNumCalls>0</maxNumCalls>"),
            "devicenumplanmap set maxnumcalls=0".to_owned(),
        ),
        (
            "updatePhone",
            line("<busyTrigger>0</busyTrigger>"),
            "devicenumplanmap set busytrigger=0".to_owned(),
        ),
        (
            "updatePhone",
            line("<maxNumCalls>6</maxNumCalls><busyTrigger>9</busyTrigger>"),
            "devicenumplanmap set busytrigger=9".to_owned(),
        ),
    ]
}

/// One rule for a value, whatever door it comes through: refused over AXL, over SQL and by the use
/// case that other doors call, and nothing changes.
#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_axl_refuses_is_refused_over_sql_as_well() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        site(&axl).await;
        let before = all_texts(&axl).await;
        for (operation, elements, set) in [refused_texts(), refused_of_appearances()].concat() {
            let (code, message) = axl.refused("12.5", operation, &elements).await;
            assert_ne!(code, -1, "{elements}: {message}");
            let statement = match set.split_once(' ') {
                Some(("device", _)) => format!("update {set} where name = 'SEP0011AABBCC01'"),
                Some(("numplan", _)) => format!("update {set} where dnorpattern = '6001'"),
                _ => format!("update {set} where numplanindex = 1"),
            };
            let sql = format!("<sql>{}</sql>", quick_xml::escape::escape(&statement));
            let (_, said) = axl.refused("12.5", "executeSQLUpdate", &sql).await;
            assert!(!said.contains("syntax"), "{statement}: {said}");
            assert_eq!(all_texts(&axl).await, before, "{statement}");
        }
        let calls = "<sql>update devicenumplanmap set maxnumcalls=2 where numplanindex=1</sql>";
        let (_, said) = axl.refused("12.5", "executeSQLUpdate", calls).await;
        assert!(said.contains("Busy Trigger is 3"), "{said}");
    })
    .await;
}

/// Every text and number that those statements could change.
async fn all_texts(axl: &Axl) -> String {
    let mut texts = String::new();
    for statement in [
        "select name, description from device order by name",
        "select dnorpattern, description, alertingname, alertingnameascii from numplan \
         order by dnorpattern",
        "select numplanindex, label, display, e164mask, maxnumcalls, busytrigger \
         from devicenumplanmap order by numplanindex",
    ] {
        texts += &rows(axl, statement).await;
    }
    texts
}

#[tokio::test]
async fn a_number_with_a_plus_is_written_as_axl_writes_it() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let line = "<line><pattern>\\+4930123</pattern></line>";
        axl.succeed("14.0", "addLine", line).await;
        let question = "select dnorpattern from numplan where dnorpattern = '\\+4930123'";
        assert_eq!(rows(&axl, question).await, "\\+4930123");
        let change = "update numplan set description = 'Head' where dnorpattern = '\\+4930123'";
        let change = format!("<sql>{}</sql>", quick_xml::escape::escape(change));
        let changed = axl.succeed("14.0", "executeSQLUpdate", &change).await;
        assert!(changed.contains("<rowsUpdated>1<"), "{changed}");
        let question = "select description from numplan where dnorpattern like '%4930123'";
        assert_eq!(rows(&axl, question).await, "Head");
    })
    .await;
}
