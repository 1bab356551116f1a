-- Phones that an administrator wants to be activated by a code (enableActivationID).
CREATE TABLE phone_activation (
    device       TEXT   NOT NULL PRIMARY KEY REFERENCES device (pkid) ON DELETE CASCADE,
    activated_at BIGINT                                   -- NULL: no code was used yet
);

-- Codes that wait to be entered on a phone: one a device, gone when it is used.
CREATE TABLE activation_code (
    pkid        TEXT   NOT NULL PRIMARY KEY,
    device      TEXT   NOT NULL UNIQUE REFERENCES device (pkid) ON DELETE CASCADE,
    digest      TEXT   NOT NULL UNIQUE,                   -- keyed digest of the digits: a code is found by it
    sealed_code TEXT   NOT NULL,                          -- sealed with the key file
    lifetime_s  BIGINT NOT NULL,                          -- as it was asked for
    expires_at  BIGINT NOT NULL
);
CREATE INDEX activation_code_by_expiry ON activation_code (expires_at);

-- Until now the element was only kept.
INSERT INTO phone_activation (device)
    SELECT device.pkid FROM attribute JOIN device ON device.pkid = attribute.owner
    WHERE attribute.name = 'enableActivationID' AND attribute.value = 'true';
DELETE FROM attribute WHERE name = 'enableActivationID'
    AND owner IN (SELECT pkid FROM device);
