/*
 * keys: the latest keys from the clinic. outbox: empty since the outbox is a log (outbox/). refused: dead letters,
 * which the clinic refused. replay: the replay windows. meta: facts about the file itself.
 */
const first = `
    CREATE TABLE keys (
        kid BLOB PRIMARY KEY, upMac BLOB NOT NULL, receipt BLOB NOT NULL, mqtt BLOB NOT NULL,
        config INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE outbox (
        id INTEGER PRIMARY KEY, purpose TEXT NOT NULL, receivedAt INTEGER NOT NULL,
        envelope BLOB NOT NULL
    ) STRICT;
    CREATE TABLE refused (
        id INTEGER PRIMARY KEY, purpose TEXT NOT NULL, receivedAt INTEGER NOT NULL,
        envelope BLOB NOT NULL, reason TEXT NOT NULL
    ) STRICT;
    CREATE TABLE replay (
        kid BLOB NOT NULL, boot INTEGER NOT NULL, salt TEXT NOT NULL, floor INTEGER NOT NULL,
        runs TEXT NOT NULL, PRIMARY KEY (kid, boot)
    ) STRICT, WITHOUT ROWID;
`

/** Allows several keys per mote, each with its sealed configuration and its commands. `commands` is CBOR. */
const severalKeys = `
    ALTER TABLE keys RENAME TO oldKeys;
    CREATE TABLE keys (
        kid BLOB NOT NULL, generation INTEGER NOT NULL, upMac BLOB NOT NULL, receipt BLOB NOT NULL,
        mqtt BLOB NOT NULL, config INTEGER NOT NULL, sealedConfig BLOB, commands BLOB,
        PRIMARY KEY (kid, generation)
    ) STRICT;
    INSERT INTO keys (kid, generation, upMac, receipt, mqtt, config)
        SELECT kid, 0, upMac, receipt, mqtt, config FROM oldKeys;
    DROP TABLE oldKeys;
`

/**
 * Adds the mote's kid to envelopes, so that motes take turns. Existing rows get it from the ninth byte of the envelope.
 * Also adds the table of facts about the file.
 */
const turns = `
    ALTER TABLE outbox ADD COLUMN kid BLOB NOT NULL DEFAULT x'';
    UPDATE outbox SET kid = substr(envelope, 9, 8);
    CREATE INDEX outboxTurns ON outbox (purpose, kid, id);
    ALTER TABLE refused ADD COLUMN kid BLOB NOT NULL DEFAULT x'';
    UPDATE refused SET kid = substr(envelope, 9, 8);
    CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
`

/** Keys of the first wire format fit no mote any more. The clinic sends those of the present one. */
const noOldKeys = `
    DELETE FROM keys;
`

export const format = {
    name: "the router's store",
    applicationId: 0x564d7274, // "VMrt"
    migrations: [first, severalKeys, turns, noOldKeys],
}
