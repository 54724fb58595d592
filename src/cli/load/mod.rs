//! `postern load`: load against any mail server, with real sessions whose every answer is checked.
//!
//! Needs no configuration, no database and no daemon. A run is always bounded, by count, by time, or by
//! [`DEFAULT_TIME`]; a signal ends it early with the report so far.

mod accounts;
mod show;
mod target;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use tokio::signal::unix::{SignalKind, signal};

use super::failure::{Exit, Failure};
use super::output::Output;
use crate::clock::Clock;
use crate::config::units::{Size, Time};
use crate::load::{self, Account, Bound, Expected, Folder, Guess, Mechanism, Part, Plan, Report, Watch, Work};
use crate::peer::Protocol;
use accounts::Passwords;

/// How long a run lasts where neither count nor time are given.
const DEFAULT_TIME: Duration = Duration::from_secs(10);
/// More sessions than one machine has ports for.
const MAX_CLIENTS: u32 = 100_000;
/// Begins per second, at most and at least.
const MAX_RATE: f64 = 1_000_000.0;
const MIN_RATE: f64 = 0.01;
/// Octets of a message, at most: more than any server takes.
const MAX_MESSAGE: usize = 1 << 30;
/// Files beside the connections: runtime, resolver, terminal.
const FILES_BESIDE: u64 = 64;
/// Between two looks at the progress.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);

const AFTER_HELP: &str = "\
Without --count and --time a run lasts 10 s. Ctrl-C ends it early, with the report so far.

Exit code: 0 if something came out right and no answer was wrong; 1 if nothing came out right, or if the server gave \
back something else than was stored, broke the protocol, or accepted a wrong password. What was refused or lost is \
counted by kind, and changes the exit code only where there is nothing else.

Answers to wrong passwords may be late on purpose: a step (a handshake, a login, a whole message) may take --step-time.";

#[derive(Debug, Subcommand)]
#[command(after_help = AFTER_HELP)]
pub(super) enum Command {
    /// Connect, log in, log out.
    #[command(
        after_help = "Examples:\n  postern load logins mail.example.org:993 --credentials accounts.csv\n  postern load logins mail.example.org:587 --starttls --credentials accounts.csv --clients 50 --time 1m --rate 100\n\nSee `postern load --help` for bounds and exit codes."
    )]
    Logins(Logins),
    /// Hold sessions in IDLE, and count those that are lost (IMAP).
    #[command(
        after_help = "Example:\n  postern load idle mail.example.org:993 --credentials accounts.csv --clients 2000 --time 5m\n\nSee `postern load --help` for exit codes."
    )]
    Idle(Idle),
    /// Move messages, and compare every octet that comes back.
    #[command(
        after_help = "IMAP: a message is stored in a new folder of each account that takes part, and fetched again and again; the folders are deleted at the end. SMTP: messages are sent to the one address that --to names.\n\nExamples:\n  postern load throughput mail.example.org:993 --credentials accounts.csv --size \"5 MiB\" --count 200\n  postern load throughput mail.example.org:465 --credentials accounts.csv --to sink@example.org --count 100\n\nSee `postern load --help` for bounds and exit codes."
    )]
    Throughput(Throughput),
    /// Log in with wrong passwords. Accounts may be locked and networks slowed down by that.
    #[command(
        after_help = "The passwords are made up; those of the file are not used and may be missing.\n\nExample:\n  postern load wrong-passwords mail.example.org:993 --credentials names.csv --clients 64 --time 30s\n\nSee `postern load --help` for bounds and exit codes."
    )]
    WrongPasswords(WrongPasswords),
    /// Of ten operations nine logins that do a little (five of them resume TLS) and one with a wrong password.
    #[command(
        after_help = "Example:\n  postern load mixed mail.example.org:993 --credentials accounts.csv --clients 20 --time 1m\n\nSee `postern load --help` for bounds and exit codes."
    )]
    Mixed(Mixed),
}

#[derive(Debug, Args)]
pub(super) struct Logins {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    until: Until,
    /// Resume TLS sessions, but for each client's first.
    #[arg(long, conflicts_with = "cleartext")]
    resume: bool,
}

#[derive(Debug, Args)]
pub(super) struct Idle {
    #[command(flatten)]
    common: Common,
    /// How long all of the sessions are held, once they are open [default: 10s].
    #[arg(long, value_name = "SPAN", value_parser = span)]
    time: Option<Duration>,
}

#[derive(Debug, Args)]
pub(super) struct Throughput {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    until: Until,
    /// Octets of a message; rounded up to whole lines.
    #[arg(long, default_value = "1 MiB", value_parser = size)]
    size: u64,
    /// IMAP: the folder to make [default: postern-load- and random letters].
    #[arg(long, value_name = "NAME")]
    folder: Option<String>,
    /// SMTP: who gets the messages. There is no default.
    #[arg(long, value_name = "ADDRESS")]
    to: Option<String>,
    /// SMTP: the sender [default: the user name].
    #[arg(long, value_name = "ADDRESS")]
    sender: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct WrongPasswords {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    until: Until,
    /// One wrong password for each account, as of a device that was not told; otherwise another one each time.
    #[arg(long)]
    same: bool,
}

#[derive(Debug, Args)]
pub(super) struct Mixed {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    until: Until,
}

#[derive(Debug, Args)]
struct Common {
    #[command(flatten)]
    target: target::Args,
    /// The accounts: a CSV file of lines username,password that only its owner can read.
    #[arg(long, value_name = "FILE")]
    credentials: PathBuf,
    /// SASL PLAIN, or LOGIN: IMAP's command, over SMTP a SASL mechanism [default: login over IMAP, plain over SMTP].
    #[arg(long, value_enum)]
    mechanism: Option<Said>,
    /// Connections at the same time.
    #[arg(long, value_name = "NUMBER", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_CLIENTS)))]
    clients: u32,
    /// Begin so many a second, as far as --clients allow; otherwise each client begins its next when one ends.
    #[arg(long, value_name = "PER SECOND", value_parser = rate)]
    rate: Option<f64>,
    /// The longest that a step may take.
    #[arg(long, value_name = "SPAN", default_value = "30s", value_parser = span)]
    step_time: Duration,
}

#[derive(Debug, Args)]
struct Until {
    /// End after so many operations.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// Begin no operation later than this [default: 10s, where there is no --count either].
    #[arg(long, value_name = "SPAN", value_parser = span)]
    time: Option<Duration>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Said {
    Plain,
    Login,
}

impl Until {
    const fn bound(&self) -> Bound {
        match (self.count, self.time) {
            (Some(count), Some(time)) => Bound::Either(count, time),
            (Some(count), None) => Bound::Count(count),
            (None, Some(time)) => Bound::Time(time),
            (None, None) => Bound::Time(DEFAULT_TIME),
        }
    }
}

impl Command {
    /// The word in reports.
    const fn name(&self) -> &'static str {
        match self {
            Self::Logins(_) => "logins",
            Self::Idle(_) => "idle",
            Self::Throughput(_) => "throughput",
            Self::WrongPasswords(_) => "wrong_passwords",
            Self::Mixed(_) => "mixed",
        }
    }

    const fn common(&self) -> &Common {
        match self {
            Self::Logins(args) => &args.common,
            Self::Idle(args) => &args.common,
            Self::Throughput(args) => &args.common,
            Self::WrongPasswords(args) => &args.common,
            Self::Mixed(args) => &args.common,
        }
    }

    fn bound(&self) -> Bound {
        match self {
            Self::Logins(args) => args.until.bound(),
            Self::Idle(args) => Bound::Time(args.time.unwrap_or(DEFAULT_TIME)),
            Self::Throughput(args) => args.until.bound(),
            Self::WrongPasswords(args) => args.until.bound(),
            Self::Mixed(args) => args.until.bound(),
        }
    }

    fn work(&self, protocol: Protocol) -> Result<Work, Failure> {
        Ok(match self {
            Self::Logins(args) => Work::Login { resume: args.resume },
            Self::Idle(_) if protocol == Protocol::Smtp => {
                return Err(Failure::usage("SMTP has no IDLE; hold IMAP sessions"));
            }
            Self::Idle(_) => Work::Idle,
            Self::Throughput(args) => args.work(protocol)?,
            Self::WrongPasswords(args) if args.same => Work::WrongPassword(Guess::OfAccount),
            Self::WrongPasswords(_) => Work::WrongPassword(Guess::Each),
            Self::Mixed(_) => Work::Mixed,
        })
    }

    fn accounts(&self) -> Result<Vec<Account>, Failure> {
        let path = &self.common().credentials;
        let Self::WrongPasswords(args) = self else {
            return accounts::read(path, Passwords::Needed);
        };
        let accounts = accounts::read(path, Passwords::Unused)?;
        if !args.same {
            return Ok(accounts);
        }
        let wrong = accounts.iter().map(|account| Account::made_up(&account.username));
        wrong.collect::<Result<_, _>>().map_err(Failure::failed)
    }
}

impl Throughput {
    fn work(&self, protocol: Protocol) -> Result<Work, Failure> {
        let message = Expected::new(self.size);
        match (protocol, &self.to) {
            (Protocol::Imap, _) if self.to.is_some() || self.sender.is_some() => Err(Failure::usage(
                "--to and --sender are for SMTP; over IMAP messages are stored and fetched",
            )),
            (Protocol::Imap, _) => {
                let folder = match &self.folder {
                    Some(name) => name.clone(),
                    None => random_name()?,
                };
                Ok(Work::Fetch {
                    folder: Folder::Own(folder),
                    message,
                })
            }
            (Protocol::Smtp, _) if self.folder.is_some() => Err(Failure::usage("--folder is for IMAP")),
            (Protocol::Smtp, None) => Err(Failure::usage(
                "name who gets the messages with --to ADDRESS; they are real mail",
            )),
            (Protocol::Smtp, Some(to)) => Ok(Work::Send {
                from: self.sender.clone(),
                to: to.clone(),
                message,
            }),
        }
    }
}

pub(super) async fn run(command: Command, output: &Output) -> Result<(), Failure> {
    let common = command.common();
    let (target, from) = common.target.target().await?;
    let mechanism = match (common.mechanism, target.protocol) {
        (Some(Said::Plain), _) | (None, Protocol::Smtp) => Mechanism::Plain,
        (Some(Said::Login), _) | (None, Protocol::Imap) => Mechanism::Login,
    };
    let plan = Plan {
        work: command.work(target.protocol)?,
        accounts: Arc::new(command.accounts()?),
        target,
        mechanism,
        clients: usize::try_from(common.clients).map_err(Failure::usage)?,
        rate: common.rate,
        bound: command.bound(),
        step_time: common.step_time,
        from,
        clock: Clock::system(),
    };
    raise_file_limit(&plan)?;
    let plan = Arc::new(plan);
    let watch = Arc::new(Watch::default());
    let report = watched(&plan, &watch, output).await?;
    show::report(command.name(), &plan, &watch, &report, output)?;
    verdict(&report)
}

/// Runs the plan, shows how far it is, and ends it at a signal.
async fn watched(plan: &Arc<Plan>, watch: &Arc<Watch>, output: &Output) -> Result<Report, Failure> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let progress = show::Progress::new(plan, output);
    let mut looks = tokio::time::interval(PROGRESS_EVERY);
    let mut run = Box::pin(load::run(plan, watch));
    loop {
        let signalled = tokio::select! {
            report = &mut run => {
                progress.end();
                return Ok(report);
            }
            _ = interrupt.recv() => true,
            _ = terminate.recv() => true,
            _ = looks.tick() => false,
        };
        if signalled && watch.is_stopped() {
            progress.end();
            return Err(Failure::failed(
                "interrupted again while cleaning up; a folder that was made may still be there",
            ));
        }
        if signalled {
            watch.stop();
        }
        progress.look(plan, watch);
    }
}

/// What the exit code says.
fn verdict(report: &Report) -> Result<(), Failure> {
    let wrong = report.errors().get("bad_answer").copied().unwrap_or_default();
    if wrong > 0 {
        return Err(Failure::failed(format!("{wrong} answers were wrong")));
    }
    let came_out_right = |(name, part): (&&str, &Part)| !["store", "open"].contains(name) && part.done > 0;
    if report.parts.iter().any(came_out_right) {
        Ok(())
    } else {
        Err(Failure::new(Exit::Failed, "nothing came out right"))
    }
}

fn raise_file_limit(plan: &Plan) -> Result<(), Failure> {
    let wanted = FILES_BESIDE.saturating_add(plan.clients as u64);
    let reached = rlimit::increase_nofile_limit(wanted).unwrap_or(0);
    if reached < wanted {
        return Err(Failure::failed(format!(
            "{} clients need {wanted} open files, the system allows {reached}; raise the limit (`ulimit -n`) or lower --clients",
            plan.clients
        )));
    }
    Ok(())
}

fn random_name() -> Result<String, Failure> {
    let mut octets = [0; 4];
    getrandom::fill(&mut octets).map_err(Failure::failed)?;
    Ok(format!("postern-load-{:08x}", u32::from_be_bytes(octets)))
}

fn span(text: &str) -> Result<Duration, String> {
    let Time(span) = Time::parse(text)?;
    if span.is_zero() {
        return Err("must be more than nothing".to_owned());
    }
    Ok(span)
}

fn size(text: &str) -> Result<u64, String> {
    let Size(octets) = Size::parse(text)?;
    if octets > MAX_MESSAGE {
        return Err(format!("must be at most {} MiB", MAX_MESSAGE >> 20));
    }
    Ok(octets as u64)
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if (MIN_RATE..=MAX_RATE).contains(&rate) => Ok(rate),
        _ => Err(format!(
            "write a number of operations per second, from {MIN_RATE} to {MAX_RATE}"
        )),
    }
}
