-- Notices by mail: what an organisation has switched off, from which networks each device signed in, and what its people
-- are still to be told.

CREATE TABLE notice_off (
    org_id INTEGER NOT NULL REFERENCES org (id) ON DELETE CASCADE,
    kind   TEXT    NOT NULL,
    PRIMARY KEY (org_id, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE device_network (
    device_id INTEGER NOT NULL REFERENCES device (id) ON DELETE CASCADE,
    network   TEXT    NOT NULL,
    first_at  INTEGER NOT NULL,
    last_at   INTEGER NOT NULL,
    PRIMARY KEY (device_id, network)
) STRICT, WITHOUT ROWID;
-- Nobody is told of the networks that the devices so far are known from.
INSERT INTO device_network (device_id, network, first_at, last_at)
    SELECT id, first_ip, first_at, first_at FROM device WHERE first_ip IS NOT NULL;
INSERT INTO device_network (device_id, network, first_at, last_at)
    SELECT id, last_ip, last_at, last_at FROM device WHERE last_ip IS NOT NULL
    ON CONFLICT (device_id, network) DO UPDATE SET last_at = excluded.last_at;

-- One row for each device of which there was something to tell.
CREATE TABLE device_notice (
    device_id INTEGER PRIMARY KEY REFERENCES device (id) ON DELETE CASCADE,
    mailed_at INTEGER, -- when the last mail about it was written
    due_at    INTEGER, -- when what waits may be told; none: nothing waits
    more      INTEGER NOT NULL DEFAULT 0 -- how much was not kept of what waits
) STRICT;
CREATE INDEX device_notice_due ON device_notice (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE notice (
    id        INTEGER PRIMARY KEY,
    device_id INTEGER NOT NULL REFERENCES device_notice (device_id) ON DELETE CASCADE,
    kind      TEXT    NOT NULL,
    at        INTEGER NOT NULL,
    who       TEXT, -- what they are called who did it, where somebody did
    ip        TEXT,
    protocol  TEXT,
    client    TEXT
) STRICT;
CREATE INDEX notice_device ON notice (device_id, id);

-- Whom a waiting notice is for, and of which devices it tells: it is sent only while they may still see them. Rows refer
-- to no device, so that a notice of one that is gone is found, and withdrawn.
CREATE TABLE mail_reader (
    mail_id   INTEGER NOT NULL REFERENCES mail (id) ON DELETE CASCADE,
    device_id INTEGER NOT NULL,
    user_id   INTEGER NOT NULL,
    PRIMARY KEY (mail_id, device_id)
) STRICT, WITHOUT ROWID;

-- When somebody was told that the device is not used any more; its next use forgets it.
ALTER TABLE device ADD COLUMN unused_told_at INTEGER;
-- Those that are unused already, by the last use of any device, are told of only once they were used again: nobody gets a
-- mail for each of them on the day of the upgrade.
UPDATE device SET unused_told_at = created_at
    WHERE coalesce(last_day, created_at / 86400000)
        < (SELECT max(coalesce(last_day, created_at / 86400000)) FROM device) - 90;
CREATE INDEX device_unused ON device (coalesce(last_day, created_at / 86400000), id)
    WHERE revoked_at IS NULL AND paused_at IS NULL AND unused_told_at IS NULL;
