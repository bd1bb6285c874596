import type Database from "libsql"

const held = "count(*) AS rows, ifnull(sum(length(envelope)), 0) AS bytes"

/** Prepares all statements of the router's store. */
export function prepare(db: Database.Database) {
    return {
        keys: db.prepare(
            `SELECT kid, upMac, receipt, mqtt, config, generation, sealedConfig, commands FROM keys
             ORDER BY rowid`,
        ),
        deleteKeys: db.prepare("DELETE FROM keys WHERE kid = ?"),
        insertKey: db.prepare(
            `INSERT OR IGNORE INTO keys
             (kid, upMac, receipt, mqtt, config, generation, sealedConfig, commands)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
        ),
        outboxHeld: db.prepare(`SELECT kid, purpose, ${held} FROM outbox GROUP BY purpose, kid ORDER BY min(id)`),
        insertOutbox: db.prepare("INSERT INTO outbox (kid, purpose, receivedAt, envelope) VALUES (?, ?, ?, ?)"),
        next: db.prepare(
            `SELECT id, kid, purpose, receivedAt, envelope FROM outbox
             WHERE purpose = ? AND kid = ? AND id > ? AND id NOT IN (SELECT value FROM json_each(?))
             ORDER BY id LIMIT ?`,
        ),
        newest: db.prepare(
            `SELECT envelope FROM outbox WHERE purpose IN ('alarm', 'vitals') AND kid = ?
             AND id NOT IN (SELECT value FROM json_each(?)) ORDER BY id DESC LIMIT ?`,
        ),
        deleteOutbox: db.prepare("DELETE FROM outbox WHERE id IN (SELECT value FROM json_each(?))"),
        refusedHeld: db.prepare(`SELECT kid, purpose, ${held} FROM refused GROUP BY purpose, kid`),
        oldestRefusedHeld: db.prepare(`SELECT ${held} FROM (SELECT envelope FROM refused ORDER BY id LIMIT ?)`),
        keepRefused: db.prepare(
            `INSERT INTO refused (kid, purpose, receivedAt, envelope, reason)
             SELECT kid, purpose, receivedAt, envelope, ? FROM outbox WHERE id = ?`,
        ),
        deadLetters: db.prepare(
            `SELECT id, kid, purpose, receivedAt, envelope, reason FROM refused WHERE id > ? ORDER BY id LIMIT ?`,
        ),
        dropRefused: db.prepare("DELETE FROM refused WHERE id IN (SELECT id FROM refused ORDER BY id LIMIT ?)"),
        retryRefused: db.prepare(
            `INSERT INTO outbox (kid, purpose, receivedAt, envelope)
             SELECT kid, purpose, receivedAt, envelope FROM refused ORDER BY id`,
        ),
        deleteRefused: db.prepare("DELETE FROM refused"),
        starts: db.prepare("SELECT boot, salt, floor, runs FROM replay WHERE kid = ? ORDER BY boot"),
        upsertReplay: db.prepare(
            `INSERT INTO replay (kid, boot, salt, floor, runs) VALUES (?, ?, ?, ?, ?)
             ON CONFLICT (kid, boot) DO UPDATE SET floor = excluded.floor, runs = excluded.runs`,
        ),
        forgetReplay: db.prepare("DELETE FROM replay WHERE kid = ? AND boot = ?"),
        meta: db.prepare("SELECT value FROM meta WHERE name = ?"),
        setMeta: db.prepare(
            "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        ),
    }
}
