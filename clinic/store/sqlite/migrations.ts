/**
 * The schema, one script a version; a database is brought forward by running the ones it has not seen. A script that
 * has been released is never changed. From the sixteenth on they are PostgreSQL's as well, in its words for the types
 * (../postgres/portable.ts): what differs otherwise is in `differing` (../postgres/migrate.ts), and a test compares the schemas.
 */
export const migrations: readonly string[] = [
    `
    CREATE TABLE patient (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        active INTEGER NOT NULL,
        given TEXT NOT NULL,
        family TEXT NOT NULL,
        birth_date TEXT,
        gender TEXT,
        identifier TEXT,
        bed TEXT,
        updated_at INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE account (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        role TEXT NOT NULL,
        password TEXT,
        patient INTEGER REFERENCES patient (id)
    ) STRICT;

    CREATE TABLE token (
        hash BLOB PRIMARY KEY,
        account INTEGER NOT NULL REFERENCES account (id),
        created_at INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE session (
        hash BLOB PRIMARY KEY,
        account INTEGER NOT NULL REFERENCES account (id),
        created_at INTEGER NOT NULL,
        used_at INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE mote (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        kid BLOB NOT NULL UNIQUE,
        secret BLOB NOT NULL,
        patient INTEGER NOT NULL REFERENCES patient (id),
        registered_at INTEGER NOT NULL,
        revoked_at INTEGER
    ) STRICT;

    CREATE TABLE envelope (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        mote INTEGER NOT NULL REFERENCES mote (id),
        boot INTEGER NOT NULL,
        salt BLOB NOT NULL,
        seq INTEGER NOT NULL,
        purpose TEXT NOT NULL,
        received_at INTEGER NOT NULL,
        stored_at INTEGER NOT NULL,
        router INTEGER NOT NULL,
        bytes BLOB NOT NULL,
        problem TEXT,
        UNIQUE (mote, boot, salt, seq)
    ) STRICT;
    CREATE INDEX envelope_problem ON envelope (mote, id) WHERE problem IS NOT NULL;

    CREATE TABLE start (
        mote INTEGER NOT NULL REFERENCES mote (id),
        boot INTEGER NOT NULL,
        salt BLOB NOT NULL,
        stored INTEGER NOT NULL,
        newest_seq INTEGER NOT NULL,
        newest_at INTEGER NOT NULL,
        PRIMARY KEY (mote, boot, salt)
    ) STRICT;

    CREATE TABLE gap (
        mote INTEGER NOT NULL REFERENCES mote (id),
        boot INTEGER NOT NULL,
        salt BLOB NOT NULL,
        first INTEGER NOT NULL,
        last INTEGER NOT NULL,
        PRIMARY KEY (mote, boot, salt, first)
    ) STRICT;

    CREATE TABLE measurement (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        envelope INTEGER NOT NULL REFERENCES envelope (id),
        mote INTEGER NOT NULL,
        patient INTEGER NOT NULL,
        name TEXT NOT NULL,
        unit TEXT NOT NULL,
        value REAL,
        absent TEXT,
        quality REAL,
        time INTEGER NOT NULL,
        relative INTEGER NOT NULL,
        problem TEXT
    ) STRICT;
    CREATE INDEX measurement_newest ON measurement (patient, name, time, id) WHERE problem IS NULL;
    `,
    `
    -- The secret in use is mote.secret. next_secret was given out and not heard of yet; previous_secret is the one before,
    -- for what routers took until rotated_at.
    ALTER TABLE mote ADD COLUMN generation INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE mote ADD COLUMN next_secret BLOB;
    ALTER TABLE mote ADD COLUMN next_generation INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE mote ADD COLUMN previous_secret BLOB;
    ALTER TABLE mote ADD COLUMN rotated_at INTEGER;
    -- What the mote last said about the configuration in force, and in which envelope.
    ALTER TABLE mote ADD COLUMN config_version INTEGER;
    ALTER TABLE mote ADD COLUMN config_at INTEGER;
    ALTER TABLE mote ADD COLUMN config_boot INTEGER;
    ALTER TABLE mote ADD COLUMN config_seq INTEGER;

    -- A value that stands for many readings: how many, the least and the greatest, and the time (ms) around which it is.
    ALTER TABLE measurement ADD COLUMN count INTEGER;
    ALTER TABLE measurement ADD COLUMN least REAL;
    ALTER TABLE measurement ADD COLUMN greatest REAL;
    ALTER TABLE measurement ADD COLUMN span INTEGER;
    CREATE INDEX measurement_summary ON measurement (patient, name, time)
        WHERE problem IS NULL AND span IS NOT NULL;

    CREATE TABLE configuration (
        mote INTEGER NOT NULL REFERENCES mote (id),
        version INTEGER NOT NULL,
        settings TEXT NOT NULL,
        author TEXT NOT NULL,
        made_at INTEGER NOT NULL,
        sealed BLOB NOT NULL,
        sealed_next BLOB,
        state TEXT NOT NULL,
        reason TEXT,
        answered_at INTEGER,
        PRIMARY KEY (mote, version)
    ) STRICT;

    CREATE TABLE command (
        mote INTEGER NOT NULL REFERENCES mote (id),
        version INTEGER NOT NULL,
        name TEXT NOT NULL,
        author TEXT NOT NULL,
        made_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL,
        sealed BLOB NOT NULL,
        sealed_next BLOB,
        PRIMARY KEY (mote, version)
    ) STRICT;

    CREATE TABLE alarm (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        mote INTEGER NOT NULL REFERENCES mote (id),
        patient INTEGER NOT NULL,
        kind TEXT NOT NULL,
        generation INTEGER NOT NULL,
        number INTEGER NOT NULL,
        unit TEXT,
        raised_at INTEGER,
        raised_about INTEGER NOT NULL,
        raised_value REAL,
        cleared_at INTEGER,
        cleared_about INTEGER NOT NULL,
        cleared_value REAL,
        stored_at INTEGER NOT NULL,
        acknowledged_at INTEGER,
        acknowledged_by TEXT,
        is_open INTEGER NOT NULL,
        UNIQUE (mote, kind, generation, number)
    ) STRICT;
    CREATE INDEX alarm_open ON alarm (patient) WHERE is_open = 1;
    CREATE INDEX alarm_newest ON alarm (patient, id);
    `,
    `
    -- What the mote last said about the configuration in force, and in which envelope: not the mote's row any more.
    CREATE TABLE config_report (
        mote INTEGER PRIMARY KEY REFERENCES mote (id),
        version INTEGER NOT NULL,
        heard_at INTEGER NOT NULL,
        boot INTEGER,
        seq INTEGER
    ) STRICT;
    INSERT INTO config_report SELECT id, config_version, COALESCE(config_at, 0), config_boot, config_seq FROM mote
        WHERE config_version IS NOT NULL;
    ALTER TABLE mote DROP COLUMN config_version;
    ALTER TABLE mote DROP COLUMN config_at;
    ALTER TABLE mote DROP COLUMN config_boot;
    ALTER TABLE mote DROP COLUMN config_seq;

    -- An alarm costs the same however many there are already.
    CREATE INDEX alarm_lasting ON alarm (mote, kind, cleared_at) WHERE raised_at IS NOT NULL;
    CREATE INDEX alarm_raised ON alarm (mote, kind, generation, number) WHERE raised_at IS NOT NULL;
    CREATE INDEX alarm_of_mote ON alarm (mote) WHERE is_open = 1;

    -- The time of what is shown as a patient's value of now: that of what arrived last, unless it is older than what is shown.
    CREATE TABLE current (
        patient INTEGER NOT NULL,
        name TEXT NOT NULL,
        time INTEGER NOT NULL,
        PRIMARY KEY (patient, name)
    ) STRICT;
    -- The envelope that arrived last.
    ALTER TABLE start ADD COLUMN newest_id INTEGER NOT NULL DEFAULT 0;

    -- A router as the clinic last heard it: what has to be added to its clock, and when it came with a new store.
    CREATE TABLE router (
        account INTEGER PRIMARY KEY,
        heard_at INTEGER NOT NULL,
        clock_offset INTEGER,
        lost_at INTEGER
    ) STRICT;
    -- What was added to the times that router and mote gave, ms.
    ALTER TABLE envelope ADD COLUMN clock_offset INTEGER NOT NULL DEFAULT 0;
    -- Nothing is received after it was stored: the router's clock was ahead by that. Readings that were hidden for it come back.
    UPDATE envelope SET clock_offset = stored_at - received_at WHERE received_at > stored_at + 5000;
    UPDATE measurement
        SET problem = NULL,
            time = time + (SELECT clock_offset FROM envelope WHERE envelope.id = measurement.envelope)
        WHERE problem LIKE '% is from the future' AND EXISTS (
            SELECT 1 FROM envelope WHERE envelope.id = measurement.envelope AND clock_offset < 0
                AND measurement.time + clock_offset <= stored_at + 300000
        );
    UPDATE envelope SET problem = NULL WHERE clock_offset < 0 AND problem LIKE '% is from the future'
        AND id NOT IN (SELECT envelope FROM measurement WHERE problem IS NOT NULL);
    INSERT INTO current (patient, name, time)
        SELECT patient, name, MAX(time) FROM measurement
        WHERE problem IS NULL AND name IN ('hr', 'temp', 'spo2') GROUP BY patient, name;

    -- Written to find out whether anything can be.
    CREATE TABLE probe (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, room BLOB NOT NULL) STRICT;
    `,
    `
    -- What people are to be told of alarms beside the page, and what became of it.
    CREATE TABLE delivery (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        notice TEXT NOT NULL UNIQUE,
        channel TEXT NOT NULL,
        alarm INTEGER NOT NULL REFERENCES alarm (id),
        phase TEXT NOT NULL,
        made_at INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        next_at INTEGER,
        delivered_at INTEGER,
        failure TEXT
    ) STRICT;
    CREATE INDEX delivery_due ON delivery (channel, next_at) WHERE next_at IS NOT NULL;
    CREATE INDEX delivery_of_alarm ON delivery (alarm);
    `,
    `
    ALTER TABLE patient ADD COLUMN ward TEXT;
    -- The wards whose motes' keys a router gets; a router without a row gets those of all.
    CREATE TABLE router_ward (
        account INTEGER NOT NULL REFERENCES account (id),
        ward TEXT NOT NULL,
        PRIMARY KEY (account, ward)
    ) STRICT;
    `,
    `
    -- What a nurse observed at the bedside; time is when, stored_at when it was entered.
    CREATE TABLE bedside (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        patient INTEGER NOT NULL REFERENCES patient (id),
        name TEXT NOT NULL,
        value REAL NOT NULL,
        time INTEGER NOT NULL,
        stored_at INTEGER NOT NULL,
        author TEXT NOT NULL
    ) STRICT;
    CREATE INDEX bedside_newest ON bedside (patient, name, time, id);
    -- Which SpO2 scale of NEWS2 applies to a patient: the newest row; 1 where there is none.
    CREATE TABLE saturation_scale (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        patient INTEGER NOT NULL REFERENCES patient (id),
        scale INTEGER NOT NULL,
        author TEXT NOT NULL,
        made_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX saturation_scale_newest ON saturation_scale (patient, id);
    `,
    `
    -- An alarm has a life, and may be about something else than a mote: source says what. Columns as in clinic/store/alarms.ts.
    CREATE TABLE alarm_2 (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        source TEXT NOT NULL,
        mote INTEGER REFERENCES mote (id),
        patient INTEGER,
        ward TEXT,
        kind TEXT NOT NULL,
        generation INTEGER NOT NULL,
        number INTEGER NOT NULL,
        unit TEXT,
        raised_at INTEGER,
        raised_about INTEGER NOT NULL,
        raised_value REAL,
        cleared_at INTEGER,
        cleared_about INTEGER NOT NULL,
        cleared_value REAL,
        stored_at INTEGER NOT NULL,
        acknowledged_at INTEGER,
        acknowledged_by TEXT,
        first_seen_at INTEGER,
        first_seen_by TEXT,
        is_open INTEGER NOT NULL,
        is_line INTEGER NOT NULL,
        count INTEGER NOT NULL,
        priority TEXT NOT NULL,
        limit_value REAL,
        worst_value REAL,
        worst_at INTEGER,
        attended_value REAL,
        state TEXT NOT NULL,
        since INTEGER NOT NULL,
        until INTEGER,
        waiting_since INTEGER NOT NULL,
        level INTEGER NOT NULL,
        attended_by TEXT,
        undo TEXT,
        due_at INTEGER,
        UNIQUE (source, kind, generation, number)
    ) STRICT;
    -- What is acknowledged already has been so for long enough: it is looked at again at the next start.
    INSERT INTO alarm_2
        SELECT a.id, 'mote/' || a.mote, a.mote, a.patient, p.ward, a.kind, a.generation, a.number, a.unit,
            a.raised_at, a.raised_about, a.raised_value, a.cleared_at, a.cleared_about, a.cleared_value, a.stored_at,
            a.acknowledged_at, a.acknowledged_by, a.acknowledged_at, a.acknowledged_by, a.is_open, 1, 1,
            CASE WHEN a.kind IN ('optical', 'thermometer', 'contact', 'battery') THEN 'low'
                WHEN a.kind IN ('temp-low', 'temp-high', 'mote-silent') THEN 'medium' ELSE 'high' END,
            NULL, a.raised_value, a.raised_at, NULL,
            CASE WHEN a.is_open = 0 THEN 'closed' WHEN a.acknowledged_at IS NOT NULL THEN 'acknowledged'
                WHEN a.cleared_at IS NULL THEN 'raised' ELSE 'latched' END,
            a.stored_at,
            CASE WHEN a.is_open = 1 THEN a.acknowledged_at END, a.stored_at, 0, a.acknowledged_by, NULL,
            CASE WHEN a.is_open = 1 THEN a.acknowledged_at END
        FROM alarm a LEFT JOIN patient p ON p.id = a.patient;
    DROP TABLE alarm;
    ALTER TABLE alarm_2 RENAME TO alarm;
    CREATE INDEX alarm_open ON alarm (patient) WHERE is_open = 1;
    CREATE INDEX alarm_of_mote ON alarm (mote) WHERE is_open = 1;
    CREATE INDEX alarm_newest ON alarm (patient, id);
    CREATE INDEX alarm_lasting ON alarm (source, kind, cleared_at) WHERE raised_at IS NOT NULL;
    CREATE INDEX alarm_raised ON alarm (source, kind, generation, number) WHERE raised_at IS NOT NULL;
    CREATE INDEX alarm_line ON alarm (source, kind, generation, number) WHERE is_line = 1;
    CREATE INDEX alarm_stored ON alarm (stored_at) WHERE is_line = 1;

    CREATE TABLE alarm_entry (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        alarm INTEGER NOT NULL REFERENCES alarm (id),
        at INTEGER NOT NULL,
        change TEXT NOT NULL,
        by TEXT,
        level INTEGER NOT NULL,
        value REAL,
        told TEXT,
        failure TEXT
    ) STRICT;
    CREATE INDEX alarm_entry_of ON alarm_entry (alarm, id);
    INSERT INTO alarm_entry (alarm, at, change, by, level, value)
        SELECT id, stored_at, 'raised', NULL, 0, raised_value FROM alarm WHERE raised_at IS NOT NULL;
    INSERT INTO alarm_entry (alarm, at, change, by, level)
        SELECT id, acknowledged_at, 'acknowledged', acknowledged_by, 0 FROM alarm WHERE acknowledged_at IS NOT NULL;
    `,
    `
    -- A router gets the keys of all motes that it may have at once, not only of those that have shown up at it.
    ALTER TABLE account ADD COLUMN prefetch INTEGER NOT NULL DEFAULT 0;
    -- The motes whose keys a router was given.
    CREATE TABLE router_mote (
        account INTEGER NOT NULL REFERENCES account (id),
        mote INTEGER NOT NULL REFERENCES mote (id),
        PRIMARY KEY (account, mote)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO router_mote (account, mote)
        SELECT account.id, mote.id FROM account, mote JOIN patient ON patient.id = mote.patient
        WHERE account.role = 'router' AND mote.revoked_at IS NULL AND (
            NOT EXISTS (SELECT 1 FROM router_ward WHERE router_ward.account = account.id)
            OR patient.ward IN (SELECT ward FROM router_ward WHERE router_ward.account = account.id)
        );
    `,
    `
    CREATE TABLE ward_rules (
        ward TEXT NOT NULL,
        version INTEGER NOT NULL,
        settings TEXT NOT NULL,
        author TEXT NOT NULL,
        made_at INTEGER NOT NULL,
        PRIMARY KEY (ward, version)
    ) STRICT;
    `,
    `
    -- When a gap was first seen, by the clinic's clock; those from before are told of no more.
    ALTER TABLE gap ADD COLUMN opened_at INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX gap_opened ON gap (opened_at, mote);
    `,
    `
    -- What nurses and doctors wrote about a patient.
    CREATE TABLE note (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        patient INTEGER NOT NULL REFERENCES patient (id),
        text TEXT NOT NULL,
        time INTEGER NOT NULL,
        author TEXT NOT NULL
    ) STRICT;
    CREATE INDEX note_time ON note (patient, time, id);
    `,
    `
    -- Versions of configurations and commands are higher: a restored clinic does not know the newest ones that it had given out.
    ALTER TABLE mote ADD COLUMN least_version INTEGER NOT NULL DEFAULT 0;
    `,
    `
    -- Tokens have names, and may be limited in what they allow and for how long; sessions can be ended one by one.
    CREATE TABLE token_2 (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        hash BLOB NOT NULL UNIQUE,
        account INTEGER NOT NULL REFERENCES account (id),
        name TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        expires_at INTEGER,
        used_at INTEGER,
        actions TEXT
    ) STRICT;
    INSERT INTO token_2 (hash, account, name, created_at) SELECT hash, account, '', created_at FROM token;
    DROP TABLE token;
    ALTER TABLE token_2 RENAME TO token;
    CREATE INDEX token_of ON token (account);
    CREATE TABLE session_2 (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        hash BLOB NOT NULL UNIQUE,
        account INTEGER NOT NULL REFERENCES account (id),
        agent TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        used_at INTEGER NOT NULL
    ) STRICT;
    INSERT INTO session_2 (hash, account, agent, created_at, used_at) SELECT hash, account, '', created_at, used_at FROM session;
    DROP TABLE session;
    ALTER TABLE session_2 RENAME TO session;
    CREATE INDEX session_of ON session (account);

    CREATE TABLE setup_link (
        hash BLOB PRIMARY KEY,
        account INTEGER NOT NULL REFERENCES account (id),
        made_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE second_factor (
        account INTEGER PRIMARY KEY REFERENCES account (id),
        secret BLOB NOT NULL,
        is_active INTEGER NOT NULL,
        last_step INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE recovery_code (
        account INTEGER NOT NULL REFERENCES account (id),
        hash BLOB NOT NULL,
        PRIMARY KEY (account, hash)
    ) STRICT;
    `,
    `
    -- Who wore a mote, and when: the only table that says whose a measurement is. A mote has one that lasts, at most.
    CREATE TABLE association (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        mote INTEGER NOT NULL REFERENCES mote (id),
        patient INTEGER NOT NULL REFERENCES patient (id),
        begins_at INTEGER NOT NULL,
        begun_by TEXT,
        ends_at INTEGER,
        ended_by TEXT,
        reason TEXT
    ) STRICT;
    -- Until now a mote had one patient for life. What it had measured by a clock that was behind stays that patient's.
    INSERT INTO association (mote, patient, begins_at, ends_at, reason)
        SELECT id, patient,
            MIN(registered_at, COALESCE((SELECT MIN((
                SELECT time FROM measurement WHERE patient = mote.patient AND measurement.name = known.name
                    AND problem IS NULL AND measurement.mote = mote.id ORDER BY time LIMIT 1
            )) FROM (SELECT 'hr' AS name UNION SELECT 'temp' UNION SELECT 'spo2') known), registered_at)),
            revoked_at, CASE WHEN revoked_at IS NOT NULL THEN 'revoked' END
        FROM mote ORDER BY id;
    CREATE UNIQUE INDEX association_open ON association (mote) WHERE ends_at IS NULL;
    CREATE INDEX association_of_mote ON association (mote, id);
    CREATE INDEX association_of_patient ON association (patient, id);
    ALTER TABLE mote DROP COLUMN patient;
    -- measurement.patient is 0 where nobody wore the mote.
    CREATE INDEX measurement_nobody ON measurement (mote, time, id) WHERE patient = 0;

    -- What a mote last said of a kind of alarm: one that lasts is not told again when somebody else wears the mote.
    CREATE TABLE mote_alarm (
        mote INTEGER NOT NULL REFERENCES mote (id),
        kind TEXT NOT NULL,
        generation INTEGER NOT NULL,
        number INTEGER NOT NULL,
        is_on INTEGER NOT NULL,
        unit TEXT,
        PRIMARY KEY (mote, kind)
    ) STRICT;
    INSERT OR REPLACE INTO mote_alarm
        SELECT mote, kind, generation, number, cleared_at IS NULL, unit FROM alarm
        WHERE source = 'mote/' || mote AND raised_at IS NOT NULL
            AND kind NOT IN ('mote-silent', 'readings-flawed', 'readings-missing', 'battery-ending')
        ORDER BY generation, number;
    -- An alarm about a mote is about one association.
    UPDATE alarm SET source = source || '/' || (SELECT id FROM association WHERE association.mote = alarm.mote)
        WHERE source = 'mote/' || mote;
    `,
    `
    -- Who looked at what, and who changed it; columns as in clinic/audit/event.ts. Numbers have no gaps.
    CREATE TABLE audit (
        id INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        account INTEGER,
        user TEXT,
        role TEXT,
        credential TEXT,
        address TEXT,
        subject TEXT NOT NULL,
        action TEXT NOT NULL,
        outcome TEXT NOT NULL,
        patients TEXT NOT NULL,
        request TEXT,
        detail TEXT,
        hash BLOB NOT NULL
    ) STRICT;
    CREATE INDEX audit_at ON audit (at);
    CREATE INDEX audit_user ON audit (user, id);
    CREATE TABLE audit_patient (
        patient INTEGER NOT NULL,
        audit INTEGER NOT NULL REFERENCES audit (id),
        PRIMARY KEY (patient, audit)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX audit_patient_of ON audit_patient (audit, patient);
    CREATE TABLE audit_head (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        count INTEGER NOT NULL,
        hash BLOB NOT NULL,
        mac BLOB NOT NULL
    ) STRICT;
    -- Changes that are being made: what a killed clinic leaves here goes into the record at the next start.
    CREATE TABLE audit_begun (id INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL) STRICT;
    CREATE TRIGGER audit_kept BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit record only grows'); END;
    CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit record only grows'); END;
    `,
    `
    -- 0: the account is kept, and nobody comes in with it.
    ALTER TABLE account ADD COLUMN is_active INTEGER NOT NULL DEFAULT 1;
    ALTER TABLE session ADD COLUMN way TEXT NOT NULL DEFAULT 'password';
    CREATE TABLE openid_link (
        issuer TEXT NOT NULL,
        subject TEXT NOT NULL,
        account INTEGER NOT NULL REFERENCES account (id),
        is_managed INTEGER NOT NULL,
        linked_at INTEGER NOT NULL,
        PRIMARY KEY (issuer, subject)
    ) STRICT;
    -- Two people are never one account.
    CREATE UNIQUE INDEX openid_link_of ON openid_link (account, issuer);
    `,
    `
    -- Which process is making a change: others may have the database open.
    ALTER TABLE audit_begun ADD COLUMN process INTEGER NOT NULL DEFAULT 0;
    `,
    `
    -- 1: a password alone is not enough, a passkey (or a code) is asked for, too.
    ALTER TABLE account ADD COLUMN passkey_factor INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE passkey (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        account INTEGER NOT NULL REFERENCES account (id),
        credential TEXT NOT NULL UNIQUE,
        public_key BLOB NOT NULL,
        counter INTEGER NOT NULL,
        transports TEXT NOT NULL,
        name TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        used_at INTEGER
    ) STRICT;
    CREATE INDEX passkey_of ON passkey (account, id);
    `,
    `
    -- How far a broker has what is published to it.
    CREATE TABLE publication (
        name TEXT PRIMARY KEY,
        measurement INTEGER NOT NULL,
        alarm_entry INTEGER NOT NULL
    ) STRICT;
    `,
    `
    -- Doctors, nurses and other systems of the hospital see wards. Whoever was there before sees all, as before: somebody
    -- has to say otherwise.
    ALTER TABLE router_ward RENAME TO account_ward;
    ALTER TABLE account ADD COLUMN all_wards INTEGER NOT NULL DEFAULT 0;
    UPDATE account SET all_wards = 1 WHERE role IN ('doctor', 'nurse', 'integrator');
    -- A JSON list of the wards to which a token is limited.
    ALTER TABLE token ADD COLUMN wards TEXT;
    CREATE INDEX patient_on_ward ON patient (ward) WHERE active = 1;
    -- Who opened a patient of another ward, and why. The account may be gone.
    CREATE TABLE break_glass (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        account INTEGER NOT NULL,
        "user" TEXT NOT NULL,
        patient INTEGER NOT NULL REFERENCES patient (id),
        reason TEXT NOT NULL,
        made_at INTEGER NOT NULL,
        ends_at INTEGER NOT NULL,
        reviewed_at INTEGER,
        reviewed_by TEXT
    ) STRICT;
    CREATE INDEX break_glass_of_account ON break_glass (account, ends_at);
    CREATE INDEX break_glass_unreviewed ON break_glass (id) WHERE reviewed_at IS NULL;
    `,
    `
    -- So many days each is kept; NULL: for good. The ward '' is the hospital: it decides for wards that have not, and for what is nobody's.
    CREATE TABLE retention_rule (
        ward TEXT NOT NULL,
        version INTEGER NOT NULL,
        is_own INTEGER NOT NULL,
        envelopes INTEGER,
        readings INTEGER,
        minutes INTEGER,
        hours INTEGER,
        author TEXT NOT NULL,
        made_at INTEGER NOT NULL,
        PRIMARY KEY (ward, version)
    ) STRICT;
    -- What readings that are gone have left: their means over steps of a minute or an hour, from time on; columns as of a summary.
    CREATE TABLE mean (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        patient INTEGER NOT NULL,
        name TEXT NOT NULL,
        step INTEGER NOT NULL,
        time INTEGER NOT NULL,
        mote INTEGER NOT NULL,
        value REAL NOT NULL,
        count INTEGER NOT NULL,
        least REAL NOT NULL,
        greatest REAL NOT NULL,
        quality REAL,
        UNIQUE (patient, name, step, time, mote)
    ) STRICT;
    -- How far retention has come by its own time, and what it has removed and not yet reported.
    CREATE TABLE retention_state (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        at INTEGER NOT NULL,
        finished_at INTEGER,
        envelopes INTEGER NOT NULL,
        readings INTEGER NOT NULL,
        minutes INTEGER NOT NULL,
        hours INTEGER NOT NULL
    ) STRICT;
    -- While one lasts, nothing of that patient is removed.
    CREATE TABLE legal_hold (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        patient INTEGER NOT NULL REFERENCES patient (id),
        reason TEXT NOT NULL,
        author TEXT NOT NULL,
        made_at INTEGER NOT NULL,
        lifted_at INTEGER,
        lifted_by TEXT
    ) STRICT;
    CREATE INDEX legal_hold_lasting ON legal_hold (patient) WHERE lifted_at IS NULL;
    -- That somebody was or is to be erased: asked for by one, confirmed by another. The patient's row stays, without any data.
    CREATE TABLE erasure (
        patient INTEGER PRIMARY KEY REFERENCES patient (id),
        reason TEXT NOT NULL,
        asked_by TEXT NOT NULL,
        asked_at INTEGER NOT NULL,
        confirmed_by TEXT,
        confirmed_at INTEGER,
        finished_at INTEGER,
        readings INTEGER NOT NULL DEFAULT 0,
        envelopes INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    -- Envelopes are kept for less than readings: a reading knows the number of its envelope, whether that is still there or not.
    ALTER TABLE measurement ALTER COLUMN envelope TO envelope INTEGER NOT NULL;
    CREATE INDEX measurement_flawed ON measurement (envelope) WHERE problem IS NOT NULL;
    CREATE INDEX envelope_of_mote ON envelope (mote, id);
    `,
]
