-- Links by which a device is set up. The device has no password until its link is opened. Rows of links that ended are kept
-- for a while, so that whoever follows one is told what became of it.
CREATE TABLE device_link (
    id           INTEGER PRIMARY KEY,
    hash         BLOB    NOT NULL UNIQUE, -- keyed hash of the link's token
    device_id    INTEGER NOT NULL REFERENCES device (id) ON DELETE CASCADE,
    mailbox_id   INTEGER NOT NULL,
    org_id       INTEGER NOT NULL,
    sender       INTEGER, -- the user who made it; NULL: the command line
    sent_by      TEXT    NOT NULL,
    recipient    TEXT,    -- where it was mailed to
    language     TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    opened_at    INTEGER,
    opened_from  TEXT,
    browser      BLOB,    -- keyed hash of the cookie of the browser that opened it
    starts       INTEGER NOT NULL DEFAULT 0, -- how often something was given for it
    file         BLOB UNIQUE, -- keyed hash of the token of a file that waits to be read
    file_until   INTEGER,
    fetched_at   INTEGER,
    withdrawn_at INTEGER,
    CHECK ((opened_at IS NULL) = (browser IS NULL)),
    CHECK ((file IS NULL) = (file_until IS NULL))
) STRICT;
-- One link a device that is not withdrawn.
CREATE UNIQUE INDEX device_link_of_device ON device_link (device_id) WHERE withdrawn_at IS NULL;
CREATE INDEX device_link_device ON device_link (device_id, id);
CREATE INDEX device_link_mailbox ON device_link (mailbox_id, expires_at) WHERE withdrawn_at IS NULL AND opened_at IS NULL;
CREATE INDEX device_link_org ON device_link (org_id, expires_at) WHERE withdrawn_at IS NULL AND opened_at IS NULL;
CREATE INDEX device_link_end ON device_link (expires_at);
