import type Database from "libsql"

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
        refusedHeld: db.prepare("SELECT count(*) AS rows, ifnull(sum(length(envelope)), 0) AS bytes FROM refused"),
        keepRefused: db.prepare(
            "INSERT INTO refused (kid, purpose, receivedAt, envelope, reason) VALUES (?, ?, ?, ?, ?)",
        ),
        deadLetters: db.prepare(
            `SELECT id, kid, purpose, receivedAt, envelope, reason FROM refused WHERE id > ? ORDER BY id LIMIT ?`,
        ),
        dropRefused: db.prepare("DELETE FROM refused WHERE id IN (SELECT id FROM refused ORDER BY id LIMIT ?)"),
        starts: db.prepare("SELECT boot, salt, floor, runs FROM replay WHERE kid = ? ORDER BY boot"),
        upsertReplay: db.prepare(
            `INSERT INTO replay (kid, boot, salt, floor, runs) VALUES (?, ?, ?, ?, ?)
             ON CONFLICT (kid, boot) DO UPDATE SET salt = excluded.salt, floor = excluded.floor, runs = excluded.runs`,
        ),
        forgetReplay: db.prepare("DELETE FROM replay WHERE kid = ? AND boot = ?"),
        meta: db.prepare("SELECT value FROM meta WHERE name = ?"),
        setMeta: db.prepare(
            "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        ),
    }
}
