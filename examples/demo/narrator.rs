//! Says what happens and what was checked, and stops the story at the first failure or at Ctrl-C.

use std::fmt::Display;
use std::sync::mpsc;

use anyhow::{Context as _, bail};

/// The voice of the demo.
pub(crate) struct Narrator {
    steps: u32,
    passed: u32,
    enough: mpsc::Sender<()>,
    end: mpsc::Receiver<()>,
}

impl Narrator {
    /// A narrator that falls silent when something arrives on `end`, whose other side is `enough`.
    pub(crate) fn new(enough: mpsc::Sender<()>, end: mpsc::Receiver<()>) -> Self {
        Self {
            steps: 0,
            passed: 0,
            enough,
            end,
        }
    }

    /// Begins a step.
    ///
    /// # Errors
    /// The demo was interrupted.
    pub(crate) fn step(&mut self, title: &str) -> anyhow::Result<()> {
        if self.end.try_recv().is_ok() {
            bail!("interrupted");
        }
        self.steps += 1;
        println!("\n{}. {title}", self.steps);
        Ok(())
    }

    /// Says something in passing; every line is indented.
    pub(crate) fn tell(&self, text: &str) {
        for line in text.lines() {
            println!("   {line}");
        }
    }

    /// Reports one check and hands on what it found.
    pub(crate) fn check<T>(&mut self, what: impl Display, result: anyhow::Result<T>) -> anyhow::Result<T> {
        match result {
            Ok(found) => {
                self.passed += 1;
                println!("   ok      {what}");
                Ok(found)
            }
            Err(error) => {
                println!("   FAILED  {what}");
                Err(error).with_context(|| what.to_string())
            }
        }
    }

    /// How many checks were good.
    pub(crate) fn passed(&self) -> u32 {
        self.passed
    }

    /// Waits for Enter or Ctrl-C.
    pub(crate) fn wait_for_end(&self) {
        let enough = self.enough.clone();
        // It ends with the demo, whoever ends it.
        std::thread::spawn(move || {
            std::io::stdin().read_line(&mut String::new()).ok();
            enough.send(()).ok();
        });
        self.end.recv().ok();
    }
}
