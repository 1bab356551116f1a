//! Listings: all rows, asked for a part at a time.

use super::CliError;
use super::control;
use super::output::Output;
use crate::server::control::protocol::{Answer, DeviceView, Page, Request, UserView};
use crate::settings::Settings;

/// Rows of one answer of the service: some megabytes at most.
const PAGE_ROWS: u32 = 5_000;

/// Has a command carried out; a listing, as often as it takes to have every row that is asked for.
/// That there are more is said on standard error.
///
/// # Errors
///
/// As [`control::ask`].
pub(super) async fn ask(
    settings: &Settings,
    request: Request,
    output: Output,
) -> Result<Answer, CliError> {
    match request {
        Request::UserList(page) => {
            let users = all::<UserView>(settings, page, output).await?;
            Ok(Answer::Users(users))
        }
        Request::DeviceList(page) => {
            let devices = all::<DeviceView>(settings, page, output).await?;
            Ok(Answer::Devices(devices))
        }
        request => control::ask(settings, &request).await,
    }
}

/// What a listing has in its rows.
trait Row: Sized {
    fn request(page: Page) -> Request;
    fn rows(answer: Answer) -> Vec<Self>;
    fn key(&self) -> &str;
}

impl Row for UserView {
    fn request(page: Page) -> Request {
        Request::UserList(page)
    }

    fn rows(answer: Answer) -> Vec<Self> {
        match answer {
            Answer::Users(users) => users,
            _ => Vec::new(),
        }
    }

    fn key(&self) -> &str {
        &self.user_id
    }
}

impl Row for DeviceView {
    fn request(page: Page) -> Request {
        Request::DeviceList(page)
    }

    fn rows(answer: Answer) -> Vec<Self> {
        match answer {
            Answer::Devices(devices) => devices,
            _ => Vec::new(),
        }
    }

    fn key(&self) -> &str {
        &self.name
    }
}

async fn all<T: Row>(settings: &Settings, page: Page, output: Output) -> Result<Vec<T>, CliError> {
    let wanted = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let mut rows: Vec<T> = Vec::new();
    let mut after = page.after;
    loop {
        // One more than is wanted tells whether there are more.
        let missing = wanted.saturating_sub(rows.len()).saturating_add(1);
        let limit = u32::try_from(missing).map_or(PAGE_ROWS, |missing| missing.min(PAGE_ROWS));
        let answer = control::ask(settings, &T::request(Page { after, limit })).await?;
        let found = T::rows(answer);
        let is_last = u32::try_from(found.len()).is_ok_and(|found| found < limit);
        rows.extend(found);
        let has_more = rows.len() > wanted;
        rows.truncate(wanted);
        let last = rows.last().map(T::key).unwrap_or_default();
        if has_more {
            output.remark(format!(
                "{wanted} are shown, and there are more: go on with --after {last}"
            ));
        }
        if has_more || is_last {
            return Ok(rows);
        }
        after = last.to_owned();
    }
}
