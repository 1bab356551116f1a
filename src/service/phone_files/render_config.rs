//! Use case: a phone asks for a file.
//!
//! Answered from memory alone. Who gets a file with its secret is decided here, the same for
//! every door; an unknown name writes nothing to the database.

use bytes::Bytes;

use super::file_access;
use super::file_access::SecretAccess;
use super::file_access::is_sweep;
use super::file_access::may_be_sweep;
use super::file_answer::FetchReceipt;
use super::file_answer::FileAnswer;
use super::file_answer::FileRequest;
use super::file_answer::Receipt;
use super::file_notes::FileEvent;
use super::file_notes::FileNote;
use super::file_requests::FileDoor;
use super::file_requests::UnknownAnswer;
use super::file_requests::UnknownRequest;
use super::own_file::Installation;
use super::own_file::format_of;
use super::own_file::model_profile;
use super::own_file::own_file;
use crate::domain::catalogue::CallManager;
use crate::domain::catalogue::Catalogue;
use crate::domain::config_file::assemble;
use crate::domain::config_file::file_name;
use crate::domain::config_file::file_name::RequestedFile;
use crate::domain::config_file::incomplete::Incomplete;
use crate::domain::device::DeviceName;
use crate::domain::phone::Phone;
use crate::domain::phone_model::FileFormat;
use crate::domain::secret::Secret;
use crate::domain::time::UnixMillis;
use crate::domain::trust_list::ListName;
use crate::service::App;
use crate::service::devices::phone_book::KnownPhone;
use crate::service::keys::KeysError;
use crate::service::settings::UnknownPhones;
use crate::service::trust_list::fetches;
use crate::service::trust_list::fetches::ListNote;

/// Answers a request for a file.
pub fn answer(app: &App, request: &FileRequest<'_>) -> FileAnswer {
    match file_name::parse(request.name) {
        Ok(requested) => {
            app.file_requests.count(request.door);
            answer_to(app, request, requested)
        }
        Err(refused) => FileAnswer::Refused(refused),
    }
}

fn answer_to(app: &App, request: &FileRequest<'_>, requested: RequestedFile) -> FileAnswer {
    match requested {
        RequestedFile::Device(name) => device(app, request, &name, FileFormat::CiscoXml),
        RequestedFile::FlatProfile(name) => device(app, request, &name, FileFormat::FlatProfile),
        RequestedFile::ModelProfile(_) => FileAnswer::Made {
            bytes: (request.formats.flat_profile)(&model_profile(app)),
            receipt: None,
        },
        // A phone that trusts our HTTPS certificate asks there for a signed file and takes an
        // unsigned one: the connection vouches for it.
        RequestedFile::Signed { file, .. } if request.door == FileDoor::Https => {
            answer_to(app, request, *file)
        }
        RequestedFile::Signed { name, file } => match app.trust_lists.file_signer() {
            Some(signer) => FileAnswer::Signed {
                name,
                file: Box::new(answer_to(app, request, *file)),
                signer,
            },
            // It must go on to the next name.
            None => FileAnswer::NotFound,
        },
        RequestedFile::XmlDefault => of_nobody(xml_default(app, request)),
        RequestedFile::DialPlan => FileAnswer::DialPlan,
        RequestedFile::SoftKeys => FileAnswer::SoftKeys,
        RequestedFile::FeaturePolicy => FileAnswer::FeaturePolicy,
        RequestedFile::RingList(path) => FileAnswer::RingList(path),
        RequestedFile::Firmware(path) => FileAnswer::Firmware(path),
        RequestedFile::TrustList(list, device) => trust_list(app, request, list, device),
        RequestedFile::EncryptedDevice(_) => FileAnswer::NotFound,
        RequestedFile::Index => {
            let source = request.source;
            if app.file_requests.count_index(source, app.environment.now()) {
                tracing::warn!(%source, "an index of files was asked for; no phone does");
            }
            FileAnswer::NotFound
        }
    }
}

fn device(
    app: &App,
    request: &FileRequest<'_>,
    name: &DeviceName,
    format: FileFormat,
) -> FileAnswer {
    // Behind a placeholder there is no phone; it is like a name that nobody has.
    match app.phones.find(name).filter(|_| !name.is_placeholder()) {
        Some(known) if format_of(&known.phone) == format => of_device(app, request, &known),
        // A device never asks for a file of another kind than its own: somebody looks around.
        Some(_) if is_sweep(app, request, name, app.environment.now()) => FileAnswer::Throttled,
        Some(_) => FileAnswer::NotFound,
        None => of_unknown(app, request, name, format),
    }
}

/// The trust list, where one is served; at once in either case, since a phone that boots waits.
fn trust_list(
    app: &App,
    request: &FileRequest<'_>,
    name: ListName,
    device: Option<DeviceName>,
) -> FileAnswer {
    let known = device.as_ref().and_then(|device| app.phones.find(device));
    let model = known.and_then(|known| known.phone.known_model());
    let setting = app.settings.trust_list.sha1_for;
    let Some(file) = app.trust_lists.file(name, setting, model) else {
        return FileAnswer::NotFound;
    };
    let receipt = device.map(|device| {
        FetchReceipt(Receipt::TrustList(ListNote {
            device,
            source: request.source,
            newest_key: file.newest_key,
            at: app.environment.now(),
        }))
    });
    FileAnswer::Made {
        bytes: file.bytes,
        receipt,
    }
}

/// Says that the client's address is known not to be forged and that its file goes on to it.
///
/// `false` when the device's first file has become another address's since it was asked for: the
/// client must get no more of it. Never waits.
pub fn begins(app: &App, receipt: &FetchReceipt) -> bool {
    match &receipt.0 {
        Receipt::File(note) => file_access::begins(app, note),
        Receipt::TrustList(_) => true,
    }
}

/// Notes that a client has the file of the receipt, as far as the door can tell. Never waits; the
/// note is written later.
pub fn fetched(app: &App, receipt: FetchReceipt) {
    match receipt.0 {
        Receipt::File(note) => {
            let is_awaited = app.phone_control.is_owed_by(&note.device);
            app.file_notes.leave_of_fetch(note, is_awaited);
        }
        Receipt::TrustList(note) => fetches::take_note(app, note),
    }
}

fn of_device(app: &App, request: &FileRequest<'_>, known: &KnownPhone) -> FileAnswer {
    let phone = &known.phone;
    let now = app.environment.now();
    let access = file_access::secret_access(app, phone, request.source, now);
    // A first fetch is anybody's: it counts as a name, or a sweep would collect new devices.
    let is_stopped = match access {
        SecretAccess::Own => false,
        SecretAccess::FirstFetch => may_be_sweep(app, request, &phone.name, now),
        SecretAccess::Withheld => is_sweep(app, request, &phone.name, now),
    };
    if is_stopped {
        return FileAnswer::Throttled;
    }
    let may_have_secret = access != SecretAccess::Withheld;
    let secret = match secret_of(app, phone, may_have_secret) {
        Ok(secret) => secret,
        Err(error) => {
            tracing::error!(device = %phone.name, %error, "the file cannot be made");
            return FileAnswer::Unavailable;
        }
    };
    let written = Installation::of(app).and_then(|installation| {
        let file = own_file(app, phone, &installation, secret.as_ref())?;
        Ok(file.written(request.formats))
    });
    made(written, |(bytes, warnings)| {
        let note = FileNote {
            device: phone.name.clone(),
            pkid: phone.pkid,
            version_stamp: phone.version_stamp,
            at: now,
            source: request.source,
            door: request.door,
            event: FileEvent::Fetched,
            warnings,
        };
        let mut receipt = None;
        if may_have_secret {
            receipt = Some(FetchReceipt(Receipt::File(note)));
        } else if app
            .file_requests
            .alarm_is_due(&phone.name, request.source, now)
        {
            file_access::withheld(phone, request.source);
            app.file_notes.leave(FileNote {
                event: FileEvent::Withheld,
                warnings: Vec::new(),
                ..note
            });
        }
        FileAnswer::Made { bytes, receipt }
    })
}

fn secret_of(app: &App, phone: &Phone, may_have_secret: bool) -> Result<Option<Secret>, KeysError> {
    phone
        .digest
        .sealed_secret
        .as_ref()
        .filter(|_| may_have_secret)
        .map(|sealed| app.keys.open_secret(sealed))
        .transpose()
}

fn of_unknown(
    app: &App,
    request: &FileRequest<'_>,
    name: &DeviceName,
    format: FileFormat,
) -> FileAnswer {
    let is_cisco = format == FileFormat::CiscoXml && name.mac().is_some();
    let now = app.environment.now();
    if is_sweep(app, request, name, now) {
        return FileAnswer::Throttled;
    }
    let (answer, words) = if is_cisco && makes_unknown_phones_register(app, now) {
        let answer = of_nobody(auto_registration(app, request));
        (answer, UnknownAnswer::AutoRegistrationFile)
    } else {
        (FileAnswer::NotFound, UnknownAnswer::NotFound)
    };
    let unknown = UnknownRequest {
        at: now,
        source: request.source,
        door: request.door,
        format,
        answer: words,
    };
    app.file_requests.remember_unknown(name, unknown);
    answer
}

fn makes_unknown_phones_register(app: &App, now: UnixMillis) -> bool {
    let catalogue = app.catalogue.load();
    let is_open = own_node(app, &catalogue).is_some_and(|node| {
        let block = &node.auto_registration;
        block.enabled && block.enabled_until.is_none_or(|until| now < until)
    });
    is_open && app.settings.phones.unknown_phones == UnknownPhones::AutoRegistrationFile
}

fn auto_registration(app: &App, request: &FileRequest<'_>) -> Result<Bytes, Incomplete> {
    let Installation { catalogue, system } = Installation::of(app)?;
    let node = own_node(app, &catalogue).ok_or(Incomplete("CallManager node"))?;
    let file = assemble::auto_registration_file(node, &catalogue, &system)?;
    Ok((request.formats.device)(&file))
}

fn xml_default(app: &App, request: &FileRequest<'_>) -> Result<Bytes, Incomplete> {
    let Installation { catalogue, system } = Installation::of(app)?;
    let node = own_node(app, &catalogue).ok_or(Incomplete("CallManager node"))?;
    let file = assemble::xml_default_file(node, &catalogue, &system)?;
    Ok((request.formats.xml_default)(&file))
}

fn own_node<'a>(app: &App, catalogue: &'a Catalogue) -> Option<&'a CallManager> {
    catalogue.call_managers.get(&app.node.pkid)
}

/// A file that is no device's own: nothing is noted of it.
fn of_nobody(written: Result<Bytes, Incomplete>) -> FileAnswer {
    made(written, |bytes| FileAnswer::Made {
        bytes,
        receipt: None,
    })
}

fn made<T>(file: Result<T, Incomplete>, answer: impl FnOnce(T) -> FileAnswer) -> FileAnswer {
    match file {
        Ok(file) => answer(file),
        Err(incomplete) => {
            tracing::error!(error = %incomplete, "a file cannot be made");
            FileAnswer::Unavailable
        }
    }
}
