import assert from "node:assert/strict"
import { X509Certificate } from "node:crypto"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { test, type TestContext } from "node:test"
import { connect } from "node:tls"
import { startClinic } from "../../clinic/index.ts"
import { serverCertificate } from "../../host/server-certificate.ts"
import type { CertificateFiles } from "../../host/certificate.ts"
import type { Log } from "../../host/log.ts"
import { silentLog } from "../../host/log.ts"
import { UserError } from "../../host/errors.ts"
import { ManualClock } from "../support/clock.ts"
import { temporaryFolder } from "../support/folder.ts"
import { until } from "../support/until.ts"

const dayMs = 86_400_000

/** A certificate of another authority, in files; made anew by `make`. */
async function hospital(t: TestContext) {
    const folder = temporaryFolder(t)
    const files: CertificateFiles = { cert: join(folder, "cert.pem"), key: join(folder, "key.pem") }
    let n = 0
    const make = async (at = Date.now()) => {
        const data = temporaryFolder(t)
        const { cert } = await serverCertificate(data, `ward-${++n}.example`, at)
        const keyAt = cert.indexOf("-----BEGIN PRIVATE KEY")
        writeFileSync(files.cert, cert.slice(0, keyAt))
        return { write: () => writeFileSync(files.key, cert.slice(keyAt)) }
    }
    ;(await make()).write()
    return { files, make }
}

async function start(t: TestContext, o: { certificate?: CertificateFiles; names?: string[]; clock?: ManualClock }) {
    const messages: string[] = []
    const note = (_: object, message: string) => void messages.push(message)
    const log: Log = { ...silentLog, error: note, warn: note, info: note }
    const running = await startClinic({ data: join(temporaryFolder(t), "clinic"), port: 0, log, ...o })
    t.after(() => running.close())
    const port = Number(new URL(running.url).port)
    const shown = (servername?: string) =>
        new Promise<X509Certificate>((resolve, reject) => {
            const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false, servername: servername ?? "" })
            socket.once("error", reject)
            socket.once("secureConnect", () => {
                resolve(new X509Certificate(socket.getPeerCertificate().raw))
                socket.destroy()
            })
        })
    return { running, shown, messages }
}

test("the hospital's certificate is shown to everybody; commands on this machine ask for localhost and verify the clinic's own", async t => {
    const { files } = await hospital(t)
    const { running, shown } = await start(t, { certificate: files })
    for (const name of [undefined, "ward-1.example", "somebody-else.example"])
        assert.ok((await shown(name)).checkHost("ward-1.example"), name)
    const local = await shown("localhost")
    assert.ok(local.verify(new X509Certificate(readFileSync(running.caFile)).publicKey))
    assert.ok(local.checkHost("localhost"))
})

test("files that change are shown within five seconds and without a restart; half a change is not", async t => {
    const { files, make } = await hospital(t)
    const clock = new ManualClock(Date.now())
    const { shown, messages } = await start(t, { certificate: files, clock })
    const { write } = await make()
    await clock.advance(5000)
    await until(() => messages.includes("cannot renew the certificate"), "it has seen a certificate without its key")
    assert.ok((await shown()).checkHost("ward-1.example"), "the old one serves on")
    await clock.advance(15_000)
    assert.equal(messages.filter(message => message.startsWith("cannot renew")).length, 1, "it says so once")
    write()
    await clock.advance(5000)
    await until(() => messages.includes("the certificate was renewed"), "renewed")
    assert.ok((await shown()).checkHost("ward-2.example"))
})

test("a clock that is set: the own certificate is made for the new time within five seconds", async t => {
    const clock = new ManualClock(Date.UTC(2020, 1, 1))
    const { shown, messages } = await start(t, { clock })
    assert.ok(Date.parse((await shown()).validTo) < Date.now())
    clock.step(Date.now() - clock.now())
    await clock.advance(5000)
    await until(() => messages.includes("the certificate was renewed"), "renewed")
    assert.ok(Date.parse((await shown()).validTo) > Date.now() + 300 * dayMs)
})

test("more names for the own certificate", async t => {
    const { shown } = await start(t, { names: ["clinic.example", "192.0.2.7"] })
    const certificate = await shown()
    assert.ok(certificate.checkHost("clinic.example"))
    assert.ok(certificate.checkIP("192.0.2.7"))
    assert.ok(certificate.checkHost("localhost"))
})

test("files that are no use end the start with one line; a wrong time does not, since the clock may be what is wrong", async t => {
    const { files, make } = await hospital(t)
    const complaint = async (certificate: CertificateFiles) => {
        const error = await start(t, { certificate }).then(
            () => undefined,
            (error: Error) => error,
        )
        assert.ok(error instanceof UserError, String(error))
        return error.message
    }
    assert.match(await complaint({ ...files, key: files.cert }), /cert\.pem is not a private key in PEM/)
    assert.match(await complaint({ cert: files.key, key: files.key }), /key\.pem is not a certificate in PEM/)
    assert.match(await complaint({ ...files, cert: join(files.cert, "..", "none.pem") }), /none\.pem/)
    await make()
    assert.match(await complaint(files), /key\.pem is not the key of .*cert\.pem/)
    ;(await make(Date.now() - 500 * dayMs)).write()
    const { messages } = await start(t, { certificate: files })
    assert.ok(messages.includes("browsers will refuse the certificate"))
})
