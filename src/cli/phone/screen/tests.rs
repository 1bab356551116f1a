use super::*;

const LOGIN: &str = "<Title>Login</Title><Prompt>Log in to provision this device.</Prompt>";
const FIELDS: &str = "<URL method=\"post\">https://h/x?name=#DEVICENAME#</URL>\
    <InputItem><DisplayName>UserID</DisplayName><QueryStringParam>userid</QueryStringParam>\
    <InputFlags>A</InputFlags><DefaultValue>joe</DefaultValue></InputItem>\
    <InputItem><DisplayName>PIN</DisplayName><QueryStringParam>pin</QueryStringParam>\
    <DefaultValue/><InputFlags>NP</InputFlags></InputItem>";
const KEYS: &str = "<SoftKeyItem><Name>&lt;&lt;</Name><Position>2</Position>\
    <URL>SoftKey:&lt;&lt;</URL></SoftKeyItem>\
    <SoftKeyItem><Name>Submit</Name><Position>1</Position><URL>SoftKey:Submit</URL></SoftKeyItem>";

fn parse(inside: &[&str]) -> Result<Screen, ScreenError> {
    let document = format!("<CiscoIPPhoneInput>{}</CiscoIPPhoneInput>", inside.concat());
    Screen::parse(document.as_bytes())
}

#[test]
fn soft_keys_before_or_after_the_fields_give_the_same_screen() {
    let schema_order = parse(&[LOGIN, KEYS, FIELDS]).unwrap();
    let field_order = parse(&[LOGIN, FIELDS, KEYS]).unwrap();
    assert_eq!(schema_order, field_order);
    let names: Vec<&str> = schema_order
        .soft_keys
        .iter()
        .map(|key| key.name.as_str())
        .collect();
    assert_eq!(names, ["Submit", "<<"]);
    let form = schema_order.form().unwrap();
    assert!(form.post);
    assert_eq!(form.items[0].default, "joe");
    assert_eq!(
        form.items[1].flags,
        InputFlags {
            kind: 'N',
            hidden: true
        }
    );
    assert_eq!(
        schema_order.soft_key("submit").unwrap().url,
        "SoftKey:Submit"
    );
}

#[test]
fn the_strict_parser_refuses_what_firmware_refuses() {
    let without_url = "<InputItem><QueryStringParam>x</QueryStringParam></InputItem>";
    let without_parameter =
        "<URL>http://h/</URL><InputItem><DisplayName>x</DisplayName></InputItem>";
    let without_position = "<SoftKeyItem><Name>x</Name><URL>SoftKey:Exit</URL></SoftKeyItem>";
    let long_title = format!("<Title>{}</Title>", "t".repeat(33));
    let long_url = format!("<URL>http://h/{}</URL>", "u".repeat(250));
    let six = "<InputItem><QueryStringParam>x</QueryStringParam></InputItem>".repeat(6);
    for bad in [
        vec![without_url],
        vec![without_parameter],
        vec![FIELDS, without_position],
        vec![FIELDS, &long_title],
        vec![&long_url],
        vec!["<URL>http://h/</URL>", &six],
        vec![
            "<URL>http://h/</URL>",
            "<InputItem><QueryStringParam>x</QueryStringParam><InputFlags>Q</InputFlags></InputItem>",
        ],
    ] {
        assert!(matches!(parse(&bad), Err(ScreenError::Parse(_))), "{bad:?}");
    }
    assert_eq!(
        Screen::parse(b"<CiscoIPPhoneImage/>"),
        Err(ScreenError::Unsupported("CiscoIPPhoneImage".into()))
    );
    assert!(matches!(
        Screen::parse(b"<ciscoipphonetext/>"),
        Err(ScreenError::Unsupported(_))
    ));
}

#[test]
fn a_document_without_soft_keys_gets_the_phones_own() {
    let screen = Screen::parse(b"<CiscoIPPhoneText><Text>hi</Text></CiscoIPPhoneText>").unwrap();
    assert_eq!(screen.body, Body::Text("hi".into()));
    assert!(screen.soft_key("Exit").is_some());
    let menu = Screen::parse(
        b"<CiscoIPPhoneMenu><MenuItem><Name>a</Name><URL>http://h/a</URL></MenuItem></CiscoIPPhoneMenu>",
    )
    .unwrap();
    assert!(menu.soft_key("Select").is_some());
    let execute = Screen::parse(
        b"<CiscoIPPhoneExecute><ExecuteItem URL=\"Init:Services\"/></CiscoIPPhoneExecute>",
    )
    .unwrap();
    assert_eq!(execute.body, Body::Execute(vec!["Init:Services".into()]));
}
