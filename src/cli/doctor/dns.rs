//! `postern doctor dns`: every record that mail programs use, asked for; and the certificates of every name among them.

use crate::cli::check::{Finding, State, report};
use crate::cli::dns;
use crate::cli::failure::{Exit, Failure};
use crate::cli::local::Local;
use crate::cli::output::Output;
use crate::cli::time;
use crate::config::Config;
use crate::dns::{Examined, ExaminedHost, ExaminedRecord, State as Found, examine};
use crate::onboard::records::{Host, Plan, Role};
use crate::tls::{CertificateFacts, Certificates, Coverage, coverage};

/// What was found, and whether an error is more than a question without an answer.
#[derive(Default)]
struct Findings {
    all: Vec<Finding>,
    is_wrong: bool,
}

impl Findings {
    fn put(&mut self, check: String, state: State, detail: impl ToString) {
        let detail = detail.to_string();
        // Domains share servers, which are told once.
        let is_told = |finding: &Finding| finding.check == check && finding.detail == detail;
        if !self.all.iter().any(is_told) {
            self.is_wrong |= state == State::Error;
            self.all.push(Finding::new(check, state, detail));
        }
    }

    /// A question without an answer: neither right nor wrong.
    fn unknown(&mut self, check: String, detail: impl ToString) {
        let is_wrong = self.is_wrong;
        self.put(check, State::Error, detail);
        self.is_wrong = is_wrong;
    }
}

pub(super) async fn run(domain: Option<&str>, local: &Local, output: &Output) -> Result<(), Failure> {
    let domains = match domain {
        Some(domain) => {
            let domain = dns::parse(domain)?;
            dns::warn_of_stranger(&domain, local, output).await?;
            vec![domain]
        }
        None => {
            let known = local.directory.domains(None).await?;
            known.into_iter().map(|domain| domain.name).collect()
        }
    };
    let mut findings = Findings::default();
    if domains.is_empty() {
        let detail = "there is none yet: postern domain create DOMAIN --org NAME";
        findings.put("mail domain".to_owned(), State::Warning, detail);
    }
    let certificates = certificates(&local.config, &mut findings);
    let reach = local.config.reach();
    for domain in &domains {
        let plan = Plan::new(domain, &reach);
        let examined = examine(&plan, &local.config.dns).await;
        tell(&plan, &examined, &mut findings);
        if let Some(certificates) = &certificates {
            for host in &plan.certified {
                covered(host, certificates, local, &mut findings);
            }
        }
    }
    let exit = if findings.is_wrong {
        Exit::Failed
    } else {
        Exit::Unavailable
    };
    report(&findings.all, exit, output)
}

fn tell(plan: &Plan, examined: &Examined, findings: &mut Findings) {
    for note in &plan.notes {
        findings.put(format!("{} records", plan.domain), State::Warning, note);
    }
    for record in &examined.records {
        record_found(record, findings);
    }
    for host in &examined.hosts {
        host_found(host, findings);
    }
}

fn record_found(examined: &ExaminedRecord, findings: &mut Findings) {
    let record = &examined.record;
    let check = format!("{} {}", record.name, record.data.kind());
    let (wanted, purpose) = (&record.data, record.purpose.words());
    match &examined.state {
        Found::Right => findings.put(check, State::Ok, wanted),
        Found::Other(found) => {
            let found = found.join(", ");
            let detail = format!("found {found}; it should be {wanted} ({purpose})");
            findings.put(check, State::Error, detail);
        }
        Found::Missing if record.is_needed => {
            findings.put(check, State::Error, format!("missing; add {wanted} ({purpose})"));
        }
        Found::Missing => findings.put(
            check,
            State::Warning,
            format!("missing, and optional; add {wanted} ({purpose})"),
        ),
        Found::Unknown(trouble) => findings.unknown(check, format!("not known: {trouble}")),
    }
}

fn host_found(examined: &ExaminedHost, findings: &mut Findings) {
    let check = format!("{} address", examined.host.name);
    match &examined.addresses {
        Ok(addresses) if addresses.is_empty() => findings.put(
            check,
            State::Error,
            "missing; add an A or AAAA record with the address of this installation",
        ),
        Ok(addresses) => {
            let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
            findings.put(check, State::Ok, addresses.join(", "));
        }
        Err(trouble) => findings.unknown(check, format!("not known: {trouble}")),
    }
}

/// The certificates that clients are shown; nothing where they are made for development or cannot be used.
fn certificates(config: &Config, findings: &mut Findings) -> Option<Vec<CertificateFacts>> {
    let check = "certificate".to_owned();
    if config.development_certificates {
        findings.put(check, State::Warning, "made for development: no client trusts it");
        return None;
    }
    match Certificates::load(&config.tls) {
        Ok(certificates) => Some(certificates.describe()),
        Err(error) => {
            findings.put(check, State::Error, error);
            None
        }
    }
}

fn covered(host: &Host, certificates: &[CertificateFacts], local: &Local, findings: &mut Findings) {
    let check = format!("{} certificate", host.name);
    if host.role == Role::ManagerBehindProxy {
        let detail = "not ours: the reverse proxy in front of the Manager has it, and it has to cover this name";
        return findings.put(check, State::Ok, detail);
    }
    let date = |at| time::human(at, local.now());
    match coverage(certificates, &host.name, local.now()) {
        Coverage::Covered { until } => findings.put(check, State::Ok, format!("valid until {}", date(until))),
        Coverage::EndsSoon { until } => findings.put(
            check,
            State::Warning,
            format!("valid until {}; renew it now", date(until)),
        ),
        Coverage::Ended { at } => findings.put(
            check,
            State::Error,
            format!("has ended {}; renew it, or clients refuse to connect", date(at)),
        ),
        Coverage::Uncovered => findings.put(
            check,
            State::Error,
            "no [[tls.certificate]] covers this name; issue one with it, or programs that ask here refuse the answer",
        ),
    }
}
