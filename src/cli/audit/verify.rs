//! `postern audit verify`: walks the chain of audit rows from its beginning.

use serde_json::json;

use crate::audit::chain::{Head, Walk};
use crate::cli::failure::{Exit, Failure};
use crate::cli::local::Local;
use crate::cli::output::{Output, counted};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Each row's hash covers the row before it, so that a row that was changed, taken out or put in no longer fits. Whoever can write to the database can make the whole chain anew or cut its end: keep the head that this prints somewhere else, and give it back later.\n\nThe exit code is 8 where a row does not fit.\n\nExamples:\n  postern audit verify\n  postern audit verify --head 1216-8d3f...\n  postern audit verify --json | ssh elsewhere 'cat >> heads'"
)]
pub(super) struct Args {
    /// What an earlier verification printed as head: NUMBER-HASH.
    #[arg(long, value_name = "NUMBER-HASH")]
    head: Option<Head>,
}

pub(super) async fn run(args: &Args, local: &Local, output: &Output) -> Result<(), Failure> {
    let mut walk = Walk::new(args.head);
    let outcome = loop {
        walk = local.directory.verify_audit(walk).await?;
        if let Some(outcome) = walk.outcome() {
            break outcome;
        }
    };
    let rows = outcome.chained.saturating_add(outcome.before_chain);
    let head = outcome.head.map(|head| head.to_string());
    let facts = json!({
        "right": outcome.broken.is_none(),
        "rows": rows,
        "before_chain": outcome.before_chain,
        "head": head,
        "broken": outcome.broken.map(|broken| broken.to_string()),
    });
    let rows = usize::try_from(rows).unwrap_or(usize::MAX);
    let before = match outcome.before_chain {
        0 => String::new(),
        before => format!(", of which {before} from before there was a chain"),
    };
    if let Some(broken) = outcome.broken {
        output.show(&facts, || {
            let last = outcome.head.map_or_else(
                || "none of the chain".to_owned(),
                |head| format!("the last one is {}", head.number),
            );
            format!("{} fit, {last}{before}", counted(rows, "row", "rows"))
        })?;
        return Err(Failure::new(
            Exit::AuditBroken,
            format!(
                "the audit log does not fit together: {broken}. Compare it with the database of the last backup that fits"
            ),
        ));
    }
    output.show(&facts, || {
        let kept = match (&head, args.head) {
            (None, _) => "There is nothing to keep yet.".to_owned(),
            (Some(head), None) => format!(
                "head {head}\nKeep it somewhere else: with --head it tells later that nothing was cut or made anew."
            ),
            (Some(head), Some(known)) => {
                format!("head {head}\nThe head that was given, row {}, is in it.", known.number)
            }
        };
        format!("{} fit together{before}\n{kept}", counted(rows, "row", "rows"))
    })
}
