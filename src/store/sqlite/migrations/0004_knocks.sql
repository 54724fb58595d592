-- Tries with retired passwords; declined invitations; sign-in addresses that wait for their confirmation; who did what by
-- the user's id, which stays when the address changes; lists of devices that are narrowed without reading each record.

CREATE TABLE knock (
    mailbox_id    INTEGER NOT NULL,
    credential_id INTEGER NOT NULL,
    device_id     INTEGER NOT NULL,
    org_id        INTEGER NOT NULL,
    tries         INTEGER NOT NULL,
    first_at      INTEGER NOT NULL,
    last_at       INTEGER NOT NULL,
    last_ip       TEXT    NOT NULL,
    last_protocol TEXT    NOT NULL,
    last_client   TEXT,
    PRIMARY KEY (mailbox_id, credential_id),
    FOREIGN KEY (mailbox_id, credential_id) REFERENCES credential (mailbox_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX knock_org ON knock (org_id, last_at, device_id);

-- Withdrawn by whoever was invited.
ALTER TABLE invitation ADD COLUMN declined_at INTEGER;

-- At most one for each user, the newest. Known by the keyed hash of its link's token.
CREATE TABLE address_change (
    user_id    INTEGER PRIMARY KEY REFERENCES user (id) ON DELETE CASCADE,
    hash       BLOB    NOT NULL UNIQUE,
    address    TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX address_change_end ON address_change (expires_at);

-- Rows refer to nothing, so that they outlive the user. Rows so far have none.
ALTER TABLE audit ADD COLUMN user_id INTEGER;
CREATE INDEX audit_user ON audit (user_id, number) WHERE user_id IS NOT NULL;

-- Name and kind stand in the indexes that lists are read from: a list that is narrowed by them reads a record only once
-- it is a hit.
DROP INDEX device_use;
DROP INDEX device_end;
DROP INDEX device_paused;
DROP INDEX device_revoked;
CREATE INDEX device_use ON device (org_id, last_day, id, revoked_at, label_key, kind) WHERE revoked_at IS NULL;
CREATE INDEX device_end ON device (org_id, expires_at, id, revoked_at, label_key, kind)
    WHERE revoked_at IS NULL AND expires_at IS NOT NULL;
CREATE INDEX device_paused ON device (org_id, paused_at, id, revoked_at, label_key, kind)
    WHERE revoked_at IS NULL AND paused_at IS NOT NULL;
CREATE INDEX device_revoked ON device (org_id, revoked_at, id, label_key, kind) WHERE revoked_at IS NOT NULL;
