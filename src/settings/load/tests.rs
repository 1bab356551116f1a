use super::*;

fn flag(key: &str, text: &str) -> (String, String, String) {
    (format!("--set {key}"), key.to_owned(), text.to_owned())
}

fn variable(name: &str, text: &str) -> (String, String) {
    (name.to_owned(), text.to_owned())
}

fn file_with(text: &str) -> (tempfile::TempDir, Sources) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("settings.toml");
    std::fs::write(&path, text).unwrap();
    let sources = Sources {
        file: Some(path),
        ..Sources::default()
    };
    (dir, sources)
}

fn origin_of(loaded: &Loaded, dotted: &str) -> String {
    let key = Settings::keys().find(|key| key.dotted() == dotted).unwrap();
    loaded.origin(key).to_string()
}

#[test]
fn a_flag_beats_the_environment_beats_the_file_beats_the_default() {
    let (_dir, mut sources) = file_with(
        "[listen]\nhttps_port = 1\nfiles_http_port = 1\ntftp_port = 1\n[log]\nlevel = \"warn\"\n",
    );
    sources.environment = vec![
        variable("SELFPROV_LISTEN__FILES_HTTP_PORT", "2"),
        variable("SELFPROV_LISTEN__TFTP_PORT", "2"),
        variable("PATH", "/bin"),
        variable("SELFPROV_TEST_POSTGRES", "yes"),
    ];
    sources.flags = vec![flag("listen.tftp_port", "3")];
    let loaded = Loaded::read(&sources).unwrap();
    let listen = &loaded.settings.listen;
    assert_eq!(listen.https_port.0, 1);
    assert_eq!(listen.files_http_port.0, 2);
    assert_eq!(listen.tftp_port.0, 3);
    assert_eq!(listen.sip_udp_port.0, 5060);
    assert!(origin_of(&loaded, "listen.https_port").starts_with("file "));
    assert_eq!(
        origin_of(&loaded, "listen.files_http_port"),
        "environment SELFPROV_LISTEN__FILES_HTTP_PORT"
    );
    assert_eq!(
        origin_of(&loaded, "listen.tftp_port"),
        "flag --set listen.tftp_port"
    );
    assert_eq!(origin_of(&loaded, "listen.sip_udp_port"), "default");
}

#[test]
fn an_unknown_key_is_an_error_that_names_the_nearest_one() {
    let (_dir, sources) = file_with("[listen]\nhttp_port = 8443\n");
    let error = Loaded::read(&sources).unwrap_err().to_string();
    assert!(
        error.contains("unknown setting listen.http_port"),
        "{error}"
    );
    assert!(error.contains("did you mean listen.https_port?"), "{error}");
    let (_dir, sources) = file_with("data_dri = \"/x\"\n");
    let error = Loaded::read(&sources).unwrap_err().to_string();
    assert!(error.contains("did you mean data_dir?"), "{error}");
    let (_dir, sources) = file_with("[lissten]\nhttps_port = 1\n");
    assert!(Loaded::read(&sources).is_err());
    let sources = Sources {
        environment: vec![variable("SELFPROV_LISTEN__TFTP_PROT", "1")],
        ..Sources::default()
    };
    let error = Loaded::read(&sources).unwrap_err().to_string();
    assert!(
        error.contains("environment SELFPROV_LISTEN__TFTP_PROT"),
        "{error}"
    );
}

#[test]
fn a_wrong_value_says_where_it_was_written_and_what_is_allowed() {
    let sources = Sources {
        flags: vec![flag("phones.config_source", "everywhere")],
        ..Sources::default()
    };
    let error = Loaded::read(&sources).unwrap_err().to_string();
    assert!(
        error.contains("phones.config_source (flag --set phones.config_source)"),
        "{error}"
    );
    assert!(error.contains("last, subnet, any"), "{error}");
    let (_dir, sources) = file_with("[listen\n");
    assert!(matches!(
        Loaded::read(&sources),
        Err(SettingsError::Syntax { .. })
    ));
    let sources = Sources {
        file: Some("/nonexistent/x.toml".into()),
        ..Sources::default()
    };
    assert!(matches!(
        Loaded::read(&sources),
        Err(SettingsError::Unreadable { .. })
    ));
}

#[test]
fn the_data_directory_holds_the_settings_file_unless_another_is_named() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(FILE_NAME), "[log]\nformat = \"json\"\n").unwrap();
    let text = dir.path().display().to_string();
    let sources = Sources {
        flags: vec![flag("data_dir", &text)],
        ..Sources::default()
    };
    let loaded = Loaded::read(&sources).unwrap();
    assert_eq!(loaded.settings.log.format.as_str(), "json");
    assert_eq!(loaded.settings.top.data_dir, dir.path());
    assert!(loaded.settings.database_url().ends_with("selfprov.sqlite"));
    let sources = Sources {
        environment: vec![variable("SELFPROV_DATA_DIR", &text)],
        ..Sources::default()
    };
    assert!(Loaded::read(&sources).unwrap().file.is_some());
}

#[test]
fn lists_and_optional_keys_can_be_set_and_taken_back() {
    let (_dir, mut sources) =
        file_with("[calls]\nemergency_numbers = [\"112\"]\npbx = \"pbx:5060\"\n");
    sources.flags = vec![
        flag("calls.pbx", ""),
        flag("calls.emergency_numbers", "110,112"),
    ];
    let loaded = Loaded::read(&sources).unwrap();
    assert_eq!(loaded.settings.calls.pbx, None);
    assert_eq!(loaded.settings.calls.emergency_numbers.len(), 2);
    assert!(Sources::default().add_assignment("no-equals-sign").is_err());
}
