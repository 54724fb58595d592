//! A real Chromium, driven as a person would: by what stands on the page.
//!
//! It speaks WebDriver (W3C) to Debian's `chromedriver`, which chooses a free port itself. Every session has a profile of
//! its own, so two browsers are two people. Elements are found by their visible words or by CSS, and waited for: a page
//! is there when what the test asks for is there.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, anyhow, bail};
use thirtyfour::prelude::*;
use tokio::runtime::Runtime;

use super::process::Process;
use super::wait;
use super::work_dir::WorkDir;

/// Programs of Debian's packages `chromium-driver` and `chromium`.
const DRIVER: &str = "chromedriver";
/// What the driver prints once it listens.
const LISTENING: &str = "started successfully on port ";
/// Chromium looks for nothing outside, draws without a graphics card, and runs as whoever runs the tests.
const ARGUMENTS: [&str; 10] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-prefers-reduced-motion",
];

/// The program that drives browsers.
pub(crate) struct Driver {
    runtime: Runtime,
    process: Process,
    url: String,
    dir: WorkDir,
}

/// One browser of one person.
pub(crate) struct Browser<'a> {
    driver: &'a Driver,
    session: Option<WebDriver>,
    origin: String,
}

impl Driver {
    /// Starts it.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let dir = WorkDir::new("browser")?;
        let log = dir.join("driver.log");
        let mut command = Command::new(DRIVER);
        command.arg("--port=0").env("HOME", dir.path()).env("TMPDIR", dir.path());
        let mut process = Process::start(DRIVER, command, &log)?;
        let port: u16 = process.ready(|| {
            let text = std::fs::read_to_string(&log).ok()?;
            let (_, rest) = text.split_once(LISTENING)?;
            rest.split_once('.')?.0.parse().ok()
        })?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self {
            runtime,
            process,
            url: format!("http://127.0.0.1:{port}"),
            dir,
        })
    }

    /// Opens a browser with an empty profile; its paths begin at `origin`.
    pub(crate) fn browser(&self, origin: &str, language: &str, width: u32) -> anyhow::Result<Browser<'_>> {
        let mut wanted = DesiredCapabilities::chrome();
        wanted.accept_insecure_certs(true)?;
        for argument in ARGUMENTS {
            wanted.add_arg(argument)?;
        }
        wanted.add_arg(&format!("--lang={language}"))?;
        wanted.add_arg(&format!("--accept-lang={language}"))?;
        wanted.add_arg(&format!("--window-size={width},1000"))?;
        let session = self
            .runtime
            .block_on(WebDriver::new(&self.url, wanted))
            .context("cannot open a browser")?;
        Ok(Browser {
            driver: self,
            session: Some(session),
            origin: origin.to_owned(),
        })
    }

    /// Whether it still runs.
    pub(crate) fn is_running(&mut self) -> bool {
        self.process.is_running()
    }

    /// Where screenshots may be kept.
    pub(crate) fn folder(&self) -> &Path {
        self.dir.path()
    }
}

impl Browser<'_> {
    fn session(&self) -> anyhow::Result<&WebDriver> {
        self.session.as_ref().context("the browser is closed")
    }

    fn wait<T>(&self, work: impl Future<Output = WebDriverResult<T>>) -> anyhow::Result<T> {
        self.driver.runtime.block_on(work).map_err(|error| anyhow!("{error}"))
    }

    /// Opens a path of the site, or a link of its own.
    pub(crate) fn open(&self, path: &str) -> anyhow::Result<()> {
        let url = if path.starts_with('/') {
            format!("{}{path}", self.origin)
        } else {
            path.to_owned()
        };
        self.wait(self.session()?.goto(url))
    }

    /// The path that it is at, with the query.
    pub(crate) fn path(&self) -> anyhow::Result<String> {
        let url = self.wait(self.session()?.current_url())?;
        Ok(url.as_str().strip_prefix(&self.origin).unwrap_or(url.as_str()).to_owned())
    }

    /// All that can be read on the page.
    pub(crate) fn text(&self) -> anyhow::Result<String> {
        let session = self.session()?;
        self.wait(async { session.find(By::Tag("body")).await?.text().await })
    }

    /// The page as the browser holds it.
    pub(crate) fn source(&self) -> anyhow::Result<String> {
        self.wait(self.session()?.source())
    }

    /// Waits until the page says this.
    pub(crate) fn sees(&self, words: &str) -> anyhow::Result<()> {
        let seen = wait::until(&format!("the page says {words:?}"), || {
            // A page that is just being replaced has no body for a moment.
            Ok(self.text().is_ok_and(|text| text.contains(words)).then_some(()))
        });
        seen.with_context(|| format!("it says:\n{}", self.text().unwrap_or_default()))
    }

    /// Types into a field, in place of what is there.
    pub(crate) fn fill(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let session = self.session()?;
        let field = By::Css(format!("[name='{name}']:not([type='hidden'])"));
        self.wait(async {
            let field = session.find(field).await?;
            field.clear().await?;
            field.send_keys(text).await
        })
        .with_context(|| format!("filling {name}"))
    }

    /// Clicks what this selects.
    pub(crate) fn click(&self, css: &str) -> anyhow::Result<()> {
        let session = self.session()?;
        self.wait(async { session.find(By::Css(css)).await?.click().await })
            .with_context(|| format!("clicking {css} on\n{}", self.text().unwrap_or_default()))
    }

    /// Clicks the button or link with these words.
    pub(crate) fn press(&self, words: &str) -> anyhow::Result<()> {
        let session = self.session()?;
        let target = By::XPath(format!(
            "//*[self::a or self::button or self::summary or self::label][normalize-space()='{words}']"
        ));
        self.wait(async {
            for found in session.find_all(target).await? {
                if found.is_displayed().await? {
                    return found.click().await.map(|()| true);
                }
            }
            Ok(false)
        })
        .and_then(|found| if found { Ok(()) } else { bail!("there is none") })
        .with_context(|| format!("pressing {words:?} on\n{}", self.text().unwrap_or_default()))
    }

    /// The text of what this selects.
    pub(crate) fn text_of(&self, css: &str) -> anyhow::Result<String> {
        let session = self.session()?;
        self.wait(async { session.find(By::Css(css)).await?.text().await })
            .with_context(|| format!("reading {css}"))
    }

    /// The value of the field that this selects.
    pub(crate) fn value_of(&self, css: &str) -> anyhow::Result<String> {
        let session = self.session()?;
        let value = self.wait(async { session.find(By::Css(css)).await?.value().await })?;
        value.with_context(|| format!("{css} has no value"))
    }

    /// What went wrong in the browser's own eyes: blocked by the policy, not found, a fault in a script.
    pub(crate) fn complaints(&self) -> anyhow::Result<Vec<String>> {
        let entries = self.wait(self.session()?.browser_log())?;
        Ok(entries.into_iter().map(|entry| entry.message).collect())
    }

    /// Goes back in the history.
    pub(crate) fn back(&self) -> anyhow::Result<()> {
        self.wait(self.session()?.back())
    }

    /// Photographs the page.
    pub(crate) fn photograph(&self, file: &Path) -> anyhow::Result<()> {
        self.wait(self.session()?.screenshot(file))
    }
}

impl Drop for Browser<'_> {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            // The driver's end closes what is left.
            let _ = self.driver.runtime.block_on(session.quit());
        }
    }
}
