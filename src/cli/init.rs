//! `postern init`: data folder, database, server key and configuration, where they are missing, and the first owner where
//! one is asked for. Nothing is overwritten.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::failure::{Exit, Failure};
use super::local::Local;
use super::output::Output;
use super::{secret_input, user};
use crate::clock::Clock;
use crate::config::{self, Config, Secrets};
use crate::directory::{self, FirstOrg};
use crate::keys::Keyring;
use crate::model::{Language, Org, Role};
use crate::secret::Secret;
use crate::server::set_up;
use crate::store::sqlite::SqliteStore;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Run it as the user that the daemon runs as:\n  sudo -u postern postern init\n\nWith --owner it also makes the first owner of an organisation, and the organisation where it is missing: ready to sign in with a password from stdin, otherwise with a link that is printed once.\n  pass manager | postern init --owner sophie@private.example --name \"Sophie Laurent\" --org Acme --password-stdin"
)]
pub(super) struct Args {
    /// Make this the first owner: the address that they sign in with, better none of the mailboxes here.
    #[arg(long, value_name = "ADDRESS", requires_all = ["name", "org"])]
    owner: Option<String>,
    /// What the owner is called, 1 to 100 characters.
    #[arg(long, requires = "owner")]
    name: Option<String>,
    /// Of which organisation: a new name, or one that has no owner yet.
    #[arg(long, requires = "owner")]
    org: Option<String>,
    /// In which language the Manager speaks to them: en or fr.
    #[arg(long, requires = "owner", default_value_t = Language::English)]
    language: Language,
    /// Read their password from stdin, in place of the link.
    #[arg(long, requires = "owner")]
    password_stdin: bool,
}

/// The first owner, as they were asked for.
struct FirstOwner {
    address: String,
    name: String,
    org: String,
    language: Language,
    password: Option<Secret<String>>,
}

impl Args {
    fn first_owner(self) -> Result<Option<FirstOwner>, Failure> {
        let (Some(address), Some(name), Some(org)) = (self.owner, self.name, self.org) else {
            return Ok(None);
        };
        let password = match self.password_stdin {
            true => Some(secret_input::password()?),
            false => None,
        };
        Ok(Some(FirstOwner {
            address,
            name,
            org,
            language: self.language,
            password,
        }))
    }
}

/// What was made: the word in JSON, and where it is.
type Done = Vec<(&'static str, PathBuf)>;

pub(super) fn run(args: Args, path: &Path, output: &Output) -> Result<(), Failure> {
    let owner = args.first_owner()?;
    let mut done = Vec::new();
    if write_config(path)? {
        done.push(("config", path.to_owned()));
    }
    let (config, _) = config::load(path, Secrets::Skip)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(prepare(&config, &mut done))?;
    let Some(owner) = owner else {
        return output.show(&created(&done), || {
            let mut lines = lines_of(&done);
            lines.push(next_steps(path, &config));
            lines.join("\n")
        });
    };
    let mut facts = created(&done);
    runtime.block_on(async {
        let local = Local::with_config(config, Clock::system()).await?;
        let mut lines = Vec::new();
        if !done.is_empty() {
            lines = lines_of(&done);
            lines.push(format!(
                "back up {} apart from the database: without it no password can be verified\n",
                local.config.key_file.display()
            ));
        }
        make_owner(owner, (lines, &mut facts), &local, output).await
    })
}

fn created(done: &Done) -> Value {
    json!({ "created": done.iter().map(|(what, path)| json!({ "what": what, "path": path })).collect::<Vec<_>>() })
}

fn lines_of(done: &Done) -> Vec<String> {
    if done.is_empty() {
        return vec!["everything is there already; nothing was changed".to_owned()];
    }
    done.iter()
        .map(|(what, path)| format!("created {:<12}{}", what.replace('_', " "), path.display()))
        .collect()
}

fn next_steps(path: &Path, config: &Config) -> String {
    format!(
        "\nNext:\n  1. put your host name, certificate and mail store into {}\n  2. postern check\n  3. postern org create NAME\n  4. postern domain create DOMAIN --org NAME\n  5. postern mailbox create ADDRESS\n  6. postern device add ADDRESS --label \"NAME OF THE DEVICE\"\n  7. postern serve (or: systemctl enable --now postern)\nOr do steps 3 to 6 in the browser: set address and origin under [manager]; at its start `postern serve` then writes the\nlink that makes the first owner into {}. Or make them here: postern init --owner ADDRESS --name NAME --org NAME\nBack up {} apart from the database: without it no password can be verified.",
        path.display(),
        set_up::place(&config.data_dir).display(),
        config.key_file.display()
    )
}

/// Makes what is missing of data folder, server key and database.
async fn prepare(config: &Config, done: &mut Done) -> Result<(), Failure> {
    if make_private_dir(&config.data_dir)? {
        done.push(("data_dir", config.data_dir.clone()));
    }
    let (has_key, has_store) = (config.key_file.exists(), config.store.path.exists());
    if has_store && !has_key {
        return Err(Failure::failed(format!(
            "the database {} exists but its server key {} does not; put the key file back from its backup, a new one could not verify any password",
            config.store.path.display(),
            config.key_file.display()
        )));
    }
    let keys = if has_key {
        Keyring::load(&config.key_file)?
    } else {
        Keyring::create(&config.key_file)?
    };
    if !has_key {
        done.push(("server_key", config.key_file.clone()));
    }
    let clock = Clock::system();
    let store = if has_store {
        SqliteStore::open(&config.store, clock)?
    } else {
        SqliteStore::create(&config.store, clock)?
    };
    if !has_store {
        done.push(("database", config.store.path.clone()));
    }
    Ok(store.check_key_fingerprints(&keys.fingerprints()).await?)
}

/// Makes the first owner, or says that they are there.
async fn make_owner(
    owner: FirstOwner,
    (mut lines, facts): (Vec<String>, &mut Value),
    local: &Local,
    output: &Output,
) -> Result<(), Failure> {
    let directory = &local.directory;
    if owner.password.is_none() {
        // Before anything is written: the link would lead nowhere.
        local.link("/").map_err(|failure| {
            let message = format!("{}; or give a password: --password-stdin", failure.message);
            Failure::new(failure.exit, message)
        })?;
    }
    let found = match directory.find_org(&owner.org).await {
        Ok(org) => Some(org),
        Err(directory::Error::UnknownOrg { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    if let Some(org) = &found {
        must_be_new(&owner, org, local).await?;
    }
    let org = found.map_or_else(|| FirstOrg::New(owner.org.clone()), |org| FirstOrg::Existing(org.id));
    let typed = owner.password.as_ref().map(|password| password.expose().as_str());
    let new = directory
        .new_user(&owner.address, &owner.name, owner.language, typed)
        .await?;
    let (user, org) = directory.create_first_owner(&local.actor, &org, &new).await?;
    if let Some(facts) = facts.as_object_mut() {
        let owner = json!({ "user": user.id, "address": user.address.as_str(), "org": org.id, "org_name": org.name });
        facts.insert("owner".to_owned(), owner);
    }
    lines.push(format!("{} is the first owner of \"{}\"", user.address, org.name));
    match (&owner.password, &local.config.manager) {
        (None, _) => {
            let done = lines.join("\n") + "; they choose their password at:";
            user::show_reset_link(&user, &done, facts.clone(), local, output).await
        }
        (Some(_), Some(manager)) => {
            lines.push(format!("sign in with the password at {}/sign-in", manager.origin));
            output.show(facts, || lines.join("\n"))
        }
        (Some(_), None) => {
            lines.push("to sign in, set address and origin under [manager], then `postern serve`".to_owned());
            output.show(facts, || lines.join("\n"))
        }
    }
}

/// Says how to go on where the organisation has an owner, or the address is a user's.
async fn must_be_new(owner: &FirstOwner, org: &Org, local: &Local) -> Result<(), Failure> {
    let Ok(user) = local.directory.find_user(&owner.address).await else {
        return Ok(());
    };
    let roles = local.directory.orgs_of(user.id).await?;
    let role = roles.iter().find(|of| of.org.id == org.id).map(|of| of.role);
    let message = match role {
        Some(Role::Owner) => format!("{} is an owner of \"{}\" already", user.address, org.name),
        _ => format!(
            "{0} is a user already: postern role set {0} owner --org \"{1}\"",
            user.address, org.name
        ),
    };
    Err(Failure::new(Exit::Conflict, message))
}

/// Writes the commented default where there is no file yet.
fn write_config(path: &Path) -> Result<bool, Failure> {
    let failed = |error: std::io::Error| Failure::failed(format!("{} cannot be written: {error}", path.display()));
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o644).open(path) {
        Ok(mut file) => file
            .write_all(config::DEFAULT_FILE.as_bytes())
            .map(|()| true)
            .map_err(failed),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(failed(error)),
    }
}

/// A folder of mode 0700; one that exists must not be open to others.
fn make_private_dir(path: &Path) -> Result<bool, Failure> {
    let failed =
        |error: std::io::Error| Failure::failed(format!("the data folder {} cannot be used: {error}", path.display()));
    if !path.exists() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(failed)?;
        return Ok(true);
    }
    let mode = fs::metadata(path).map_err(failed)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(Failure::failed(format!(
            "the data folder {0} is open to others (mode {mode:o}); `chmod 700 {0}`",
            path.display()
        )));
    }
    Ok(false)
}
