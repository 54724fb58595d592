-- Times are milliseconds since 1970 in UTC. Addresses and domains are in canonical form (model::address).

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE org (
    id         INTEGER PRIMARY KEY,
    name       TEXT    NOT NULL,
    name_key   TEXT    NOT NULL UNIQUE, -- the name without case
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE mail_domain (
    id         INTEGER PRIMARY KEY,
    org_id     INTEGER NOT NULL REFERENCES org (id),
    name       TEXT    NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX mail_domain_org ON mail_domain (org_id);

CREATE TABLE mailbox (
    id              INTEGER PRIMARY KEY,
    domain_id       INTEGER NOT NULL REFERENCES mail_domain (id),
    address         TEXT    NOT NULL UNIQUE,
    epoch           INTEGER NOT NULL DEFAULT 0,
    suspended_at    INTEGER,
    upstream_secret BLOB, -- sealed with the server key
    created_at      INTEGER NOT NULL
) STRICT;
CREATE INDEX mailbox_domain ON mailbox (domain_id, address);

-- Every address there is, so that a mailbox and an alias can never share one. A row with an alias_id is an alias;
-- the one without it is the mailbox's own.
CREATE TABLE address (
    address    TEXT    PRIMARY KEY,
    domain_id  INTEGER NOT NULL REFERENCES mail_domain (id),
    mailbox_id INTEGER NOT NULL REFERENCES mailbox (id) ON DELETE CASCADE,
    alias_id   INTEGER UNIQUE,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX address_mailbox ON address (mailbox_id);
CREATE INDEX address_domain ON address (domain_id);

-- Devices and credentials lie sorted by mailbox, so that a login finds all of them on one page each, however long ago
-- the one and the other were added.
CREATE TABLE device (
    id             INTEGER NOT NULL UNIQUE,
    mailbox_id     INTEGER NOT NULL REFERENCES mailbox (id) ON DELETE CASCADE,
    label          TEXT    NOT NULL,
    label_key      TEXT    NOT NULL, -- the label without case
    scopes         TEXT    NOT NULL,
    networks       TEXT    NOT NULL,
    senders        TEXT    NOT NULL,
    expires_at     INTEGER,
    paused_at      INTEGER,
    revoked_at     INTEGER,
    epoch          INTEGER NOT NULL DEFAULT 0,
    imported       INTEGER NOT NULL CHECK (imported IN (0, 1)),
    created_at     INTEGER NOT NULL,
    replaced_at    INTEGER,
    first_at       INTEGER,
    first_ip       TEXT,
    first_protocol TEXT,
    first_client   TEXT,
    last_at        INTEGER,
    last_ip        TEXT,
    last_protocol  TEXT,
    last_client    TEXT,
    PRIMARY KEY (mailbox_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX device_live_label ON device (mailbox_id, label_key) WHERE revoked_at IS NULL;

CREATE TABLE credential (
    id         INTEGER NOT NULL UNIQUE,
    device_id  INTEGER NOT NULL REFERENCES device (id) ON DELETE CASCADE,
    mailbox_id INTEGER NOT NULL REFERENCES mailbox (id) ON DELETE CASCADE,
    tag        INTEGER CHECK (tag BETWEEN 0 AND 65535),
    key_id     INTEGER NOT NULL,
    hash       TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    retired_at INTEGER,
    PRIMARY KEY (mailbox_id, id)
) STRICT, WITHOUT ROWID;
-- Of the retired ones of a mailbox only the newest are kept.
CREATE INDEX credential_mailbox ON credential (mailbox_id, retired_at);
CREATE INDEX credential_device ON credential (device_id);
CREATE INDEX credential_retired ON credential (retired_at) WHERE retired_at IS NOT NULL;
CREATE UNIQUE INDEX credential_in_use ON credential (device_id) WHERE retired_at IS NULL;
-- A right password costs exactly one hash run, and an old one is told from a new one.
CREATE UNIQUE INDEX credential_tag ON credential (mailbox_id, key_id, tag) WHERE tag IS NOT NULL;

-- Rows outlive what they tell of, so they refer to nothing. AUTOINCREMENT: a number is never used twice.
CREATE TABLE change_log (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    at         INTEGER NOT NULL,
    mailbox_id INTEGER NOT NULL,
    device_id  INTEGER, -- none: the whole mailbox
    reason     TEXT    NOT NULL
) STRICT;

CREATE TABLE audit (
    number  INTEGER PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL,
    who     TEXT    NOT NULL,
    origin  TEXT    NOT NULL,
    action  TEXT    NOT NULL,
    org_id  INTEGER,
    subject TEXT    NOT NULL,
    detail  TEXT    NOT NULL CHECK (json_valid(detail))
) STRICT;
CREATE INDEX audit_org ON audit (org_id, number);
