//! Which versions were compared.

use std::process::{Command, Stdio};

use super::postern::PROGRAM;

/// Program, how it is asked, and what stands in front of the version.
const ASKED: [(&str, &str, &str, &str); 4] = [
    ("postern", PROGRAM, "--version", "postern "),
    ("nginx", "/usr/sbin/nginx", "-v", "nginx version: nginx/"),
    ("haproxy", "/usr/sbin/haproxy", "-v", "HAProxy version "),
    ("dovecot", "/usr/sbin/dovecot", "--version", ""),
];

/// `nginx 1.22.1` and so on; those that are not installed are left out.
pub(crate) fn read() -> Vec<String> {
    let version = |(name, program, option, prefix): (&str, &str, &str, &str)| {
        let output = Command::new(program).arg(option).stdin(Stdio::null()).output().ok()?;
        // nginx says it on standard error.
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        let line = said.lines().find_map(|line| line.strip_prefix(prefix))?;
        Some(format!("{name} {}", line.split_ascii_whitespace().next()?))
    };
    ASKED.into_iter().filter_map(version).collect()
}
