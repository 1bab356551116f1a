-- One schema for SQLite and PostgreSQL: TEXT and BIGINT columns only.
-- Times are milliseconds since 1970-01-01T00:00:00Z; flags are 0 or 1; pkids are UUIDs as text.
-- Columns hold what the product acts on. Every other element of an AXL object stands in
-- `attribute` under its AXL name.

CREATE TABLE attribute (
    owner TEXT NOT NULL,                -- pkid of the object, of whatever table
    name  TEXT NOT NULL,                -- AXL element path, for example busyLampFields/busyLampField[1]/label
    value TEXT NOT NULL,
    PRIMARY KEY (owner, name)
);

-- Small objects that others refer to by name and the product does not act on.
CREATE TABLE named_object (
    pkid        TEXT   NOT NULL PRIMARY KEY,
    kind        TEXT   NOT NULL,        -- AXL object name: Region, Location, CommonPhoneConfig, SoftKeyTemplate …
    name        TEXT   NOT NULL,
    description TEXT   NOT NULL DEFAULT '',
    version     BIGINT NOT NULL DEFAULT 1,
    UNIQUE (kind, name)
);

CREATE TABLE route_partition (
    pkid        TEXT   NOT NULL PRIMARY KEY,
    name        TEXT   NOT NULL UNIQUE, -- the row named '' is CUCM's < None >
    description TEXT   NOT NULL DEFAULT '',
    version     BIGINT NOT NULL DEFAULT 1
);

CREATE TABLE calling_search_space (
    pkid        TEXT   NOT NULL PRIMARY KEY,
    name        TEXT   NOT NULL UNIQUE,
    description TEXT   NOT NULL DEFAULT '',
    version     BIGINT NOT NULL DEFAULT 1
);

CREATE TABLE calling_search_space_member (
    calling_search_space TEXT   NOT NULL REFERENCES calling_search_space (pkid) ON DELETE CASCADE,
    route_partition      TEXT   NOT NULL REFERENCES route_partition (pkid),
    sort_order           BIGINT NOT NULL,
    PRIMARY KEY (calling_search_space, sort_order)
);

CREATE TABLE date_time_group (
    pkid          TEXT   NOT NULL PRIMARY KEY,
    name          TEXT   NOT NULL UNIQUE,
    date_template TEXT   NOT NULL,      -- as phones read it, for example D/M/Ya
    time_zone     TEXT   NOT NULL,      -- Olson name, for example Europe/Berlin
    ntp_servers   TEXT   NOT NULL DEFAULT '', -- addresses separated by spaces
    version       BIGINT NOT NULL DEFAULT 1
);

CREATE TABLE call_manager_group (
    pkid    TEXT   NOT NULL PRIMARY KEY,
    name    TEXT   NOT NULL UNIQUE,
    version BIGINT NOT NULL DEFAULT 1
);

CREATE TABLE device_pool (
    pkid               TEXT   NOT NULL PRIMARY KEY,
    name               TEXT   NOT NULL UNIQUE,
    call_manager_group TEXT   NOT NULL REFERENCES call_manager_group (pkid),
    date_time_group    TEXT   NOT NULL REFERENCES date_time_group (pkid),
    region             TEXT   REFERENCES named_object (pkid),
    location           TEXT   REFERENCES named_object (pkid),
    version            BIGINT NOT NULL DEFAULT 1
);

CREATE TABLE sip_profile (
    pkid                 TEXT   NOT NULL PRIMARY KEY,
    name                 TEXT   NOT NULL UNIQUE,
    description          TEXT   NOT NULL DEFAULT '',
    register_expires_s   BIGINT NOT NULL DEFAULT 3600,
    register_delta_s     BIGINT NOT NULL DEFAULT 5,
    keep_alive_expires_s BIGINT NOT NULL DEFAULT 120,
    start_media_port     BIGINT NOT NULL DEFAULT 16384,
    stop_media_port      BIGINT NOT NULL DEFAULT 32766,
    version              BIGINT NOT NULL DEFAULT 1
);

CREATE TABLE phone_security_profile (
    pkid                  TEXT   NOT NULL PRIMARY KEY,
    name                  TEXT   NOT NULL UNIQUE,
    description           TEXT   NOT NULL DEFAULT '',
    model                 BIGINT,                     -- model number; NULL suits every model
    transport             TEXT   NOT NULL DEFAULT 'TCP+UDP',
    device_security_mode  BIGINT NOT NULL DEFAULT 1,  -- 1 non-secure, 2 authenticated, 3 encrypted
    digest_authentication BIGINT NOT NULL DEFAULT 1,
    nonce_validity_s      BIGINT NOT NULL DEFAULT 600,
    version               BIGINT NOT NULL DEFAULT 1
);

CREATE TABLE phone_button_template (
    pkid    TEXT   NOT NULL PRIMARY KEY,
    name    TEXT   NOT NULL UNIQUE,
    model   BIGINT,                                   -- model number; NULL suits every model
    version BIGINT NOT NULL DEFAULT 1
);

CREATE TABLE phone_button (
    phone_button_template TEXT   NOT NULL REFERENCES phone_button_template (pkid) ON DELETE CASCADE,
    button                BIGINT NOT NULL,            -- 1 is the topmost
    feature               TEXT   NOT NULL,            -- Line, Speed Dial, Speed Dial BLF …
    label                 TEXT   NOT NULL DEFAULT '',
    PRIMARY KEY (phone_button_template, button)
);

-- A service URL that a template or a device sets itself (Override). No row: the system's (Default).
CREATE TABLE service_url (
    owner TEXT NOT NULL,                -- pkid of the template or device
    name  TEXT NOT NULL,                -- AXL name: idle, secureIdleUrl, directory …
    url   TEXT NOT NULL,
    PRIMARY KEY (owner, name)
);

CREATE TABLE universal_device_template (
    pkid                   TEXT   NOT NULL PRIMARY KEY,
    name                   TEXT   NOT NULL UNIQUE,
    device_description     TEXT   NOT NULL DEFAULT '',  -- with tags
    device_pool            TEXT   NOT NULL REFERENCES device_pool (pkid),
    phone_security_profile TEXT   NOT NULL REFERENCES phone_security_profile (pkid),
    sip_profile            TEXT   NOT NULL REFERENCES sip_profile (pkid),
    phone_button_template  TEXT   NOT NULL REFERENCES phone_button_template (pkid),
    softkey_template       TEXT   REFERENCES named_object (pkid),
    common_phone_profile   TEXT   NOT NULL REFERENCES named_object (pkid),
    location               TEXT   NOT NULL REFERENCES named_object (pkid),
    calling_search_space   TEXT   REFERENCES calling_search_space (pkid),
    user_locale            TEXT   NOT NULL DEFAULT '',
    network_locale         TEXT   NOT NULL DEFAULT '',
    idle_timer_s           BIGINT,                      -- NULL: the system's
    services_provisioning  TEXT   NOT NULL DEFAULT 'Default',
    line_label             TEXT   NOT NULL DEFAULT '',  -- with tags
    display_caller_id      TEXT   NOT NULL DEFAULT '',  -- with tags
    external_phone_number  TEXT   NOT NULL DEFAULT '',
    max_number_of_calls    BIGINT NOT NULL DEFAULT 4,
    busy_trigger           BIGINT NOT NULL DEFAULT 2,
    version                BIGINT NOT NULL DEFAULT 1
);

CREATE TABLE universal_line_template (
    pkid                          TEXT   NOT NULL PRIMARY KEY,
    name                          TEXT   NOT NULL UNIQUE,
    line_description              TEXT   NOT NULL DEFAULT '',  -- with tags
    route_partition               TEXT   NOT NULL REFERENCES route_partition (pkid),
    calling_search_space          TEXT   REFERENCES calling_search_space (pkid),
    voice_mail_profile            TEXT   REFERENCES named_object (pkid),
    alerting_name                 TEXT   NOT NULL DEFAULT '',  -- with tags
    external_call_control_profile TEXT   REFERENCES named_object (pkid),
    urgent_priority               BIGINT NOT NULL DEFAULT 0,
    auto_answer                   TEXT   NOT NULL DEFAULT 'Auto Answer Off',
    version                       BIGINT NOT NULL DEFAULT 1
);

CREATE TABLE user_profile (
    pkid                    TEXT   NOT NULL PRIMARY KEY,
    name                    TEXT   NOT NULL UNIQUE,
    description             TEXT   NOT NULL DEFAULT '',
    desk_phones             TEXT   REFERENCES universal_device_template (pkid),
    mobile_devices          TEXT   REFERENCES universal_device_template (pkid),
    profile                 TEXT   REFERENCES universal_device_template (pkid),
    universal_line_template TEXT   REFERENCES universal_line_template (pkid),
    allow_provision         BIGINT NOT NULL DEFAULT 0,
    limit_provision         BIGINT NOT NULL DEFAULT 10,
    allow_phone_reassign    BIGINT NOT NULL DEFAULT 0,
    is_default              BIGINT NOT NULL DEFAULT 0,  -- exactly one row has 1
    version                 BIGINT NOT NULL DEFAULT 1
);

CREATE TABLE feature_group_template (
    pkid            TEXT   NOT NULL PRIMARY KEY,
    name            TEXT   NOT NULL UNIQUE,
    description     TEXT   NOT NULL DEFAULT '',
    user_profile    TEXT   REFERENCES user_profile (pkid),
    service_profile TEXT   REFERENCES named_object (pkid),
    blf_presence_group TEXT REFERENCES named_object (pkid),
    user_locale     TEXT   NOT NULL DEFAULT '',
    version         BIGINT NOT NULL DEFAULT 1
);

-- A CallManager node and its auto-registration block.
CREATE TABLE call_manager (
    pkid                      TEXT   NOT NULL PRIMARY KEY,
    name                      TEXT   NOT NULL UNIQUE,
    description               TEXT   NOT NULL DEFAULT '',
    process_node_name         TEXT   NOT NULL DEFAULT '', -- '' : the advertised address of the settings
    phone_port                BIGINT NOT NULL DEFAULT 2000,
    sip_port                  BIGINT NOT NULL DEFAULT 5060,
    sip_secure_port           BIGINT NOT NULL DEFAULT 5061,
    auto_registration_enabled BIGINT NOT NULL DEFAULT 0,
    auto_registration_name    TEXT   NOT NULL DEFAULT 'AUTO-REG',
    universal_device_template TEXT   REFERENCES universal_device_template (pkid),
    universal_line_template   TEXT   REFERENCES universal_line_template (pkid),
    start_dn                  TEXT   NOT NULL DEFAULT '1000',
    end_dn                    TEXT   NOT NULL DEFAULT '1000',
    last_dn                   TEXT   NOT NULL DEFAULT '', -- last one given; '' : none since the range was set
    route_partition           TEXT   NOT NULL REFERENCES route_partition (pkid),
    enabled_until             BIGINT,                     -- time box; NULL: no end
    models_allowed            TEXT   NOT NULL DEFAULT '', -- model numbers separated by spaces; '' : all
    unclaimed_max             BIGINT NOT NULL DEFAULT 1000,
    unclaimed_time_to_live_s  BIGINT,                     -- NULL: for ever
    version                   BIGINT NOT NULL DEFAULT 1
);

CREATE TABLE call_manager_group_member (
    call_manager_group TEXT   NOT NULL REFERENCES call_manager_group (pkid) ON DELETE CASCADE,
    call_manager       TEXT   NOT NULL REFERENCES call_manager (pkid),
    priority           BIGINT NOT NULL,                   -- 0 first; phones read at most three
    PRIMARY KEY (call_manager_group, priority)
);

CREATE TABLE line (
    pkid                          TEXT   NOT NULL PRIMARY KEY,
    pattern                       TEXT   NOT NULL,        -- the directory number
    route_partition               TEXT   NOT NULL REFERENCES route_partition (pkid),
    description                   TEXT   NOT NULL DEFAULT '',
    alerting_name                 TEXT   NOT NULL DEFAULT '',
    calling_search_space          TEXT   REFERENCES calling_search_space (pkid),
    voice_mail_profile            TEXT   REFERENCES named_object (pkid),
    external_call_control_profile TEXT   REFERENCES named_object (pkid),
    urgent_priority               BIGINT NOT NULL DEFAULT 0,
    auto_answer                   TEXT   NOT NULL DEFAULT 'Auto Answer Off',
    auto_registered               BIGINT NOT NULL DEFAULT 0, -- 1: goes back to the pool with its device
    version                       BIGINT NOT NULL DEFAULT 1,
    UNIQUE (pattern, route_partition)
);

CREATE TABLE end_user (
    pkid                  TEXT   NOT NULL PRIMARY KEY,
    user_id               TEXT   NOT NULL,
    first_name            TEXT   NOT NULL DEFAULT '',
    middle_name           TEXT   NOT NULL DEFAULT '',
    last_name             TEXT   NOT NULL DEFAULT '',
    mail                  TEXT   NOT NULL DEFAULT '',
    department            TEXT   NOT NULL DEFAULT '',
    title                 TEXT   NOT NULL DEFAULT '',
    telephone_number      TEXT   NOT NULL DEFAULT '',
    user_locale           TEXT   NOT NULL DEFAULT '',
    enabled               BIGINT NOT NULL DEFAULT 1,
    user_profile          TEXT   REFERENCES user_profile (pkid),  -- NULL: the system default profile
    primary_extension     TEXT   REFERENCES line (pkid),
    self_service_user_id  TEXT,
    digest_credentials    TEXT,                                   -- sealed with the key file
    created_at            BIGINT NOT NULL,
    version               BIGINT NOT NULL DEFAULT 1
);
CREATE INDEX end_user_by_primary_extension ON end_user (primary_extension);

-- The one name space of user IDs and Self-Service User IDs, folded.
CREATE TABLE end_user_login (
    folded   TEXT NOT NULL PRIMARY KEY,
    end_user TEXT NOT NULL REFERENCES end_user (pkid) ON DELETE CASCADE
);
CREATE INDEX end_user_login_by_end_user ON end_user_login (end_user);

-- Administrators and programs.
CREATE TABLE application_user (
    pkid       TEXT   NOT NULL PRIMARY KEY,
    user_id    TEXT   NOT NULL,
    folded     TEXT   NOT NULL UNIQUE,
    enabled    BIGINT NOT NULL DEFAULT 1,
    created_at BIGINT NOT NULL,
    version    BIGINT NOT NULL DEFAULT 1
);

CREATE TABLE access_control_group (
    pkid    TEXT   NOT NULL PRIMARY KEY,
    name    TEXT   NOT NULL UNIQUE,
    version BIGINT NOT NULL DEFAULT 1
);

CREATE TABLE access_control_group_member (
    access_control_group TEXT NOT NULL REFERENCES access_control_group (pkid) ON DELETE CASCADE,
    member               TEXT NOT NULL,  -- pkid of an end user or application user
    PRIMARY KEY (access_control_group, member)
);
CREATE INDEX access_control_group_by_member ON access_control_group_member (member);

CREATE TABLE credential_policy (
    pkid                    TEXT   NOT NULL PRIMARY KEY,
    name                    TEXT   NOT NULL UNIQUE,
    failures_max            BIGINT NOT NULL DEFAULT 3,
    failures_reset_after_s  BIGINT NOT NULL DEFAULT 1800,
    lockout_s               BIGINT NOT NULL DEFAULT 1800,  -- 0: until an administrator unlocks
    length_min              BIGINT NOT NULL,
    history                 BIGINT NOT NULL DEFAULT 12,
    expires_after_s         BIGINT NOT NULL DEFAULT 0,     -- 0: never
    check_trivial           BIGINT NOT NULL DEFAULT 1,
    version                 BIGINT NOT NULL DEFAULT 1
);

CREATE TABLE credential (
    pkid              TEXT   NOT NULL PRIMARY KEY,
    owner             TEXT   NOT NULL,                     -- pkid of an end user or application user
    kind              TEXT   NOT NULL,                     -- pin, password
    hash              TEXT   NOT NULL,                     -- PHC string
    credential_policy TEXT   NOT NULL REFERENCES credential_policy (pkid),
    changed_at        BIGINT NOT NULL,
    must_change       BIGINT NOT NULL DEFAULT 0,
    does_not_expire   BIGINT NOT NULL DEFAULT 0,
    locked_at         BIGINT,                              -- NULL: not locked
    locked_until      BIGINT,                              -- NULL while locked_at is set: until unlocked
    version           BIGINT NOT NULL DEFAULT 1,           -- changes with every new secret
    UNIQUE (owner, kind)
);

CREATE TABLE credential_history (
    credential TEXT   NOT NULL REFERENCES credential (pkid) ON DELETE CASCADE,
    changed_at BIGINT NOT NULL,
    hash       TEXT   NOT NULL,
    PRIMARY KEY (credential, changed_at, hash)
);

-- One row a failed attempt; lock-out and delays are computed from the recent ones.
CREATE TABLE authentication_failure (
    pkid        TEXT   NOT NULL PRIMARY KEY,
    at          BIGINT NOT NULL,
    credential  TEXT   NOT NULL,   -- pkid, or a keyed digest of the login of nobody
    device_name TEXT   NOT NULL,   -- '' where there is none
    source      TEXT   NOT NULL,   -- canonical IP address
    of_code     BIGINT NOT NULL DEFAULT 0,  -- 1: the entry had the authentication code's length
    cleared     BIGINT NOT NULL DEFAULT 0   -- 1: a right login on the device came after it
);
CREATE INDEX authentication_failure_by_credential ON authentication_failure (credential, at);
CREATE INDEX authentication_failure_by_device ON authentication_failure (device_name, at);
CREATE INDEX authentication_failure_by_source ON authentication_failure (source, at);
CREATE INDEX authentication_failure_by_time ON authentication_failure (at);

CREATE TABLE device_lock (
    device_name  TEXT   NOT NULL PRIMARY KEY,
    locked_at    BIGINT NOT NULL,
    locked_until BIGINT                      -- NULL: until an administrator unlocks
);

-- One row: User Management > Self-Provisioning.
CREATE TABLE self_provisioning (
    pkid                        TEXT   NOT NULL PRIMARY KEY,
    authentication_mode         TEXT   NOT NULL DEFAULT 'users_only',
    authentication_code_hash    TEXT,
    authentication_code_length  BIGINT,
    authentication_code_off_at  BIGINT,      -- set when too many failures switched the code off
    cti_route_point             TEXT   NOT NULL DEFAULT '',
    application_user            TEXT   NOT NULL DEFAULT '',
    version                     BIGINT NOT NULL DEFAULT 1
);

CREATE TABLE device (
    pkid                   TEXT   NOT NULL PRIMARY KEY,
    name                   TEXT   NOT NULL UNIQUE,
    state                  TEXT   NOT NULL,                -- auto_registered, provisioned
    model                  BIGINT,                         -- model number; NULL: not known
    protocol               TEXT   NOT NULL DEFAULT 'SIP',
    description            TEXT   NOT NULL DEFAULT '',
    owner                  TEXT   REFERENCES end_user (pkid),
    digest_user            TEXT   REFERENCES end_user (pkid),
    sip_secret             TEXT,                           -- sealed with the key file; NULL with a digest_user
    version_stamp          TEXT   NOT NULL,
    device_pool            TEXT   NOT NULL REFERENCES device_pool (pkid),
    phone_security_profile TEXT   NOT NULL REFERENCES phone_security_profile (pkid),
    sip_profile            TEXT   NOT NULL REFERENCES sip_profile (pkid),
    phone_button_template  TEXT   NOT NULL REFERENCES phone_button_template (pkid),
    softkey_template       TEXT   REFERENCES named_object (pkid),
    common_phone_profile   TEXT   NOT NULL REFERENCES named_object (pkid),
    location               TEXT   NOT NULL REFERENCES named_object (pkid),
    calling_search_space   TEXT   REFERENCES calling_search_space (pkid),
    user_locale            TEXT   NOT NULL DEFAULT '',
    network_locale         TEXT   NOT NULL DEFAULT '',
    load_information       TEXT   NOT NULL DEFAULT '',
    idle_timer_s           BIGINT,
    services_provisioning  TEXT   NOT NULL DEFAULT 'Default',
    registered_address     TEXT,                           -- last address it registered from, kept
    file_fetched_at        BIGINT,                         -- when it last fetched this version of its file
    file_allowed_until     BIGINT,                         -- any address may fetch it until then
    created_at             BIGINT NOT NULL,
    version                BIGINT NOT NULL DEFAULT 1
);
CREATE INDEX device_by_owner ON device (owner);
CREATE INDEX device_by_state ON device (state, created_at);
CREATE INDEX device_by_address ON device (registered_address, state);

CREATE TABLE device_line (
    device                TEXT   NOT NULL REFERENCES device (pkid) ON DELETE CASCADE,
    line_index            BIGINT NOT NULL,                 -- 1 is the primary line
    line                  TEXT   NOT NULL REFERENCES line (pkid),
    contact_user          TEXT   NOT NULL,                 -- what the phone puts before @ in its Contact
    label                 TEXT   NOT NULL DEFAULT '',
    display               TEXT   NOT NULL DEFAULT '',
    external_phone_number TEXT   NOT NULL DEFAULT '',
    max_number_of_calls   BIGINT NOT NULL DEFAULT 4,
    busy_trigger          BIGINT NOT NULL DEFAULT 2,
    PRIMARY KEY (device, line_index),
    UNIQUE (device, line)
);
CREATE INDEX device_line_by_line ON device_line (line);

-- Registrations. A binding outlives the device row it belonged to.
CREATE TABLE binding (
    device_name    TEXT   NOT NULL,
    address_of_record TEXT NOT NULL,                       -- user part of To
    contact        TEXT   NOT NULL,                        -- URI and parameters as the phone sent them
    transport      TEXT   NOT NULL,                        -- udp, tcp, tls
    remote         TEXT   NOT NULL,                        -- address:port it came from
    local          TEXT   NOT NULL,                        -- our address:port it came to
    node           TEXT   NOT NULL,                        -- pkid of the CallManager node that holds it
    call_id        TEXT   NOT NULL,                        -- the RegisterCallId of service-control
    cseq           BIGINT NOT NULL,
    expires_s      BIGINT NOT NULL,
    registered_at  BIGINT NOT NULL,
    model          BIGINT,
    user_agent     TEXT   NOT NULL DEFAULT '',
    grace_secret   TEXT,                                   -- sealed: the secret before provisioning or release
    grace_until    BIGINT,
    PRIMARY KEY (device_name, address_of_record)
);

-- A restart that the phone has not answered yet by fetching its file or registering.
CREATE TABLE phone_restart (
    device_name     TEXT   NOT NULL PRIMARY KEY,
    action          TEXT   NOT NULL,                       -- restart, reset
    requested_at    BIGINT NOT NULL,
    attempts        BIGINT NOT NULL DEFAULT 0,
    next_attempt_at BIGINT NOT NULL,
    last_result     TEXT   NOT NULL DEFAULT ''
);

-- What a confirm token led to, for the rest of its life.
CREATE TABLE provision_result (
    token       TEXT   NOT NULL PRIMARY KEY,
    device_name TEXT   NOT NULL,
    extension   TEXT   NOT NULL,
    expires_at  BIGINT NOT NULL
);
CREATE INDEX provision_result_by_expiry ON provision_result (expires_at);

-- Values that are settable at run time and hold for every node.
CREATE TABLE service_parameter (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE audit (
    pkid        TEXT   NOT NULL PRIMARY KEY,  -- ordered by time
    at          BIGINT NOT NULL,
    actor       TEXT   NOT NULL,              -- user:aksethi, administrator:admin, device:SEP…, system
    source      TEXT   NOT NULL,              -- address or door
    action      TEXT   NOT NULL,              -- for example device.provision
    object_kind TEXT   NOT NULL,
    object_name TEXT   NOT NULL,
    before_text TEXT   NOT NULL DEFAULT '',
    after_text  TEXT   NOT NULL DEFAULT '',
    correlation TEXT   NOT NULL DEFAULT ''
);
CREATE INDEX audit_by_object ON audit (object_kind, object_name, pkid);

CREATE TABLE timeline (
    pkid        TEXT   NOT NULL PRIMARY KEY,  -- ordered by time
    at          BIGINT NOT NULL,
    device_name TEXT   NOT NULL,
    event       TEXT   NOT NULL,              -- for example login_refused
    code        TEXT   NOT NULL DEFAULT '',   -- a refusal's code
    detail      TEXT   NOT NULL DEFAULT '',
    source      TEXT   NOT NULL DEFAULT '',
    end_user    TEXT   NOT NULL DEFAULT '',
    correlation TEXT   NOT NULL DEFAULT ''
);
CREATE INDEX timeline_by_device ON timeline (device_name, pkid);
CREATE INDEX timeline_by_time ON timeline (at);
