//! One client of a run: takes operation after operation.

use std::time::Instant;

use tokio::time::sleep;

use super::failure::Failure;
use super::plan::{Guess, Work};
use super::report::Done;
use super::run::{AFTER_OPEN_FAILURE, Run, Ticket};
use super::session::Session;
use super::target::{Account, Target};
use crate::peer::Protocol;

/// The folder that every mailbox has.
pub(super) const INBOX: &str = "INBOX";
/// Of so many operations of [`Work::Mixed`] ...
const MIX: u64 = 10;
/// ... this one has a wrong password; the even ones make a full handshake, the odd ones resume.
const MIX_WRONG: u64 = 4;

/// A client.
pub(super) struct Worker {
    run: Run,
    /// Without resumption.
    full: Target,
    /// With tickets of this client alone.
    resuming: Target,
    index: u64,
    /// The session that stays open between operations of the works that keep one.
    session: Option<Session>,
}

/// What ended an operation early.
enum Trouble {
    /// The connection could not be opened.
    ShutOut(Failure),
    /// Anything later.
    Later(Failure),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Later(failure)
    }
}

impl Worker {
    pub(super) fn new(run: Run, index: usize) -> Self {
        let target = &run.plan.target;
        let with = |resume| Target {
            tls: target.tls.separate(resume),
            ..target.clone()
        };
        Self {
            full: with(false),
            resuming: with(true),
            run,
            index: index as u64,
            session: None,
        }
    }

    /// Works until there is nothing more to do.
    pub(super) async fn run(mut self) {
        let cut = self.run.cut.clone();
        while let Some(ticket) = self.run.ticket().await {
            let (operation, outcome) = tokio::select! {
                biased;
                () = cut.cancelled() => return self.run.add_unfinished(),
                ended = Box::pin(self.operate(ticket)) => ended,
            };
            match outcome {
                Ok(done) => self.run.add(operation, Ok(done)),
                Err(Trouble::Later(failure)) => self.run.add(operation, Err(failure)),
                Err(Trouble::ShutOut(failure)) => {
                    self.run.add(operation, Err(failure));
                    tokio::select! {
                        () = cut.cancelled() => return,
                        () = sleep(AFTER_OPEN_FAILURE) => {}
                    }
                }
            }
        }
        if let Some(session) = self.session.take() {
            // The operations are over; how the session ends changes nothing for them.
            let _ = Box::pin(session.logout()).await;
        }
    }

    async fn operate(&mut self, ticket: Ticket) -> (&'static str, Result<Done, Trouble>) {
        match self.run.plan.work {
            Work::Login { resume: false } => ("login", self.login(ticket, &self.full, false).await),
            Work::Login { resume: true } => ("resumed_login", self.login(ticket, &self.resuming, false).await),
            Work::WrongPassword(guess) => ("wrong_password", self.wrong_password(ticket, guess).await),
            Work::Mixed => match ticket.number % MIX {
                MIX_WRONG => ("wrong_password", self.wrong_password(ticket, Guess::Each).await),
                even if even % 2 == 0 => ("login", self.login(ticket, &self.full, true).await),
                _ => ("resumed_login", self.login(ticket, &self.resuming, true).await),
            },
            Work::Fetch { .. } => ("fetch", self.transfer(ticket).await),
            Work::Send { .. } => ("send", self.transfer(ticket).await),
            // `idle` holds these, no client in a loop.
            Work::Idle => ("hold", Err(Failure::Unsupported("idle sessions here").into())),
        }
    }

    /// A session of its own. With `in_use` it does what a mail program does first.
    async fn login(&self, ticket: Ticket, target: &Target, in_use: bool) -> Result<Done, Trouble> {
        let mut session = self.open(target, ticket.number).await?;
        let account = self.run.account(ticket.number);
        session.login(account, self.run.plan.mechanism).await?;
        let done = self.done(&session, ticket.begin);
        if in_use {
            if target.protocol == Protocol::Imap {
                session.select(INBOX).await?;
            }
            session.noop().await?;
        }
        session.logout().await?;
        Ok(done)
    }

    async fn wrong_password(&self, ticket: Ticket, guess: Guess) -> Result<Done, Trouble> {
        let account = self.run.account(ticket.number);
        let made_up = match guess {
            Guess::OfAccount => None,
            Guess::Each => Some(Account::made_up(&account.username)?),
        };
        let account = made_up.as_ref().unwrap_or(account);
        let mut session = self.open(&self.full, ticket.number).await?;
        match session.login(account, self.run.plan.mechanism).await {
            Err(Failure::WrongPassword) => {}
            Err(failure) => return Err(failure.into()),
            Ok(()) => return Err(Failure::BadAnswer("a wrong password was accepted".to_owned()).into()),
        }
        let done = self.done(&session, ticket.begin);
        // Servers may end the session with the refusal.
        let _ = session.logout().await;
        Ok(done)
    }

    /// One message in the session that is kept, which is opened where there is none.
    async fn transfer(&mut self, ticket: Ticket) -> Result<Done, Trouble> {
        let account = self.run.account(self.index);
        let (mut session, begin) = match self.session.take() {
            Some(session) => (session, ticket.begin),
            None => {
                let mut session = self.open(&self.full, self.index).await?;
                session.login(account, self.run.plan.mechanism).await?;
                if let Work::Fetch { folder, .. } = &self.run.plan.work {
                    session.select(folder.name()).await?;
                }
                (session, self.run.plan.clock.now())
            }
        };
        let octets = match &self.run.plan.work {
            Work::Fetch { message, .. } => session.fetch_whole(1, message).await?,
            Work::Send { from, to, message } => {
                let from = from.as_deref().unwrap_or(&account.username);
                session.send(from, to, message).await?
            }
            _ => 0,
        };
        let done = Done {
            octets,
            ..self.done(&session, begin)
        };
        self.session = Some(session);
        Ok(done)
    }

    async fn open(&self, target: &Target, number: u64) -> Result<Session, Trouble> {
        Session::open(target, self.run.from(number), self.run.plan.step_time)
            .await
            .map_err(Trouble::ShutOut)
    }

    fn done(&self, session: &Session, begin: Instant) -> Done {
        Done {
            latency: Some(self.run.plan.clock.now().saturating_duration_since(begin)),
            resumed: session.resumed(),
            octets: 0,
        }
    }
}
