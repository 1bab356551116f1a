//! `selfprov cert`, from the first key to a list that phones fetch, and back from a lost database.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use crate::program::{Serve, done, eventually, json, refused, start_once};
use crate::trust_list_support::tvs::Tvs;
use crate::trust_list_support::{Decoded, ModelPhone, openssl};

const PASSPHRASE: &str = "correct horse battery";

/// A data directory with trust lists on and a file with the passphrase.
fn data_dir() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("passphrase"), PASSPHRASE).unwrap();
    fs::write(
        folder.path().join("selfprov.toml"),
        "[trust_list]\nenabled = true\n",
    )
    .unwrap();
    folder
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).display().to_string()
}

fn export(folder: &Path, name: &str) -> String {
    let (out, passphrase) = (path(folder, name), path(folder, "passphrase"));
    let arguments = [
        "cert",
        "export",
        "--out",
        &out,
        "--passphrase-file",
        &passphrase,
    ];
    done(folder, &arguments)
}

/// The general list, or nothing while none is served.
fn list(service: &Serve) -> Option<Vec<u8>> {
    file(service, "ITLFile.tlv")
}

/// A file over HTTP, or nothing where there is none.
fn file(service: &Serve, name: &str) -> Option<Vec<u8>> {
    let files = service
        .row("files")
        .split(' ')
        .next()
        .unwrap()
        .trim_end_matches(',');
    let output = Command::new("curl")
        .args(["--silent", "--fail", "--max-time", "20"])
        .arg(format!("{files}/{name}"))
        .output()
        .unwrap();
    output.status.success().then_some(output.stdout)
}

fn states(folder: &Path) -> Vec<(u64, String)> {
    let view = json(folder, &["cert", "list"]);
    let keys = view["trust_lists"]["keys"].as_array().unwrap().clone();
    keys.iter()
        .map(|key| {
            let state = key["state"].as_str().unwrap().to_owned();
            (key["number"].as_u64().unwrap(), state)
        })
        .collect()
}

#[test]
fn a_key_is_made_exported_for_its_owner_alone_and_can_be_opened_with_openssl() {
    let folder = data_dir();
    let folder = folder.path();
    start_once(folder);
    let error = refused(folder, &["cert", "rotate"], 1);
    assert!(error.contains("create-trust-key"), "{error}");
    let made = done(folder, &["cert", "create-trust-key"]);
    assert!(
        made.contains("erased by hand") && made.contains("cert export --out"),
        "{made}"
    );
    let error = refused(folder, &["cert", "create-trust-key"], 1);
    assert!(error.contains("cert rotate"), "{error}");
    assert_eq!(states(folder), [(1, "not exported".to_owned())]);
    let shown = done(folder, &["cert", "show"]);
    assert!(shown.contains("has not been exported yet"), "{shown}");

    fs::write(folder.join("there"), "mine").unwrap();
    let there = path(folder, "there");
    let passphrase = path(folder, "passphrase");
    let error = refused(
        folder,
        &[
            "cert",
            "export",
            "--out",
            &there,
            "--passphrase-file",
            &passphrase,
        ],
        1,
    );
    assert!(error.contains("counts as not exported"), "{error}");
    assert_eq!(fs::read(folder.join("there")).unwrap(), b"mine");
    fs::write(folder.join("short"), "short").unwrap();
    let (out, short) = (path(folder, "k.pem"), path(folder, "short"));
    let error = refused(
        folder,
        &["cert", "export", "--out", &out, "--passphrase-file", &short],
        1,
    );
    assert!(error.contains("12 characters"), "{error}");
    assert!(!folder.join("k.pem").exists(), "nothing half-done is left");
    assert_eq!(states(folder), [(1, "not exported".to_owned())]);

    export(folder, "k.pem");
    assert_eq!(states(folder), [(1, "signs".to_owned())]);
    let mode = fs::metadata(folder.join("k.pem"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let pass = format!("pass:{PASSPHRASE}");
    assert!(
        openssl(
            folder,
            &["pkey", "-in", "k.pem", "-noout", "-passin", &pass]
        )
        .0
    );
    let error = refused(folder, &["cert", "retire", "1", "--force"], 1);
    assert!(error.contains("the only one"), "{error}");
}

#[test]
fn the_service_serves_the_list_and_follows_its_certificate() {
    let folder = data_dir();
    let folder = folder.path();
    let service = Serve::start(folder);
    assert_eq!(list(&service), None);
    done(folder, &["cert", "create-trust-key"]);
    assert_eq!(list(&service), None, "nobody has saved the key");
    export(folder, "k.pem");
    let first = list(&service).expect("served as soon as the key is safe");
    let mut phone = ModelPhone::with(&first);

    fs::write(folder.join("ITLFile.tlv"), &first).unwrap();
    let file = path(folder, "ITLFile.tlv");
    let verified = done(folder, &["cert", "verify", &file]);
    assert!(verified.contains("the signature is right"), "{verified}");
    assert!(
        verified.contains("APP-SERVER") && verified.contains("SHA-512"),
        "{verified}"
    );
    let shown = done(folder, &["cert", "show"]);
    assert!(shown.contains("SAST") && shown.contains("CCM"), "{shown}");
    let mut changed = first.clone();
    let last = changed.len() - 1;
    changed[last] ^= 1;
    fs::write(folder.join("ITLFile.tlv"), &changed).unwrap();
    let error = refused(folder, &["cert", "verify", &file], 1);
    assert!(error.contains("its signature is not right"), "{error}");

    // The certificate is replaced on disk, as renewal does it.
    let new = tempfile::tempdir().unwrap();
    let request = [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-keyout",
        "https-key.pem",
        "-out",
        "https-certificate.pem",
        "-days",
        "30",
        "-subj",
        "/O=Example/OU=Voice/CN=voice.example",
    ];
    assert!(openssl(new.path(), &request).0);
    let read = ["x509", "-in", "https-certificate.pem", "-outform", "DER"];
    let (_, der) = openssl(new.path(), &read);
    assert!(!phone.trusts_service(&der));
    for name in ["https-key.pem", "https-certificate.pem"] {
        fs::copy(new.path().join(name), folder.join(name)).unwrap();
    }
    service.hang_up();
    let second = eventually("a list with the new certificate", || {
        list(&service).filter(|list| *list != first)
    });
    assert!(phone.offer(&second) && phone.trusts_service(&der));
    let subjects: Vec<String> = Decoded::read(&second)
        .roles()
        .into_iter()
        .map(|role| role.1)
        .collect();
    assert_eq!(subjects[1], "CN=voice.example,OU=Voice,O=Example");
}

#[test]
fn tvs_is_a_door_of_the_service_that_lists_and_files_name() {
    let folder = data_dir();
    let folder = folder.path();
    let settings = "[trust_list]\nenabled = true\n[listen]\ntvs = true\n";
    fs::write(folder.join("selfprov.toml"), settings).unwrap();
    let service = Serve::start(folder);
    done(folder, &["cert", "create-trust-key"]);
    export(folder, "k.pem");
    let keys = done(folder, &["cert", "list"]);
    assert!(keys.contains("TVS        listed"), "{keys}");
    let list = Decoded::read(&list(&service).expect("a list"));
    let address = service.row("TVS").split(' ').next().unwrap().to_owned();
    let mut tvs = Tvs::connect(address.parse().unwrap(), list.certificates(21)[0]);
    let said = tvs.ask(7, list.certificates(7)[0]).expect("an answer");
    assert_eq!((said.status, said.roles), (0, vec![7, 1, 3]));
    assert_eq!(tvs.ask(8, b"0\x03der").expect("an answer").status, 1);
    let file = file(&service, "XMLDefault.cnf.xml").expect("a file");
    let file = String::from_utf8(file).unwrap();
    let (ip, port) = address.rsplit_once(':').unwrap();
    for expected in [
        format!("<port>{port}</port>"),
        format!("<address>{ip}</address>"),
    ] {
        assert!(file.contains(&expected), "{expected} is not in {file}");
    }
}

#[test]
fn signed_files_are_served_and_verified_with_the_own_key_or_with_a_list() {
    let folder = data_dir();
    let folder = folder.path();
    let settings = "[trust_list]\nenabled = true\nsigned_configuration = true\n";
    fs::write(folder.join("selfprov.toml"), settings).unwrap();
    let service = Serve::start(folder);
    done(folder, &["cert", "create-trust-key"]);
    assert_eq!(file(&service, "dialplan.xml.sgn"), None);
    export(folder, "k.pem");
    let plain = file(&service, "dialplan.xml").unwrap();
    let signed = file(&service, "dialplan.xml.sgn").expect("a signed file");
    let phone = ModelPhone::with(&list(&service).unwrap());
    assert_eq!(phone.reads("dialplan.xml.sgn", &signed), Some(plain));

    let (sgn, itl) = (path(folder, "x.sgn"), path(folder, "ITLFile.tlv"));
    fs::write(&sgn, &signed).unwrap();
    fs::write(&itl, list(&service).unwrap()).unwrap();
    for more in [&[][..], &["--list", &itl]] {
        let arguments = [&["cert", "verify", &sgn], more].concat();
        let said = done(folder, &arguments);
        assert!(said.starts_with("dialplan.xml.sgn, made "), "{said}");
        assert!(said.contains("signed by CN=selfprov configuration files "));
        assert!(said.contains("SHA-512") && said.contains("<dialTemplate>"));
    }
    let mut changed = signed.clone();
    let last = changed.len() - 3;
    changed[last] ^= 1;
    fs::write(&sgn, &changed).unwrap();
    let error = refused(folder, &["cert", "verify", &sgn], 1);
    assert!(error.contains("its signature is not right"), "{error}");

    // Another installation's list does not name the signer.
    let other = data_dir();
    let other_service = Serve::start(other.path());
    done(other.path(), &["cert", "create-trust-key"]);
    export(other.path(), "k.pem");
    fs::write(&sgn, &signed).unwrap();
    fs::write(&itl, list(&other_service).unwrap()).unwrap();
    let error = refused(folder, &["cert", "verify", &sgn, "--list", &itl], 1);
    assert!(error.contains("phones would refuse it"), "{error}");
}

#[test]
fn a_key_comes_back_from_its_export_and_another_key_pair_from_pem() {
    let old = data_dir();
    start_once(old.path());
    done(old.path(), &["cert", "create-trust-key"]);
    export(old.path(), "k.pem");
    let new = data_dir();
    let folder = new.path();
    start_once(folder);
    let (file, passphrase) = (path(old.path(), "k.pem"), path(folder, "passphrase"));
    fs::write(folder.join("wrong"), "wrong horse battery").unwrap();
    let wrong = path(folder, "wrong");
    let error = refused(
        folder,
        &["cert", "import", &file, "--passphrase-file", &wrong],
        1,
    );
    assert!(error.contains("passphrase does not open"), "{error}");
    done(
        folder,
        &["cert", "import", &file, "--passphrase-file", &passphrase],
    );
    assert_eq!(states(folder), [(1, "signs".to_owned())]);

    // A key that openssl made, first under a cipher of old.
    let request = [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        "clear.pem",
        "-out",
        "cert.pem",
        "-days",
        "30",
        "-subj",
        "/O=Example/OU=Voice/CN=old tokens",
    ];
    assert!(openssl(folder, &request).0);
    let import_under = |cipher: &str| {
        let pass = format!("pass:{PASSPHRASE}");
        let arguments = [
            "pkcs8",
            "-topk8",
            "-v2",
            cipher,
            "-in",
            "clear.pem",
            "-out",
            "key.pem",
            "-passout",
            &pass,
        ];
        assert!(openssl(folder, &arguments).0, "{cipher}");
        let parts = ["key.pem", "cert.pem"].map(|name| fs::read(folder.join(name)).unwrap());
        fs::write(folder.join("both.pem"), parts.concat()).unwrap();
        let both = path(folder, "both.pem");
        ["cert", "import", &both, "--passphrase-file", &passphrase].map(str::to_owned)
    };
    let arguments = import_under("des3");
    let error = refused(folder, &arguments.each_ref().map(String::as_str), 1);
    assert!(error.contains("-v2 aes-256-cbc"), "{error}");
    let arguments = import_under("aes-256-cbc");
    done(folder, &arguments.each_ref().map(String::as_str));
    let expected = [(1, "signs".to_owned()), (2, "listed".to_owned())];
    assert_eq!(states(folder), expected);
    done(folder, &["cert", "retire", "1"]);
    let expected = [(1, "retired".to_owned()), (2, "signs".to_owned())];
    assert_eq!(states(folder), expected);
}
