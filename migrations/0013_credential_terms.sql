-- What owners may not do, when an administrator locked a credential, and when owners are warned.
ALTER TABLE credential ADD COLUMN cant_change BIGINT NOT NULL DEFAULT 0;         -- 1: only administrators change it
ALTER TABLE credential ADD COLUMN admin_locked_at BIGINT;                        -- NULL: no administrator's lock
ALTER TABLE credential_policy ADD COLUMN expiry_warning_s BIGINT NOT NULL DEFAULT 0;  -- 0: no warning
ALTER TABLE credential_policy_default ADD COLUMN cant_change BIGINT NOT NULL DEFAULT 0;

-- A lock without an end was shown as an administrator's.
UPDATE credential SET admin_locked_at = locked_at WHERE locked_until IS NULL;

-- What was only kept until now.
UPDATE credential SET cant_change = 1 WHERE EXISTS (
    SELECT 1 FROM attribute WHERE attribute.owner = credential.owner AND attribute.value = 'true'
        AND attribute.name = CASE credential.kind
            WHEN 'pin' THEN 'pinCredentials/pinCredUserCantChange'
            ELSE 'passwordCredentials/pwdCredUserCantChange' END);
DELETE FROM attribute
    WHERE name IN ('pinCredentials/pinCredUserCantChange', 'passwordCredentials/pwdCredUserCantChange');

UPDATE credential_policy SET expiry_warning_s = 86400 * COALESCE((
    SELECT CAST(NULLIF(value, '') AS BIGINT) FROM attribute
        WHERE attribute.owner = credential_policy.pkid AND attribute.name = 'expiryWarningDays'), 0);
DELETE FROM attribute WHERE name = 'expiryWarningDays';

UPDATE credential_policy_default SET cant_change = 1 WHERE EXISTS (
    SELECT 1 FROM attribute WHERE attribute.name = 'credUserCantChange' AND attribute.value = 'true'
        AND attribute.owner = CASE credential_user || ' ' || credential_type
            WHEN 'end_user password' THEN '5e1f0000-0000-8000-8000-001000000001'
            WHEN 'end_user pin' THEN '5e1f0000-0000-8000-8000-001000000002'
            WHEN 'application_user password' THEN '5e1f0000-0000-8000-8000-001000000003'
            ELSE '5e1f0000-0000-8000-8000-001000000004' END);
DELETE FROM attribute WHERE name = 'credUserCantChange';
