//! `postern audit export`: the same files as the Manager makes.

use std::fs::OpenOptions;
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use crate::cli::failure::{Exit, Failure};
use crate::cli::local::Local;
use crate::cli::output::{Output, counted};
use crate::directory::export::Shape;
use crate::store::{AuditFilter, page};

use super::Which;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "In CSV no field can run as a formula of a spreadsheet: what begins like one has an apostrophe in front.\n\nExamples:\n  postern audit export --since 2026-11-01 --until 2026-11-30 > november.csv\n  postern audit export --format jsonl --file audit.jsonl"
)]
pub(super) struct Args {
    #[command(flatten)]
    which: Which,
    /// csv for spreadsheets, jsonl for programs.
    #[arg(long, default_value = "csv")]
    format: Shape,
    /// Write it into this new file, which only its owner can read, instead of to stdout.
    #[arg(long)]
    file: Option<PathBuf>,
}

pub(super) async fn run(args: Args, local: &Local, output: &Output) -> Result<(), Failure> {
    let filter = args.which.filter(page::PAGE_MAX, local).await?;
    let shape = if output.is_json() {
        Shape::JsonLines
    } else {
        args.format
    };
    let rows = match &args.file {
        None => {
            let rows = write(shape, filter, local, &mut io::stdout().lock()).await?;
            // A file that somebody reads tells by itself how long it is.
            if io::stdout().is_terminal() {
                return Ok(());
            }
            rows
        }
        Some(path) => {
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(path)
                .map_err(|error| match error.kind() {
                    io::ErrorKind::AlreadyExists => Failure::new(
                        Exit::Conflict,
                        format!("{} exists already; choose another name", path.display()),
                    ),
                    _ => Failure::failed(format!("{} cannot be written: {error}", path.display())),
                })?;
            let rows = write(shape, filter, local, &mut file).await?;
            file.sync_all()?;
            rows
        }
    };
    output.note(&format!("{} written", counted(rows, "row", "rows")));
    Ok(())
}

/// Writes page by page; says how many rows.
async fn write(shape: Shape, mut filter: AuditFilter, local: &Local, to: &mut impl Write) -> Result<usize, Failure> {
    let mut rows = 0;
    to.write_all(&shape.head()?)?;
    loop {
        let page = local.directory.audit_page(&filter).await?;
        rows += page.rows.len();
        match to.write_all(&shape.rows(&page.rows)?) {
            // A reader that went away has all it wanted.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(rows),
            written => written?,
        }
        if page.next.is_none() {
            break;
        }
        filter.before = page.next;
    }
    to.flush()?;
    Ok(rows)
}
