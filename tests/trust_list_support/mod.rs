//! A reader of trust lists and a phone that judges them, made from the description of the format
//! and with `openssl`: nothing of the program's own writer, reader or numbers is used.

pub(crate) mod tvs;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

/// The items of one part of a file: tag to value. Padding is counted apart.
pub(crate) type Items = BTreeMap<u8, Vec<u8>>;

/// A file, taken apart.
#[derive(Debug, Clone)]
pub(crate) struct Decoded {
    /// Items of the header.
    pub(crate) header: Items,
    /// Items of the signer.
    pub(crate) signer: Items,
    /// Items that say how it is signed.
    pub(crate) signature_info: Items,
    /// The records.
    pub(crate) records: Vec<Items>,
    /// The file without the item of its signature.
    pub(crate) signed: Vec<u8>,
}

fn number(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .fold(0, |sum, byte| sum * 256 + usize::from(*byte))
}

/// Splits bytes into items: tag, begin and end of the whole item, value.
fn split(bytes: &[u8]) -> Vec<(u8, usize, usize, Vec<u8>)> {
    let mut items = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == 0x0D {
            items.push((0x0D, at, at + 1, Vec::new()));
            at += 1;
            continue;
        }
        let end = at + 3 + number(&bytes[at + 1..at + 3]);
        items.push((bytes[at], at, end, bytes[at + 3..end].to_vec()));
        at = end;
    }
    items
}

/// Items by tag; each but padding once.
fn by_tag(bytes: &[u8]) -> Items {
    let mut items = Items::new();
    for (tag, _, _, value) in split(bytes) {
        let again = items.insert(tag, value);
        assert!(again.is_none() || tag == 0x0D, "tag {tag} twice");
    }
    items
}

impl Decoded {
    /// Takes a file apart; what does not fit the description fails the test.
    pub(crate) fn read(file: &[u8]) -> Self {
        assert_eq!(
            &file[..5],
            [1, 0, 2, 1, 2],
            "header version 1.2 comes first"
        );
        assert_eq!(&file[5..8], [2, 0, 2], "then the length of the header");
        let length = number(&file[8..10]);
        assert_eq!(length % 4, 0, "the header is padded to a multiple of four");
        let (head, mut rest) = file.split_at(length);
        let items = split(head);
        let (begin, end) = items
            .iter()
            .find(|item| item.0 == 12)
            .map(|item| (item.1, item.2))
            .expect("a signature");
        let tags: Vec<u8> = items.iter().map(|item| item.0).collect();
        let padding = items.iter().filter(|item| item.0 == 13).count();
        assert!(padding < 4, "no more padding than is needed");
        let order = [1, 2, 28, 3, 7, 12, 14, 15];
        assert_eq!(tags[..tags.len() - padding], order, "padding ends it");
        let mut records = Vec::new();
        while !rest.is_empty() {
            assert_eq!(&rest[..3], [1, 0, 2], "a record begins with its length");
            let (record, after) = rest.split_at(number(&rest[3..5]));
            records.push(by_tag(record));
            rest = after;
        }
        let header = by_tag(head);
        let signature_info = by_tag(&header[&7]);
        let algorithm = by_tag(&signature_info[&9]);
        let key_of_256_bytes = (&[0][..], &[2][..]);
        assert_eq!((&algorithm[&10][..], &algorithm[&11][..]), key_of_256_bytes);
        Self {
            signer: by_tag(&header[&3]),
            signature_info,
            header,
            records,
            signed: [&file[..begin], &file[end..]].concat(),
        }
    }

    /// Role and subject of each record.
    pub(crate) fn roles(&self) -> Vec<(usize, String)> {
        let role = |record: &Items| (number(&record[&4]), text(&record[&3]));
        self.records.iter().map(role).collect()
    }

    /// The certificates of the records with this role.
    pub(crate) fn certificates(&self, role: usize) -> Vec<&[u8]> {
        let records = self.records.iter();
        records
            .filter(|record| number(&record[&4]) == role)
            .map(|record| record[&9].as_slice())
            .collect()
    }

    /// Name and serial number of the signer.
    pub(crate) fn signed_by(&self) -> (Vec<u8>, Vec<u8>) {
        (self.signer[&4].clone(), self.signer[&5].clone())
    }

    /// The certificate of the record with this role and the signer's name and number.
    fn token(&self, name: &[u8], serial: &[u8]) -> Option<&[u8]> {
        self.records
            .iter()
            .find(|record| number(&record[&4]) == 0 && record[&3] == name && record[&6] == serial)
            .map(|record| record[&9].as_slice())
    }

    /// Whether the signature was made with the key of this certificate, as `openssl` says it.
    pub(crate) fn is_signed_with(&self, certificate: &[u8]) -> bool {
        let digest = &self.signature_info[&8];
        is_signed_with(certificate, digest, &self.header[&12], &self.signed)
    }
}

/// Whether `openssl` finds the signature of these bytes right; `digest` is its number in a file.
fn is_signed_with(certificate: &[u8], digest: &[u8], signature: &[u8], signed: &[u8]) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("certificate"), certificate).unwrap();
    fs::write(path("signature"), signature).unwrap();
    fs::write(path("signed"), signed).unwrap();
    let key = [
        "x509",
        "-inform",
        "DER",
        "-in",
        "certificate",
        "-pubkey",
        "-noout",
    ];
    fs::write(path("key"), openssl(folder.path(), &key).1).unwrap();
    let digest = match digest {
        [1] => "-sha1",
        [3] => "-sha512",
        other => panic!("digest {other:?}"),
    };
    let verify = ["-verify", "key", "-signature", "signature", "signed"];
    let arguments = [["dgst", digest].as_slice(), &verify].concat();
    openssl(folder.path(), &arguments).0
}

/// A signed configuration file, taken apart.
#[derive(Debug, Clone)]
pub(crate) struct SignedFile {
    /// Items of the header.
    pub(crate) header: Items,
    /// Items of the signer.
    pub(crate) signer: Items,
    digest: Vec<u8>,
    /// The file that was signed.
    pub(crate) payload: Vec<u8>,
    signed: Vec<u8>,
}

impl SignedFile {
    /// Takes a file apart.
    ///
    /// # Panics
    /// When it is not as the description of the format says.
    pub(crate) fn read(file: &[u8]) -> Self {
        assert_eq!(&file[..5], [1, 0, 2, 1, 0], "header version 1.0");
        assert_eq!(&file[5..8], [2, 0, 2], "then the length of the header");
        let (head, payload) = file.split_at(number(&file[8..10]));
        assert_eq!(head.len() % 4, 0, "padded to a multiple of four");
        let items = split(head);
        let tags: Vec<u8> = items.iter().map(|item| item.0).collect();
        let padding = items.iter().filter(|item| item.0 == 13).count();
        assert!(padding < 4, "no more padding than is needed");
        let order = [1, 2, 3, 7, 12, 14, 15];
        assert_eq!(tags[..tags.len() - padding], order, "no tag 28");
        let signature = &items[4];
        let header = by_tag(head);
        assert_eq!(header[&7].len(), 15);
        let info = by_tag(&header[&7]);
        assert_eq!(info[&9], [10, 0, 1, 0, 11, 0, 1, 2], "256 bytes of RSA");
        Self {
            signer: by_tag(&header[&3]),
            digest: info[&8].clone(),
            payload: payload.to_vec(),
            signed: [&file[..signature.1], &file[signature.2..]].concat(),
            header,
        }
    }

    /// Whether the signature was made with the key of this certificate, as `openssl` says it.
    pub(crate) fn is_signed_with(&self, certificate: &[u8]) -> bool {
        is_signed_with(certificate, &self.digest, &self.header[&12], &self.signed)
    }
}

/// A text without its NUL, which must be there.
pub(crate) fn text(value: &[u8]) -> String {
    let (last, text) = value.split_last().expect("a text");
    assert_eq!(*last, 0, "a text ends with NUL");
    String::from_utf8(text.to_vec()).unwrap()
}

/// Runs `openssl` in a folder: whether it succeeded, and what it printed.
pub(crate) fn openssl(folder: &Path, arguments: &[&str]) -> (bool, Vec<u8>) {
    let output = Command::new("openssl")
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap_or_else(|error| panic!("openssl cannot be run ({error}): install openssl"));
    (output.status.success(), output.stdout)
}

/// A phone as the rules describe it: it takes the first list it sees and then only lists that a
/// security token of its own list has signed.
#[derive(Debug, Default)]
pub(crate) struct ModelPhone {
    list: Option<Decoded>,
}

impl ModelPhone {
    /// A phone that has taken this list.
    pub(crate) fn with(file: &[u8]) -> Self {
        let mut phone = Self::default();
        assert!(phone.offer(file), "a phone without a list takes any");
        phone
    }

    /// Gives the phone a list; whether it takes it.
    pub(crate) fn offer(&mut self, file: &[u8]) -> bool {
        let new = Decoded::read(file);
        let (name, serial) = new.signed_by();
        let tokens = new.roles().iter().filter(|(role, _)| *role == 0).count();
        if tokens == 0 || tokens > 2 {
            return false;
        }
        let judge = self.list.as_ref().unwrap_or(&new);
        let takes = judge
            .token(&name, &serial)
            .is_some_and(|certificate| new.is_signed_with(certificate));
        if takes {
            self.list = Some(new);
        }
        takes
    }

    /// Whether it accepts an HTTPS service with this certificate.
    pub(crate) fn trusts_service(&self, certificate: &[u8]) -> bool {
        let list = self.list.as_ref();
        list.is_some_and(|list| {
            let mut records = list.records.iter();
            records.any(|record| number(&record[&4]) == 7 && record[&9] == certificate)
        })
    }

    /// Whether its list makes it refuse unsigned files.
    pub(crate) fn wants_signed_files(&self) -> bool {
        let list = self.list.as_ref();
        list.is_some_and(|list| !list.certificates(3).is_empty())
    }

    /// What it reads of a signed file that it asked for by this name; `None`: it refuses it.
    pub(crate) fn reads(&self, name: &str, file: &[u8]) -> Option<Vec<u8>> {
        let file = SignedFile::read(file);
        let mut records = self.list.as_ref()?.records.iter();
        let signer = records.find(|record| {
            number(&record[&4]) == 3
                && record[&3] == file.signer[&4]
                && record[&6] == file.signer[&5]
        })?;
        let takes = text(&file.header[&14]) == name && file.is_signed_with(&signer[&9]);
        takes.then_some(file.payload)
    }

    /// Whether it takes this certificate on the HTTPS door for files.
    pub(crate) fn trusts_files_door(&self, certificate: &[u8]) -> bool {
        let list = self.list.as_ref();
        list.is_some_and(|list| list.certificates(3).contains(&certificate))
    }
}
