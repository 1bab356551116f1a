//! Screens as the terminal handset reads them.

use selfprov::cli::phone::screen::Screen;

/// Panics when the property does not hold.
pub(crate) fn check(bytes: &[u8]) {
    if let Ok(screen) = Screen::parse(bytes) {
        let _ = screen.soft_key("Submit");
    }
}
