//! Where the files of phones say something else than their templates, gathered for `doctor`. A
//! phone's own timeline has the same when it fetches its file.

use std::collections::HashMap;
use std::sync::Arc;

use super::own_file::Installation;
use super::own_file::format_of;
use super::own_file::own_file;
use crate::domain::config_file::FileWarning;
use crate::domain::device::DeviceName;
use crate::domain::phone::Phone;
use crate::domain::phone_model::FileFormat;
use crate::service::App;
use crate::service::devices::phone_book::KnownPhone;
use crate::service::trust_list::NotServed;

/// Files made without letting other work on: about 3 ms.
const FILES_AT_ONCE: usize = 100;

/// One warning, and whose files have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WarnedPhones {
    /// What is not as the template says.
    pub warning: FileWarning,
    /// The first of the phones by name.
    pub first: DeviceName,
    /// How many phones they are.
    pub count: usize,
}

/// The warnings of every file that a phone would get now, by the name of the first phone.
///
/// Empty while the trust list is being made: until then nobody knows whom phones will trust.
pub async fn warned_phones(app: &App) -> Vec<WarnedPhones> {
    if matches!(app.trust_lists.outcome().as_ref(), Err(NotServed::Starting)) {
        return Vec::new();
    }
    let mut phones: Vec<Arc<KnownPhone>> = Vec::new();
    app.phones.for_each(|known| {
        if has_file(&known.phone) {
            phones.push(known.clone());
        }
    });
    let mut warned: HashMap<FileWarning, WarnedPhones> = HashMap::new();
    for some in phones.chunks(FILES_AT_ONCE) {
        for known in some {
            for warning in warnings_of(app, &known.phone) {
                add(&mut warned, warning, &known.phone.name);
            }
        }
        tokio::task::yield_now().await;
    }
    let mut warned: Vec<WarnedPhones> = warned.into_values().collect();
    warned.sort_unstable_by(|a, b| (&a.first, a.count).cmp(&(&b.first, b.count)));
    warned
}

fn has_file(phone: &Phone) -> bool {
    !phone.name.is_placeholder() && format_of(phone) != FileFormat::AccountSheet
}

/// A file that cannot be made has none: the log says so whenever the phone asks.
fn warnings_of(app: &App, phone: &Phone) -> Vec<FileWarning> {
    let sealed = phone.digest.sealed_secret.as_ref();
    let secret = sealed.and_then(|sealed| app.keys.open_secret(sealed).ok());
    Installation::of(app)
        .and_then(|installation| {
            let file = own_file(app, phone, &installation, secret.as_ref())?;
            Ok(file.into_warnings())
        })
        .unwrap_or_default()
}

fn add(warned: &mut HashMap<FileWarning, WarnedPhones>, warning: FileWarning, name: &DeviceName) {
    let phones = warned.entry(warning).or_insert_with(|| WarnedPhones {
        warning,
        first: name.clone(),
        count: 0,
    });
    phones.count += 1;
    if *name < phones.first {
        phones.first = name.clone();
    }
}
