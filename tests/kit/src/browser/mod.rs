//! A real browser: Chromium, headless.

mod chromium;
mod driver;
mod page;

pub use self::chromium::Chromium;
