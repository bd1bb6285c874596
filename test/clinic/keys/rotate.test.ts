import assert from "node:assert/strict"
import { execFile, spawnSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import { cpSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { promisify } from "node:util"
import fc from "fast-check"
import { isSealed, sealingKey, type SealedHead } from "../../../clinic/audit/head.ts"
import { Clinic, readClinicKey, startClinic } from "../../../clinic/index.ts"
import {
    bytesOf,
    decodeClinicKey,
    encodeClinicKey,
    isRotating,
    newClinicKey,
    writeClinicKey,
    type ClinicKey,
} from "../../../clinic/keys/clinic-key.ts"
import { parseMasterKey, type MasterKey } from "../../../clinic/keys/master-key.ts"
import { reencrypt, rewrapKey, settle } from "../../../clinic/keys/rotate.ts"
import { openSqlite } from "../../../clinic/store/sqlite/open.ts"
import { Pseudonyms } from "../../../clinic/publication/messages.ts"
import { compiledFile } from "../../../host/compiled.mjs"
import { realClock } from "../../../host/clock.ts"
import { UserError } from "../../../host/errors.ts"
import { makeFolder } from "../../../host/files.ts"
import { silentLog } from "../../../host/log.ts"
import { temporaryFolder } from "../../support/folder.ts"
import { sampled } from "../../support/long.ts"

const masterKey = (): MasterKey => parseMasterKey(randomBytes(32), "--key-file")

const start = (data: string, master?: MasterKey) => startClinic({ data, port: 0, log: silentLog, master })

/** Works on a clinic without its service, which takes longer to start. */
async function withClinic<T>(data: string, key: ClinicKey, work: (clinic: Clinic) => Promise<T>): Promise<T> {
    const store = openSqlite(join(data, "clinic.db"))
    try {
        const { secrets } = key
        return await work(
            await Clinic.open({ store, clock: realClock, random: randomBytes, key: secrets, log: silentLog }),
        )
    } finally {
        await store.close()
    }
}

/** What the secrets in a clinic's database are, read as a start would. */
async function secretsOf(data: string, master?: MasterKey): Promise<string> {
    if (isRotating(data)) {
        const store = openSqlite(join(data, "clinic.db"))
        await settle(data, store, [master]).finally(() => store.close())
    }
    return await withClinic(data, readClinicKey(data, master)!, async clinic =>
        JSON.stringify(
            (await clinic.motes.inUse()).map(({ secrets }) => secrets),
            (_, value: unknown) => (value instanceof Uint8Array ? hex(value) : value),
        ),
    )
}

/** A clinic with two motes, one of which has two secrets, and a second factor. */
async function furnish(data: string, master?: MasterKey): Promise<void> {
    makeFolder(data)
    const key = newClinicKey()
    writeClinicKey(data, key, master)
    await withClinic(data, key, async clinic => {
        await clinic.setUp()
        const { mote } = await clinic.motes.register(null)
        await clinic.motes.register(null)
        await clinic.rotate(mote.kid)
        await clinic.secondFactors.begin(1, "doctor")
        await clinic.audit.open()
    })
}

const complaint = (what: Promise<unknown>) =>
    what.then(
        () => assert.fail("it worked"),
        (error: unknown) => {
            assert.ok(error instanceof UserError, String(error))
            assert.doesNotMatch(error.message, /\n/)
            return error.message
        },
    )

test("a clinic's key under a master key: only that one opens it, and nothing in the file may be changed", () => {
    const [key, master] = [newClinicKey(), masterKey()]
    const contents = encodeClinicKey(key, master)
    const replaced = { secrets: randomBytes(32), pseudonyms: key.pseudonyms }
    for (const one of [key, replaced])
        for (const around of [undefined, master]) {
            const found = decodeClinicKey(encodeClinicKey(one, around), around, "f")
            assert.deepEqual([found.secrets, found.pseudonyms].map(hex), [one.secrets, one.pseudonyms].map(hex))
        }
    assert.equal(Buffer.from(contents).includes(Buffer.from(bytesOf(key))), false)
    const message = (bytes: Uint8Array, around?: MasterKey) => {
        try {
            decodeClinicKey(bytes, around, "clinic.key")
        } catch (error) {
            if (error instanceof UserError) return error.message
        }
        return assert.fail("it was taken")
    }
    assert.match(
        message(contents),
        new RegExp(`^clinic.key is under the master key ${master.id}: give it by --key-file`),
    )
    assert.match(message(contents, masterKey()), /^--key-file: this master key \(\w+\) is not the one of clinic.key/)
    assert.match(
        message(bytesOf(key), master),
        /^clinic.key is under no master key: put it under one with vitalmote key/,
    )
    const newer = contents.toString().replace('"version": 1', '"version": 2')
    assert.match(message(Buffer.from(newer), master), /a newer version/)
    fc.assert(
        fc.property(fc.nat(contents.length - 1), fc.integer({ min: 1, max: 255 }), (at, bits) => {
            const changed = Buffer.from(contents)
            changed[at]! ^= bits
            try {
                // Whitespace between the fields and the last bits of Base64 do not count.
                assert.deepEqual(bytesOf(decodeClinicKey(changed, master, "f")), Buffer.from(bytesOf(key)))
            } catch (error) {
                assert.ok(error instanceof UserError)
            }
        }),
    )
    fc.assert(
        fc.property(fc.uint8Array({ maxLength: 300 }), bytes => {
            if (bytes.length !== 32 && bytes.length !== 64)
                assert.throws(() => decodeClinicKey(bytes, undefined, "f"), UserError)
        }),
    )
})

function hex(bytes: Uint8Array): string {
    return Buffer.from(bytes).toString("hex")
}

test("from a key in the folder to a master key, to another one, and back: the old one is refused each time", async t => {
    const data = join(temporaryFolder(t), "clinic")
    const [first, second] = [masterKey(), masterKey()]
    const running = await start(data)
    t.after(() => running.close())
    const key = hex(readFileSync(join(data, "clinic.key")))
    assert.match(await complaint(start(data, first)), /clinic.key is under no master key/)
    rewrapKey(data, undefined, first)
    assert.equal(statSync(join(data, "clinic.key")).mode & 0o777, 0o600)
    rewrapKey(data, first, second)
    rewrapKey(data, first, second)
    assert.equal(hex(readClinicKey(data, second)!.secrets), key, "a second time changes nothing")
    assert.match(await complaint(start(data, first)), /this master key \(\w+\) is not the one of/)
    assert.match(await complaint(start(data)), /is under the master key \w+: give it/)
    await running.close()
    const again = await start(data, second)
    await again.close()
    rewrapKey(data, second, undefined)
    assert.equal(hex(readFileSync(join(data, "clinic.key"))), key)
})

test("a replaced key: the secrets stay, the key before opens none, pseudonyms and the audit record stay", async t => {
    const data = join(temporaryFolder(t), "clinic")
    await furnish(data)
    const [secrets, before] = [await secretsOf(data), readFileSync(join(data, "clinic.key"))]
    const place = { folder: data, database: { folder: data }, old: undefined, next: undefined }
    await withClinic(data, readClinicKey(data, undefined)!, async () => {
        assert.match(await complaint(reencrypt(place)), /another process uses it/)
    })
    assert.equal(isRotating(data), false)
    await reencrypt(place)
    const key = readClinicKey(data, undefined)!
    assert.equal(hex(key.pseudonyms), hex(before))
    assert.equal(new Pseudonyms(key.pseudonyms).of(1), new Pseudonyms(before).of(1))
    assert.notEqual(hex(key.secrets), hex(before))
    assert.equal(await secretsOf(data), secrets)
    await withClinic(data, key, async clinic => {
        assert.equal(await clinic.secondFactors.confirm(1, "000000").catch(() => "opened wrongly"), undefined)
        const head = await clinic.audit.head()
        assert.ok(head && isSealed(head as SealedHead, sealingKey(key.secrets)))
    })
    writeFileSync(join(data, "clinic.key"), before)
    assert.match(await complaint(secretsOf(data)), /key is not the one its database was written with/)
})

/** Every step takes a minute in all. */
const isWhole = process.env.VITALMOTE_EVERY_STEP === "1"
const canTrace = spawnSync("strace", ["-o", "/dev/null", "true"]).status === 0
const execute = promisify(execFile)

test(
    "kill -9 at every step of a rotation: the clinic starts with one of the two master keys, and a second rotation ends the first",
    { skip: !canTrace && "needs strace that may trace" },
    async t => {
        const program = await compiledFile("test/clinic/keys/rotate-child.ts")
        const folder = temporaryFolder(t)
        const data = join(folder, "clinic")
        const keys = [randomBytes(32), randomBytes(32)].map(hex)
        const [old, next] = keys.map(text => parseMasterKey(Buffer.from(text), "--key-file"))
        await furnish(data, old)
        const secrets = await secretsOf(data, old)
        const rotation = async (copy: string, what: string, ...options: string[]) => {
            const places = ["clinic.key", "clinic.key.new", "clinic.key.next", "clinic.key.next.new", "clinic.db-wal"]
            const paths = ["", ...places].flatMap(name => ["-P", join(copy, name)])
            const args = ["-f", "-qq", "-o", join(folder, "trace"), ...paths, ...options]
            await execute("strace", [...args, process.execPath, program, what, copy, ...keys]).catch(() => {})
            return readFileSync(join(folder, "trace"), "utf8")
        }
        let number = 0
        const copied = () => {
            const copy = join(folder, `copy${number++}`)
            cpSync(data, copy, { recursive: true })
            return copy
        }
        const calls = "write,pwrite64,fsync,fdatasync,rename,unlink"
        for (const what of ["rewrap", "reencrypt"]) {
            const trace = await rotation(copied(), what, "-e", `trace=${calls}`)
            const counts = new Map<string, number>()
            const steps = trace.split("\n").flatMap(line => {
                const [, call] = /^\d+ +(\w+)\(/.exec(line) ?? []
                if (call === undefined) return []
                counts.set(call, (counts.get(call) ?? 0) + 1)
                return [{ call, when: counts.get(call)! }]
            })
            assert.ok(counts.get("rename")! >= (what === "rewrap" ? 1 : 2) && counts.get("fsync")! >= 2, trace)
            const renames = steps.filter(({ call }) => call === "rename")
            const isCommit = ({ call }: { call: string }) => call === "fdatasync"
            const others = steps.filter(({ call }) => call !== "rename").sort((a, b) => +isCommit(b) - +isCommit(a))
            t.diagnostic(`${what}: ${steps.length} steps`)
            for (const { call, when } of [
                ...renames,
                ...(isWhole ? others : sampled(others.filter((_, n) => n % 3 === 0))),
            ]) {
                const copy = copied()
                const killed = await rotation(copy, what, "-e", `inject=${call}:signal=KILL:when=${when}`)
                assert.match(killed, /killed by SIGKILL/, `${call} ${when}`)
                const starts = await Promise.all(
                    [old, next].map(master =>
                        secretsOf(copyOf(copy, master!), master).catch((e: unknown) => String(e)),
                    ),
                )
                assert.ok(starts.includes(secrets), `${what}, ${call} ${when}: ${starts.join("; ")}`)
                // Which of the two, on what was left.
                if (what === "rewrap") rewrapKey(copy, starts[0] === secrets ? old : next, next)
                else if (starts[0] === secrets || existsSync(join(copy, "clinic.key.next")))
                    await reencrypt({ folder: copy, database: { folder: copy }, old, next })
                assert.equal(await secretsOf(copy, next), secrets, `${what}, ${call} ${when}`)
                assert.match(await complaint(secretsOf(copy, old)), /this master key \(\w+\) is not the one of/)
                assert.deepEqual(
                    readdirSync(copy).filter(name => /clinic.key.next$/.test(name)),
                    [],
                )
            }
        }
    },
)

/** A copy, because a start ends what was interrupted. */
function copyOf(folder: string, { id }: MasterKey): string {
    cpSync(folder, `${folder}-${id}`, { recursive: true })
    return `${folder}-${id}`
}
