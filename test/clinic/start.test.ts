import assert from "node:assert/strict"
import { X509Certificate } from "node:crypto"
import {
    chmodSync,
    chownSync,
    existsSync,
    mkdtempSync,
    readFileSync,
    readdirSync,
    rmSync,
    statSync,
    writeFileSync,
} from "node:fs"
import { createServer, type AddressInfo } from "node:net"
import { hostname, networkInterfaces, tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, test } from "node:test"
import { sql } from "kysely"
import { startClinic, type RunningClinic, type StartOptions } from "../../clinic/index.ts"
import { openSqlite } from "../../clinic/store/sqlite/open.ts"
import { serverCertificate } from "../../host/server-certificate.ts"
import { UserError } from "../../host/errors.ts"
import { silentLog } from "../../host/log.ts"

let data: string
beforeEach(() => (data = mkdtempSync(join(tmpdir(), "clinic-"))))
afterEach(() => rmSync(data, { recursive: true }))

const start = (o: Partial<StartOptions> = {}): Promise<RunningClinic> =>
    startClinic({ data, port: 0, log: silentLog, ...o })

async function started(work: (running: RunningClinic) => Promise<void> = async () => {}) {
    const running = await start()
    await work(running)
    await running.close()
}

/** The one line that the user gets. */
async function complaint(what: Promise<unknown>): Promise<string> {
    const error: unknown = await what.then(
        () => assert.fail("it worked"),
        (e: unknown) => e,
    )
    assert.ok(error instanceof UserError, String(error))
    assert.doesNotMatch(error.message, /\n/)
    assert.equal(error.exitCode, 1)
    return error.message.replaceAll(data, "DATA")
}

test("the first start sets up once; the second finds everything as it was", async () => {
    let secret: Uint8Array | undefined
    await started(async ({ clinic }) => {
        const credentials = await clinic.setUp()
        assert.equal(credentials?.doctor.user, "doctor")
        assert.equal(await clinic.setUp(), undefined)
        const { id } = await clinic.patients.add({ given: "Ada", family: "Beck" })
        secret = (await clinic.motes.register(id)).secret
    })
    const authority = readFileSync(join(data, "ca.pem"), "utf8")
    await started(async ({ clinic, caFile }) => {
        assert.equal(await clinic.setUp(), undefined)
        assert.equal(readFileSync(caFile, "utf8"), authority)
        assert.equal((await clinic.keys()).length, 1)
    })
    const database = readFileSync(join(data, "clinic.db"))
    assert.equal(database.includes(Buffer.from(secret!)), false, "the secret is wrapped")
    if (process.platform !== "win32")
        for (const file of ["clinic.key", "clinic.db", "ca-key.pem", "server.pem"])
            assert.equal(statSync(join(data, file)).mode & 0o777, 0o600, file)
})

test("where the credentials cannot be saved, nothing was set up", async () => {
    await started(async ({ clinic }) => {
        const failing = clinic.setUp(async () => Promise.reject(new Error("the disk is full")))
        await assert.rejects(failing, /the disk is full/)
        let saved: unknown
        const credentials = await clinic.setUp(async made => void (saved = made))
        assert.ok(credentials)
        assert.equal(saved, credentials)
    })
})

test("a port in use, and a folder that is none", async () => {
    const other = createServer().listen(0, "127.0.0.1")
    await new Promise(resolve => other.once("listening", resolve))
    const { port } = other.address() as AddressInfo
    assert.equal(await complaint(start({ port })), `port ${port} of 127.0.0.1 is in use`)
    await new Promise(resolve => other.close(resolve))
    await started() // the failed start left nothing locked

    const file = join(data, "file")
    writeFileSync(file, "")
    assert.match(await complaint(start({ data: file })), /^cannot make the folder DATA\/file: /)
    assert.match(await complaint(start({ host: "192.0.2.1" })), /^cannot listen on port 0 of 192/)
})

test("a database that is damaged, not ours, or of a newer version", async () => {
    await started()
    const file = join(data, "clinic.db")
    const healthy = readFileSync(file)
    const withDatabase = async (bytes: Uint8Array) => {
        for (const suffix of ["-wal", "-shm"]) rmSync(file + suffix, { force: true })
        writeFileSync(file, bytes)
        return await complaint(start())
    }
    const cannotUse = /^cannot use the clinic's database DATA\/clinic.db: it is damaged/
    assert.match(await withDatabase(Buffer.from("not a database at all".repeat(500))), cannotUse)
    assert.match(await withDatabase(healthy.subarray(0, healthy.length / 2)), cannotUse)
    const damaged = Buffer.from(healthy)
    damaged.fill(0x5a, 4096 * 3, 4096 * 5)
    assert.match(await withDatabase(damaged), cannotUse)

    for (const suffix of ["-wal", "-shm"]) rmSync(file + suffix, { force: true })
    writeFileSync(file, healthy)
    for (const [pragma, reason] of [
        ["user_version = 99", /DATA\/clinic.db: a newer version of VitalMote wrote it$/],
        ["application_id = 99", /DATA\/clinic.db: it belongs to another program$/],
    ] as const) {
        const store = openSqlite(file)
        await sql.raw(`PRAGMA ${pragma}`).execute(store.db)
        await store.close()
        assert.match(await complaint(start()), reason)
        writeFileSync(file, healthy)
    }
})

test("a second clinic on the same data folder is one clear line, and the first one goes on", async () => {
    await started(async ({ clinic }) => {
        assert.equal(
            await complaint(start()),
            "cannot use the clinic's database DATA/clinic.db: another process uses it",
        )
        await clinic.check()
    })
})

/** Uid and gid of "nobody" on Debian; any but 0 would do. */
const nobody = 65534

test("a data folder that may only be read", async t => {
    if (process.platform === "win32") return t.skip("needs permissions as Unix has them")
    await started()
    const isRoot = process.getuid!() === 0
    // Nothing is refused to root, so root becomes somebody else meanwhile.
    if (isRoot) for (const file of [".", ...readdirSync(data)]) chownSync(join(data, file), nobody, nobody)
    chmodSync(data, 0o500)
    if (isRoot) process.seteuid!(nobody)
    const line = await complaint(start()).finally(() => {
        if (isRoot) process.seteuid!(0)
        chmodSync(data, 0o700)
    })
    assert.match(line, /^cannot use the clinic's database DATA\/clinic.db: /)
})

test("a key that is missing, damaged or another one is never replaced", async () => {
    await started(async ({ clinic }) => {
        const { id } = await clinic.patients.add({ given: "Ada", family: "Beck" })
        await clinic.motes.register(id)
    })
    const file = join(data, "clinic.key")
    const key = readFileSync(file)
    rmSync(file)
    assert.match(await complaint(start()), /^DATA\/clinic.key is missing/)
    assert.equal(existsSync(file), false)
    writeFileSync(file, key.subarray(1))
    assert.match(await complaint(start()), /^DATA\/clinic.key is not a key/)
    writeFileSync(file, Buffer.alloc(32))
    assert.match(await complaint(start()), /key is not the one/)
    writeFileSync(file, key)
    await started()
})

const dayMs = 86_400_000

test("the certificate names the host and is renewed in time, the authority stays", async () => {
    const now = Date.now()
    const make = async (host: string, at: number) => new X509Certificate((await serverCertificate(data, host, at)).cert)
    const first = await make("127.0.0.1", now)
    const authority = new X509Certificate(readFileSync(join(data, "ca.pem")))
    for (const host of ["127.0.0.1", "::1"]) assert.ok(first.checkIP(host), host)
    assert.ok(first.checkHost("localhost"))
    assert.equal(first.publicKey.asymmetricKeyDetails?.namedCurve, "prime256v1")
    assert.ok(first.verify(authority.publicKey))

    const same = await make("127.0.0.1", now + 330 * dayMs)
    assert.equal(same.fingerprint256, first.fingerprint256)
    const renewed = await make("127.0.0.1", now + 340 * dayMs)
    assert.notEqual(renewed.fingerprint256, first.fingerprint256)
    const other = await make("clinic.example", now)
    assert.ok(other.checkHost("clinic.example") && other.checkHost("localhost"))
    for (const made of [renewed, other]) assert.ok(made.verify(authority.publicKey))

    writeFileSync(join(data, "server.pem"), "garbage")
    assert.ok((await make("127.0.0.1", now)).verify(authority.publicKey))
    rmSync(join(data, "ca-key.pem"))
    const needsNew = serverCertificate(data, "other.example", now)
    assert.match(await complaint(needsNew), /ca-key.pem is not the key of ca.pem/)
    writeFileSync(join(data, "ca.pem"), "garbage")
    assert.match(await complaint(serverCertificate(data, "127.0.0.1", now)), /^DATA\/ca.pem is not a certificate/)
})

test("a first start with a wrong clock leaves a certificate that serves once the clock is right", async () => {
    const right = Date.now()
    const isValid = (pem: string) => {
        const { validFrom, validTo } = new X509Certificate(pem)
        return Date.parse(validFrom) <= right && right <= Date.parse(validTo)
    }
    for (const wrong of [Date.UTC(1970, 0, 2), right + 400 * dayMs, right + 10 * 365 * dayMs]) {
        await serverCertificate(data, "127.0.0.1", wrong)
        const authority = readFileSync(join(data, "ca.pem"), "utf8")
        assert.ok(isValid(authority), new Date(wrong).toISOString())
        const { cert } = await serverCertificate(data, "127.0.0.1", right)
        assert.ok(isValid(cert))
        assert.ok(new X509Certificate(cert).verify(new X509Certificate(authority).publicKey))
        for (const name of ["ca.pem", "ca-key.pem", "server.pem"]) rmSync(join(data, name))
    }
})

test("who listens on every address is named by every address of the machine", async () => {
    const { cert } = await serverCertificate(data, "0.0.0.0", Date.now())
    const certificate = new X509Certificate(cert)
    const own = Object.values(networkInterfaces()).flatMap(addresses => addresses ?? [])
    for (const { address } of own) if (!address.startsWith("fe80:")) assert.ok(certificate.checkIP(address), address)
    assert.ok(certificate.checkHost(hostname()))
})
