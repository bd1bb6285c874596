import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { readFileSync } from "node:fs"
import { test, type TestContext } from "node:test"
import { startClinic, type RunningClinic } from "../../clinic/index.ts"
import { silentLog } from "../../host/log.ts"
import { dotted } from "../../router/coap/message.ts"
import { OptionNumber, uintValue } from "../../router/coap/options.ts"
import { httpsClinic, startRouter, type RunningRouter } from "../../router/index.ts"
import { measurement } from "../clinic/support.ts"
import { CoapClient } from "../router/client.ts"
import { temporaryFolder } from "../support/folder.ts"
import { TestMote } from "../support/mote.ts"
import { until } from "../support/until.ts"
import { freePort } from "./ports.ts"

const log = silentLog

/** A real clinic and a real router that is limited to a ward, which one stops and starts. */
class Ward {
    clinic!: RunningClinic
    router!: RunningRouter
    private readonly t: TestContext
    private readonly port: number
    private readonly folders: { clinic: string; router: string }
    private token = ""

    private constructor(t: TestContext, port: number) {
        this.t = t
        this.port = port
        this.folders = { clinic: temporaryFolder(t), router: temporaryFolder(t) }
    }

    static async start(t: TestContext): Promise<Ward> {
        const ward = new Ward(t, await freePort())
        await ward.startClinic()
        const { accounts } = ward.clinic.clinic
        const account = await accounts.add({ name: "router-3w", role: "router", wards: ["3 West"] })
        ward.token = await accounts.addToken(account.id)
        await ward.startRouter()
        return ward
    }

    async startClinic(): Promise<void> {
        const clinic = await startClinic({ data: this.folders.clinic, port: this.port, log })
        this.clinic = clinic
        this.t.after(() => clinic.close().catch(() => {}))
    }

    async startRouter(): Promise<void> {
        const { url, caFile } = this.clinic
        const link = httpsClinic({ url, ca: readFileSync(caFile, "utf8"), token: this.token })
        const router = await startRouter({ data: this.folders.router, coapPort: 0, udp: false, clinic: link, log })
        this.router = router
        this.t.after(() => router.close())
    }

    async admit(ward: string): Promise<TestMote> {
        const { patients, motes } = this.clinic.clinic
        const { id } = await patients.add({ given: "Ada", family: "Beck", ward })
        const { mote, secret } = await motes.register(id)
        return new TestMote({ kid: mote.kid, secret })
    }

    /** Sends an envelope of the mote until it is not told to come again soon; the last code, and when to come again, s. */
    async send(mote: TestMote): Promise<{ code: string; maxAge: number | undefined }> {
        const envelope = mote.seal([measurement("hr", 70, Date.now())], Date.now())
        const client = await CoapClient.connect(this.router.coapPort)
        try {
            for (;;) {
                const response = await client.post("/vitals", envelope)
                const [code, maxAge] = [dotted(response.code), uintValue(response.options, OptionNumber.MaxAge)]
                if (code !== "5.03" || maxAge !== 1) return { code, maxAge }
                await new Promise(resolve => setTimeout(resolve, 50))
            }
        } finally {
            client.destroy()
        }
    }

    /** How many motes have their keys at the router. */
    get keys(): number {
        return [...this.known].filter(mote => this.router.router.keyring.find(nameOf(mote))).length
    }

    readonly known = new Set<TestMote>()
}

const nameOf = ({ keys }: TestMote) => Buffer.from(keys.kid).toString("hex")

test("keys come to a router with the mote, stay over every restart, and a clinic that is away cuts nobody off", async t => {
    const ward = await Ward.start(t)
    const [here, later, elsewhere] = [await ward.admit("3 West"), await ward.admit("3 West"), await ward.admit("ICU")]
    for (const mote of [here, later, elsewhere]) ward.known.add(mote)
    assert.equal(ward.keys, 0, "nobody has shown up")
    assert.equal((await ward.send(here)).code, "2.04")
    assert.equal((await ward.send(elsewhere)).code, "4.01")
    const stranger = new TestMote({ kid: randomBytes(8), secret: randomBytes(32) })
    assert.equal((await ward.send(stranger)).code, "4.01")
    assert.equal(ward.keys, 1)

    await ward.clinic.close()
    assert.equal((await ward.send(here)).code, "2.04", "without the clinic")
    await until(async () => (await ward.send(later)).code === "5.03", "it is known that the clinic is away")
    assert.deepEqual(await ward.send(later), { code: "5.03", maxAge: 10 })
    await ward.router.close()
    await ward.startRouter()
    await until(async () => (await ward.send(here)).code === "2.04", "the router's clock is known to be right")
    assert.equal(ward.keys, 1, "over a restart of the router without the clinic")

    await ward.startClinic()
    await until(async () => (await ward.send(later)).code === "2.04", "the clinic is back")
    assert.equal((await ward.send(here)).code, "2.04")
    assert.equal(ward.keys, 2)
    const { clinic } = ward.clinic
    await until(() => ward.router.router.stats().outbox === 0, "all is delivered")
    const holders = await clinic.grants.holders()
    for (const [mote, routers] of [
        [here, ["router-3w"]],
        [later, ["router-3w"]],
        [elsewhere, undefined],
    ] as const)
        assert.deepEqual(holders.get((await clinic.motes.get(mote.keys.kid))!.id), routers)
})
