-- Devices that users control, and what listChange needs of the audit log.

CREATE TABLE end_user_device (
    pkid     TEXT NOT NULL PRIMARY KEY,
    end_user TEXT NOT NULL REFERENCES end_user (pkid) ON DELETE CASCADE,
    device   TEXT NOT NULL REFERENCES device (pkid) ON DELETE CASCADE,
    UNIQUE (end_user, device)
);
CREATE INDEX end_user_device_by_device ON end_user_device (device);

CREATE TABLE application_user_device (
    pkid             TEXT NOT NULL PRIMARY KEY,
    application_user TEXT NOT NULL REFERENCES application_user (pkid) ON DELETE CASCADE,
    device           TEXT NOT NULL REFERENCES device (pkid) ON DELETE CASCADE,
    UNIQUE (application_user, device)
);
CREATE INDEX application_user_device_by_device ON application_user_device (device);

-- What owners had until now was shown as an association.
INSERT INTO end_user_device (pkid, end_user, device)
SELECT pkid, owner, pkid FROM device WHERE owner IS NOT NULL;

ALTER TABLE audit ADD COLUMN object TEXT NOT NULL DEFAULT ''; -- pkid of what was changed; '' : it has none
ALTER TABLE audit ADD COLUMN number BIGINT;                   -- its place in the queue of changes; NULL: not yet asked for
CREATE INDEX audit_by_number ON audit (number, pkid);

-- The queue of changes, from the first listChange on: one row.
CREATE TABLE change_queue (
    name        TEXT   NOT NULL PRIMARY KEY,
    queue_id    TEXT   NOT NULL,            -- told to clients; another one: read everything anew
    begun_after TEXT   NOT NULL,            -- rows of `audit` up to this pkid are not in it
    last_number BIGINT NOT NULL DEFAULT 0   -- last one given
);
