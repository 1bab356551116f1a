-- What new devices of a model begin with (AXL `DeviceDefaults`), under the identity that the model's
-- defaults have in AXL. A model without a row: the firmware's own load, the pool and the button
-- template of a fresh system.
CREATE TABLE device_default (
    pkid                  TEXT   NOT NULL PRIMARY KEY,
    load_information      TEXT   NOT NULL DEFAULT '',
    device_pool           TEXT   REFERENCES device_pool (pkid),
    phone_button_template TEXT   REFERENCES phone_button_template (pkid),
    version               BIGINT NOT NULL DEFAULT 1
);

-- Until now they were only kept.
INSERT INTO device_default (pkid)
    SELECT owner FROM attribute
    WHERE owner LIKE '5e1f0000-0000-8000-8000-0011%' AND name = 'LoadInformation'
    UNION SELECT owner FROM attribute_reference
    WHERE owner LIKE '5e1f0000-0000-8000-8000-0011%'
    AND name IN ('DevicePoolName', 'PhoneButtonTemplate');
UPDATE device_default SET
    load_information = COALESCE((SELECT value FROM attribute
        WHERE owner = device_default.pkid AND name = 'LoadInformation'), ''),
    device_pool = (SELECT target FROM attribute_reference
        WHERE owner = device_default.pkid AND name = 'DevicePoolName'
        AND target IN (SELECT pkid FROM device_pool)),
    phone_button_template = (SELECT target FROM attribute_reference
        WHERE owner = device_default.pkid AND name = 'PhoneButtonTemplate'
        AND target IN (SELECT pkid FROM phone_button_template));
DELETE FROM attribute
    WHERE owner IN (SELECT pkid FROM device_default) AND name = 'LoadInformation';
DELETE FROM attribute_reference
    WHERE owner IN (SELECT pkid FROM device_default)
    AND name IN ('DevicePoolName', 'PhoneButtonTemplate');

-- Two changes of one default at once: the second is made anew.
ALTER TABLE credential_policy_default ADD COLUMN version BIGINT NOT NULL DEFAULT 1;

-- The elements of the object that a change touched, by their names in AXL, separated by spaces.
ALTER TABLE audit ADD COLUMN elements TEXT NOT NULL DEFAULT '';
