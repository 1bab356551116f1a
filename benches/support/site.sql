-- A site of {users} users, each with a line, a PIN and a registered phone, and of {waiting} phones
-- that wait for a login. One statement a table; n counts the rows.
BEGIN;

CREATE TEMP TABLE n AS
    WITH RECURSIVE counted(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM counted WHERE n + 1 < {users})
    SELECT n FROM counted;
CREATE TEMP TABLE w AS
    WITH RECURSIVE counted(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM counted WHERE n + 1 < {waiting})
    SELECT n FROM counted;

UPDATE user_profile SET allow_provision = 1;

INSERT INTO line (pkid, pattern, route_partition)
    SELECT printf('bbbbbbbb-0000-4000-8000-%012x', n), CAST(200000 + n AS TEXT),
        (SELECT min(route_partition) FROM call_manager)
    FROM n;
INSERT INTO end_user (pkid, user_id, first_name, last_name, primary_extension,
        self_service_user_id, created_at)
    SELECT printf('aaaaaaaa-0000-4000-8000-%012x', n), 'user' || n, 'Given' || n, 'Family' || n,
        printf('bbbbbbbb-0000-4000-8000-%012x', n), CAST(200000 + n AS TEXT), {at}
    FROM n;
INSERT INTO end_user_login (folded, end_user)
    SELECT 'user' || n, printf('aaaaaaaa-0000-4000-8000-%012x', n) FROM n
    UNION ALL
    SELECT CAST(200000 + n AS TEXT), printf('aaaaaaaa-0000-4000-8000-%012x', n) FROM n;
INSERT INTO access_control_group_member (access_control_group, member)
    SELECT access_control_group.pkid, printf('aaaaaaaa-0000-4000-8000-%012x', n)
    FROM n, access_control_group WHERE access_control_group.name = 'Standard CCM End Users';
INSERT INTO credential (pkid, owner, kind, hash, credential_policy, changed_at)
    SELECT printf('dddddddd-0000-4000-8000-%012x', n),
        printf('aaaaaaaa-0000-4000-8000-%012x', n), 'pin', '{hash}',
        (SELECT min(pkid) FROM credential_policy), {at}
    FROM n;

-- The users' phones, then the waiting ones.
CREATE TEMP TABLE phone AS
    SELECT printf('cccccccc-0000-4000-8000-%012x', n) AS pkid, printf('SEP0000AA%06X', n) AS name,
        'provisioned' AS state, 'Desk of user' || n AS description,
        printf('aaaaaaaa-0000-4000-8000-%012x', n) AS owner,
        printf('bbbbbbbb-0000-4000-8000-%012x', n) AS line, CAST(200000 + n AS TEXT) AS pattern
    FROM n
    UNION ALL
    SELECT printf('eeeeeeee-0000-4000-8000-%012x', n), printf('SEP0000BB%06X', n),
        'auto_registered', 'Auto ' || (1000 + n), NULL,
        printf('ffffffff-0000-4000-8000-%012x', n), CAST(1000 + n AS TEXT)
    FROM w;
INSERT INTO line (pkid, pattern, route_partition, auto_registered)
    SELECT line, pattern, (SELECT min(route_partition) FROM call_manager), 1
    FROM phone WHERE state = 'auto_registered';
INSERT INTO device (pkid, name, state, model, description, owner, sip_secret, version_stamp,
        device_pool, phone_security_profile, sip_profile, phone_button_template,
        common_phone_profile, location, registered_address, file_fetched_at, created_at, ctiid)
    SELECT pkid, name, state, 622, description, owner, '{secret}', pkid,
        (SELECT min(pkid) FROM device_pool), (SELECT min(pkid) FROM phone_security_profile),
        (SELECT min(pkid) FROM sip_profile), (SELECT min(pkid) FROM phone_button_template),
        (SELECT min(pkid) FROM named_object WHERE kind LIKE 'CommonPhone%'),
        (SELECT min(pkid) FROM named_object WHERE kind = 'Location'), '127.0.0.1', {at}, {at},
        row_number() OVER (ORDER BY name)
    FROM phone;
INSERT INTO device_line (device, line_index, line, contact_user, ctiid)
    SELECT pkid, 1, line, pkid, row_number() OVER (ORDER BY name) FROM phone;
UPDATE ctiid_counter SET last = last + (SELECT count(*) FROM phone);
INSERT INTO binding (device_name, address_of_record, contact, transport, remote, local, node,
        call_id, cseq, expires_s, registered_at, model, user_agent)
    SELECT name, pattern, '<sip:' || pkid || '@127.0.0.1:5060;transport=udp>;'
            || '+sip.instance="<urn:uuid:00000000-0000-0000-0000-' || lower(substr(name, 4)) || '>";'
            || '+u.sip!devicename.ccm.cisco.com="' || name || '";+u.sip!model.ccm.cisco.com="622"',
        'udp', '{remote}', '{local}', '{node}',
        lower(substr(name, 4, 8)) || '-' || lower(substr(name, 12)) || '0002-5dc1a8a7@127.0.0.1',
        101, 120, {at}, 622, 'Cisco-CP7841/12.1.1'
    FROM phone;

COMMIT;
