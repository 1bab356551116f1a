-- Keys beside the trust keys: of the Trust Verification Service (TVS) and of signed configuration files.

CREATE TABLE trust_service_key (
    service     TEXT   NOT NULL PRIMARY KEY,  -- 'tvs' or 'configuration_files'
    certificate TEXT   NOT NULL,              -- DER in base64
    sealed_key  TEXT   NOT NULL,              -- private key, sealed with the key file
    created_at  BIGINT NOT NULL,
    exported_at BIGINT,                       -- NULL: not yet, so in no list
    listed_at   BIGINT                        -- when a list first named it; NULL: no phone can know it
);

-- Of the node's HTTPS door for files, DER in base64; '' : not known yet. Since this migration both
-- columns hold what the doors show, whether phones would take it or not.
ALTER TABLE trust_certificate ADD COLUMN files_certificate TEXT NOT NULL DEFAULT '';
