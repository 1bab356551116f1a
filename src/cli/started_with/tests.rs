use super::*;

fn flag(key: &str, text: &str) -> (String, String, String) {
    (format!("--set {key}"), key.to_owned(), text.to_owned())
}

fn sources(data_dir: &Path) -> Sources {
    let here = data_dir.display().to_string();
    Sources {
        flags: vec![flag(DATA_DIR_KEY, &here)],
        ..Sources::default()
    }
}

fn port(loaded: &Loaded) -> u16 {
    loaded.settings.addresses().https.port()
}

#[test]
fn a_command_reads_what_the_service_was_started_with_and_its_own_word_wins() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("settings.toml");
    fs::write(&file, "[listen]\nhttp_phones = true\n").unwrap();
    let mut serve = sources(dir.path());
    serve.file = Some(file.clone());
    serve.flags.push(flag("listen.https_port", "9443"));
    let level = "SELFPROV_LOG__LEVEL".to_owned();
    serve.environment = vec![(level, "debug".to_owned())];
    remember(&Loaded::read(&serve).unwrap(), &serve).unwrap();

    let seen = settings(sources(dir.path())).unwrap();
    assert_eq!(seen.file, Some(file));
    assert!(seen.settings.listen.http_phones);
    assert_eq!(port(&seen), 9443);
    let level = |loaded: &Loaded| loaded.settings.log.level.as_str().to_owned();
    assert_eq!(level(&seen), "debug");

    let mut own = sources(dir.path());
    let name = "SELFPROV_LISTEN__HTTPS_PORT".to_owned();
    own.environment = vec![(name, "9444".to_owned())];
    assert_eq!(port(&settings(own).unwrap()), 9444);
    let mut own = sources(dir.path());
    own.flags.push(flag("listen.https_port", "9445"));
    assert_eq!(port(&settings(own).unwrap()), 9445);

    let mine = dir.path().join("mine.toml");
    let text = "[listen]\nhttps_port = 9446\n[log]\nlevel = \"warn\"\n";
    fs::write(&mine, text).unwrap();
    let mut named = sources(dir.path());
    named.file = Some(mine.clone());
    let variable = ("SELFPROV_CONFIG".to_owned(), mine.display().to_string());
    let mut named_by_variable = sources(dir.path());
    named_by_variable.environment = vec![variable];
    for own in [named, named_by_variable] {
        let seen = settings(own).unwrap();
        assert_eq!(seen.file.as_ref(), Some(&mine));
        assert_eq!(port(&seen), 9446);
        assert_eq!(level(&seen), "warn");
        assert!(!seen.settings.listen.http_phones);
    }
}

#[test]
fn no_password_is_remembered() {
    let dir = tempfile::tempdir().unwrap();
    let url = "postgres://sip:kettle@db/sip?sslmode=require";
    let mut by_flag = sources(dir.path());
    by_flag.flags.push(flag(DATABASE_KEY, url));
    let mut by_variable = sources(dir.path());
    let variable = "SELFPROV_DATABASE__URL".to_owned();
    by_variable.environment = vec![(variable, url.to_owned())];
    for serve in [by_flag, by_variable] {
        remember(&Loaded::read(&serve).unwrap(), &serve).unwrap();
        let kept = fs::read_to_string(dir.path().join(FILE_NAME)).unwrap();
        assert!(!kept.contains("kettle"), "{kept}");
        assert!(kept.contains("postgres://sip:[redacted]@db/sip"), "{kept}");
        fs::write(dir.path().join("key"), "").unwrap();
        let seen = settings(sources(dir.path())).unwrap().settings;
        let error = refuse_unknown_database(&seen).unwrap_err().to_string();
        assert!(error.contains("password is not kept"), "{error}");
        let seen = settings(serve).unwrap().settings;
        assert_eq!(seen.database.url.as_ref().unwrap().reveal(), url);
        refuse_unknown_database(&seen).unwrap();
    }
}

#[test]
fn relative_paths_are_those_of_the_services_directory() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("settings.toml");
    fs::write(&file, "[phones]\nfirmware_dir = \"loads\"\n").unwrap();
    let mut serve = sources(dir.path());
    serve.file = Some(file);
    serve.flags.push(flag(DATABASE_KEY, "sqlite:here/a.db"));
    serve.flags.push(flag("tls.key_file", "/etc/key.pem"));
    let variable = "SELFPROV_LOG__DIR".to_owned();
    serve.environment = vec![(variable, "log".to_owned())];
    remember(&Loaded::read(&serve).unwrap(), &serve).unwrap();
    let mut started = read(dir.path()).unwrap().unwrap();
    started.directory = Some("/srv".into());
    let text = serde_json::to_vec(&started).unwrap();
    write(&dir.path().join(FILE_NAME), &text).unwrap();

    let mut own = sources(dir.path());
    own.flags.push(flag("tls.certificate_file", "mine.pem"));
    let seen = settings(own).unwrap().settings;
    let path = |path: &str| Some(PathBuf::from(path));
    assert_eq!(seen.sqlite_file(), path("/srv/here/a.db"));
    assert_eq!(seen.log.dir, path("/srv/log"));
    assert_eq!(seen.phones.firmware_dir, path("/srv/loads"));
    assert_eq!(seen.tls.key_file, path("/etc/key.pem"));
    assert_eq!(seen.tls.certificate_file, path("mine.pem"));
    assert_eq!(seen.top.data_dir, dir.path());
}
