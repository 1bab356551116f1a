//! How a phone shows screens: the idle URL, soft keys, pages that replace themselves.

use std::time::Duration;

use tokio::time::Instant;

use super::super::browser::Page;
use super::super::display::{Action, Display, Request};
use super::super::event::{Event, Shown};
use super::super::screen::Body;
use super::Handset;

impl Handset {
    /// No screen is open: the idle timer runs.
    pub(super) fn become_idle(&mut self) {
        if self.display.is_some() {
            return;
        }
        let config = self
            .config
            .as_ref()
            .filter(|config| config.idle_url.is_some());
        let timeout_s = config.map_or(0, |config| config.idle_timeout_s);
        let timeout = Duration::from_secs(timeout_s.into());
        self.idle_at = (timeout_s > 0).then(|| Instant::now() + timeout);
    }

    pub(super) async fn fetch_idle_url(&mut self) {
        self.idle_at = None;
        let url = self
            .config
            .as_ref()
            .and_then(|config| config.idle_url.clone());
        if let Some(url) = url {
            self.open(Request::get(url)).await;
        }
    }

    pub(super) async fn act(&mut self, action: Action) {
        match action {
            Action::Fetch(request) => self.open(request).await,
            Action::Close => self.close(),
            Action::Stay => {}
        }
    }

    pub(super) fn close(&mut self) {
        self.replace_at = None;
        if self.display.take().is_some() {
            self.report(Event::Closed);
        }
        self.become_idle();
    }

    /// Fetches a screen and shows it, or what a phone shows instead.
    pub(super) async fn open(&mut self, mut request: Request) {
        self.replace_at = None;
        self.idle_at = None;
        request.url = request.url.replace("#DEVICENAME#", self.name().as_str());
        match self.browser.page(request.clone()).await {
            Ok(page) => self.show(page, request),
            Err(error) => {
                self.problem(error.to_string());
                self.close();
            }
        }
    }

    pub(super) fn show(&mut self, page: Page, request: Request) {
        self.replace_at = page.refresh.map(|(after_s, url)| {
            let again = url.unwrap_or_else(|| request.url.clone());
            (
                Instant::now() + Duration::from_secs(after_s.into()),
                Request::get(again),
            )
        });
        if matches!(page.screen.body, Body::Execute(_)) {
            return self.close();
        }
        let display = Display::new(page.screen, request.url);
        self.display = Some(display);
        let drawing = self.drawing();
        if let Some(display) = &self.display {
            self.report(Event::Screen(Box::new(Shown::new(display, drawing))));
        }
    }
}
