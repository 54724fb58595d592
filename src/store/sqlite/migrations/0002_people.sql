-- People: users, their roles and rights, invitations, how they sign in; the audit log becomes a chain.

CREATE TABLE user (
    id              INTEGER PRIMARY KEY,
    address         TEXT    NOT NULL UNIQUE,
    name            TEXT    NOT NULL,
    name_key        TEXT    NOT NULL, -- the name without case
    language        TEXT    NOT NULL,
    password_hash   TEXT,
    password_key_id INTEGER,
    code_secret     BLOB, -- sealed with the server key
    code_step       INTEGER, -- the time step of the last code that was accepted
    created_at      INTEGER NOT NULL,
    seen_at         INTEGER,
    CHECK ((password_hash IS NULL) = (password_key_id IS NULL)),
    CHECK ((code_secret IS NULL) = (code_step IS NULL))
) STRICT;

-- The name stands here as well, so that the members of one organisation are read in its order.
CREATE TABLE membership (
    org_id   INTEGER NOT NULL REFERENCES org (id) ON DELETE CASCADE,
    user_id  INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    name_key TEXT    NOT NULL,
    role     TEXT    NOT NULL,
    since    INTEGER NOT NULL,
    PRIMARY KEY (org_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX membership_user ON membership (user_id);
CREATE UNIQUE INDEX membership_name ON membership (org_id, name_key, user_id);
CREATE INDEX membership_owner ON membership (org_id) WHERE role = 'owner';

-- A grant ends with the membership.
CREATE TABLE mailbox_grant (
    mailbox_id INTEGER NOT NULL REFERENCES mailbox (id) ON DELETE CASCADE,
    user_id    INTEGER NOT NULL,
    org_id     INTEGER NOT NULL,
    rights     TEXT    NOT NULL,
    send_as    INTEGER NOT NULL CHECK (send_as IN (0, 1)), -- among the rights
    ends_at    INTEGER,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (mailbox_id, user_id),
    FOREIGN KEY (org_id, user_id) REFERENCES membership (org_id, user_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX mailbox_grant_user ON mailbox_grant (user_id, org_id);
-- Every session that sends asks for them.
CREATE INDEX mailbox_grant_send_as ON mailbox_grant (user_id, mailbox_id, ends_at) WHERE send_as = 1;
CREATE INDEX mailbox_grant_end ON mailbox_grant (ends_at) WHERE ends_at IS NOT NULL;

CREATE TABLE invitation (
    id           INTEGER PRIMARY KEY,
    org_id       INTEGER NOT NULL REFERENCES org (id) ON DELETE CASCADE,
    address      TEXT    NOT NULL,
    role         TEXT    NOT NULL,
    language     TEXT    NOT NULL,
    invited_by   TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    sent_at      INTEGER,
    opened_at    INTEGER,
    expires_at   INTEGER NOT NULL,
    accepted_at  INTEGER,
    withdrawn_at INTEGER
) STRICT;
CREATE INDEX invitation_org ON invitation (org_id, id);
CREATE INDEX invitation_open ON invitation (org_id, id) WHERE accepted_at IS NULL AND withdrawn_at IS NULL;
CREATE INDEX invitation_address ON invitation (org_id, address);
CREATE INDEX invitation_end ON invitation (expires_at);

CREATE TABLE invitation_grant (
    invitation_id INTEGER NOT NULL REFERENCES invitation (id) ON DELETE CASCADE,
    mailbox_id    INTEGER NOT NULL REFERENCES mailbox (id) ON DELETE CASCADE,
    rights        TEXT    NOT NULL,
    ends_at       INTEGER,
    PRIMARY KEY (invitation_id, mailbox_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX invitation_grant_mailbox ON invitation_grant (mailbox_id);

-- Links are known by the keyed hash of their token, here and below. Each mail and each copied link has its own.
CREATE TABLE invitation_link (
    hash          BLOB    PRIMARY KEY,
    invitation_id INTEGER NOT NULL REFERENCES invitation (id) ON DELETE CASCADE,
    created_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX invitation_link_invitation ON invitation_link (invitation_id);

CREATE TABLE console_session (
    id           INTEGER PRIMARY KEY,
    hash         BLOB    NOT NULL UNIQUE,
    user_id      INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    proof        TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    seen_at      INTEGER NOT NULL,
    proved_at    INTEGER NOT NULL, -- when a password or a code was last given
    idle_ends_at INTEGER NOT NULL,
    ends_at      INTEGER NOT NULL,
    origin       TEXT    NOT NULL,
    browser      TEXT    NOT NULL
) STRICT;
CREATE INDEX console_session_user ON console_session (user_id, seen_at);
CREATE INDEX console_session_end ON console_session (idle_ends_at);

CREATE TABLE password_reset (
    hash       BLOB    PRIMARY KEY,
    user_id    INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX password_reset_user ON password_reset (user_id, created_at);
CREATE INDEX password_reset_end ON password_reset (expires_at);

CREATE TABLE recovery_code (
    user_id INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    hash    BLOB    NOT NULL,
    PRIMARY KEY (user_id, hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE api_token (
    id         INTEGER PRIMARY KEY,
    hash       BLOB    NOT NULL UNIQUE,
    org_id     INTEGER NOT NULL,
    user_id    INTEGER NOT NULL,
    name       TEXT    NOT NULL,
    role       TEXT    NOT NULL,
    scope      TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    used_at    INTEGER,
    used_from  TEXT,
    FOREIGN KEY (org_id, user_id) REFERENCES membership (org_id, user_id) ON DELETE CASCADE
) STRICT;
CREATE INDEX api_token_member ON api_token (org_id, user_id, id);
CREATE INDEX api_token_end ON api_token (expires_at) WHERE expires_at IS NOT NULL;

-- The organisation stands in each mailbox and device, so that its lists never touch another one's rows.
ALTER TABLE mailbox ADD COLUMN org_id INTEGER NOT NULL DEFAULT 0;
UPDATE mailbox SET org_id = (SELECT org_id FROM mail_domain WHERE id = mailbox.domain_id);
CREATE UNIQUE INDEX mailbox_org ON mailbox (org_id, address);
DROP INDEX address_domain;
CREATE UNIQUE INDEX address_domain ON address (domain_id, address);

ALTER TABLE device ADD COLUMN org_id INTEGER NOT NULL DEFAULT 0;
ALTER TABLE device ADD COLUMN kind TEXT NOT NULL DEFAULT 'other';
ALTER TABLE device ADD COLUMN user_id INTEGER REFERENCES user (id) ON DELETE SET NULL;
ALTER TABLE device ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
-- The day of the last use, counted from 1970 in UTC: its index changes once a day and device, not with every use.
ALTER TABLE device ADD COLUMN last_day INTEGER;
UPDATE device SET
    org_id = (SELECT org_id FROM mailbox WHERE id = device.mailbox_id),
    last_day = last_at / 86400000;
-- Where the last column is always NULL, it is there so that a search and a count read the index only.
CREATE INDEX device_user ON device (user_id, org_id) WHERE user_id IS NOT NULL;
CREATE INDEX device_label ON device (org_id, label_key, revoked_at) WHERE revoked_at IS NULL;
CREATE INDEX device_use ON device (org_id, last_day, id, revoked_at) WHERE revoked_at IS NULL;
CREATE INDEX device_end ON device (org_id, expires_at, id) WHERE revoked_at IS NULL AND expires_at IS NOT NULL;
CREATE INDEX device_paused ON device (org_id, paused_at, id) WHERE revoked_at IS NULL AND paused_at IS NOT NULL;
CREATE INDEX device_revoked ON device (org_id, revoked_at, id) WHERE revoked_at IS NOT NULL;

-- Rows so far have no hash and stand before the chain (audit::chain).
ALTER TABLE audit ADD COLUMN behalf TEXT;
ALTER TABLE audit ADD COLUMN mailbox_id INTEGER;
ALTER TABLE audit ADD COLUMN hash BLOB;
UPDATE audit SET mailbox_id =
    (SELECT id FROM mailbox WHERE address = coalesce(json_extract(audit.detail, '$.mailbox'), audit.subject));
INSERT INTO meta (key, value) SELECT 'audit.chain_after', CAST(coalesce(max(number), 0) AS TEXT) FROM audit;
CREATE INDEX audit_mailbox ON audit (mailbox_id, number) WHERE mailbox_id IS NOT NULL;
CREATE INDEX audit_who ON audit (who, number);
CREATE INDEX audit_org_who ON audit (org_id, who, number);
CREATE INDEX audit_subject ON audit (subject, number);
