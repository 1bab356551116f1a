-- Trust lists: the keys that sign them, the certificates they name, and who has fetched them.

CREATE TABLE trust_key (
    number      BIGINT NOT NULL PRIMARY KEY,  -- 1, 2, 3 in the order in which they came
    certificate TEXT   NOT NULL,              -- DER in base64
    sealed_key  TEXT   NOT NULL,              -- private key, sealed with the key file; '' : wiped when retired
    created_at  BIGINT NOT NULL,
    exported_at BIGINT,                       -- NULL: not yet, so in no list
    retired_at  BIGINT                        -- NULL: in use
);

CREATE TABLE trust_certificate (
    node        TEXT   NOT NULL PRIMARY KEY REFERENCES call_manager (pkid) ON DELETE CASCADE,
    certificate TEXT   NOT NULL,              -- of its HTTPS door, DER in base64; '' : phones would not take it
    changed_at  BIGINT NOT NULL
);

CREATE TABLE trust_list_fetch (
    device_name TEXT   NOT NULL PRIMARY KEY,  -- survives the row of the device, as the phone's list does
    key_number  BIGINT NOT NULL,              -- newest key of the list that the phone has
    fetched_at  BIGINT NOT NULL
);
