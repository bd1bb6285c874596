import assert from "node:assert/strict"
import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto"
import { after, before, test } from "node:test"
import { encode } from "cbor2"
import { relyingParty } from "../../clinic/sign-in/passkeys.ts"
import { ManualClock } from "../support/clock.ts"
import { Service, type Answer } from "./service.ts"

const clock = new ManualClock(Date.now())
const password = "correct horse battery"
const ownPage = { "sec-fetch-site": "same-origin" }
let service: Service

before(async () => {
    service = await Service.start(clock, { host: "localhost" })
    for (const user of ["nora", "omar"])
        await service.call("POST", "/api/users", {
            ...{ token: service.doctor, json: { user, role: "nurse", wards: "all", password } },
        })
})
after(() => service.close())

const cookieOf = (answer: Answer, name: string) =>
    [answer.headers["set-cookie"] ?? []]
        .flat()
        .find(each => each.startsWith(`__Host-${name}=`))!
        .split(";")[0]!

/** An authenticator in software, which does what it is told (WebAuthn Level 3 §6). */
class Authenticator {
    readonly id = randomBytes(16)
    readonly keys = generateKeyPairSync("ec", { namedCurve: "P-256" })
    counter = 1
    origin = service.running.url
    rpId = "localhost"
    isVerified = true

    made(challenge: string): object {
        const { x, y } = this.keys.publicKey.export({ format: "jwk" })
        const key = new Map<number, unknown>([
            ...([
                [1, 2],
                [3, -7],
                [-1, 1],
            ] as [number, number][]),
            [-2, new Uint8Array(Buffer.from(x!, "base64url"))],
            [-3, new Uint8Array(Buffer.from(y!, "base64url"))],
        ])
        const data = Buffer.concat([
            this.data(0x40),
            Buffer.alloc(16),
            Buffer.from([0, this.id.length]),
            this.id,
            encode(key),
        ])
        const attestation = encode({ fmt: "none", attStmt: {}, authData: new Uint8Array(data) })
        const clientData = this.clientData("webauthn.create", challenge)
        return this.shown({ clientDataJSON: text(clientData), attestationObject: text(attestation) })
    }

    answer(challenge: string): { response: Record<string, string> } {
        const clientData = this.clientData("webauthn.get", challenge)
        const data = this.data(0)
        const hash = createHash("sha256").update(clientData).digest()
        const signature = sign("sha256", Buffer.concat([data, hash]), this.keys.privateKey)
        return this.shown({
            ...{ clientDataJSON: text(clientData), authenticatorData: text(data), signature: text(signature) },
        }) as { response: Record<string, string> }
    }

    private shown(response: object): object {
        const id = text(this.id)
        return { id, rawId: id, type: "public-key", clientExtensionResults: {}, response }
    }

    private clientData(type: string, challenge: string): Buffer {
        return Buffer.from(JSON.stringify({ type, challenge, origin: this.origin, crossOrigin: false }))
    }

    /** Authenticator data (§6.1): RP ID, flags, counter. */
    private data(flags: number): Buffer {
        const counter = Buffer.alloc(4)
        counter.writeUInt32BE(this.counter)
        const present = 0x01 | (this.isVerified ? 0x04 : 0)
        return Buffer.concat([createHash("sha256").update(this.rpId).digest(), Buffer.from([flags | present]), counter])
    }
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64url")

async function begin(): Promise<{ challenge: string; cookie: string; json: Record<string, unknown> }> {
    const answer = await service.call("POST", "/api/sign-in/passkey/challenge", { headers: ownPage })
    assert.equal(answer.status, 200)
    return { challenge: answer.json.challenge as string, cookie: cookieOf(answer, "passkey"), json: answer.json }
}

const show = (passkey: object, cookie: string, headers: Record<string, string> = ownPage) =>
    service.call("POST", "/api/sign-in/passkey", { json: { passkey }, cookie, headers })
const codeOf = ({ status, json }: Answer) => [status, json?.type?.split(":").pop()] as unknown[]

async function register(user: string, device: Authenticator, change: (made: object) => object = made => made) {
    const session = await service.login(user, password)
    const asked = await service.call("POST", "/api/me/passkeys/challenge", {
        ...{ cookie: session, headers: ownPage, json: { password } },
    })
    assert.equal(asked.status, 200)
    const cookie = `${session}; ${cookieOf(asked, "passkey")}`
    const passkey = change(device.made(asked.json.challenge as string))
    const send = () =>
        service.call("POST", "/api/me/passkeys", { cookie, headers: ownPage, json: { name: "it", passkey } })
    return { answer: await send(), again: send, session, asked: asked.json as { user: { id: string } } }
}

async function registered(user: string): Promise<Authenticator> {
    const device = new Authenticator()
    assert.equal((await register(user, device)).answer.status, 201)
    return device
}

test("what is not answered by the very authenticator, here, now and once, is refused", async () => {
    const device = await registered("nora")
    const attempt = async (change: (device: Authenticator) => void = () => {}) => {
        const { challenge, cookie } = await begin()
        device.counter++
        const before = { ...device }
        change(device)
        const passkey = device.answer(challenge)
        Object.assign(device, before)
        return { passkey, cookie, answer: await show(passkey, cookie) }
    }
    const good = await attempt()
    assert.equal(good.answer.status, 204)
    const { json } = await service.call("GET", "/api/me", { cookie: cookieOf(good.answer, "session") })
    assert.deepEqual([json.user, json.way], ["nora", "passkey"])
    const refused = [401, "bad-passkey"]
    assert.deepEqual(codeOf(await show(good.passkey, good.cookie)), refused, "the same answer again")
    for (const change of [
        (device: Authenticator) => (device.origin = "https://localhost.evil.example"),
        (device: Authenticator) => (device.origin = "https://localhost:1"),
        (device: Authenticator) => (device.rpId = "evil.example"),
        (device: Authenticator) => (device.isVerified = false),
        (device: Authenticator) => (device.counter = 1),
    ])
        assert.deepEqual(codeOf((await attempt(change)).answer), refused, change.toString())
    const { challenge } = await begin()
    const other = await begin()
    device.counter++
    assert.deepEqual(codeOf(await show(device.answer(challenge), other.cookie)), refused, "of another challenge")
    assert.deepEqual(codeOf(await show(new Authenticator().answer(other.challenge), other.cookie)), refused, "unknown")
    const changed = device.answer(other.challenge)
    changed.response["signature"] = text(randomBytes(70))
    assert.deepEqual(codeOf(await show(changed, other.cookie)), refused, "another signature")
    const answer = device.answer(other.challenge)
    assert.deepEqual(codeOf(await show(answer, "none=")), [401, "sign-in-over"])
    assert.equal((await show(answer, other.cookie, { "sec-fetch-site": "cross-site" })).status, 403)
    assert.equal((await show({ ...answer, more: 1 }, other.cookie)).status, 400)
    clock.step(10 * 60_000)
    assert.deepEqual(codeOf(await show(answer, other.cookie)), [401, "sign-in-over"], "ten minutes later")
    assert.equal((await attempt()).answer.status, 204)
})

test("nobody learns who has passkeys: the challenge is the same for all, and an account that is off is like none", async () => {
    const { json } = await begin()
    assert.deepEqual(Object.keys(json).sort(), ["challenge", "rpId", "timeout", "userVerification"])
    const device = await registered("omar")
    const active = (active: boolean) =>
        service.call("PUT", "/api/users/omar/active", { token: service.doctor, json: { active } })
    const attempt = async () => {
        const { challenge, cookie } = await begin()
        device.counter++
        return codeOf(await show(device.answer(challenge), cookie))
    }
    await active(false)
    assert.deepEqual(await attempt(), [401, "bad-passkey"])
    await active(true)
    assert.deepEqual(await attempt(), [204, undefined])
    // Who has lost a device is helped by an administrator.
    await service.call("DELETE", "/api/users/omar/second-factor", { token: service.doctor })
    assert.deepEqual(await attempt(), [401, "bad-passkey"])
})

test("registering: with the password, for oneself, once, verified; nobody's passkey becomes another's", async () => {
    const session = await service.login("nora", password)
    const ask = (json: object) =>
        service.call("POST", "/api/me/passkeys/challenge", { cookie: session, headers: ownPage, json })
    assert.deepEqual(codeOf(await ask({ password: "wrong" })), [401, "bad-credentials"])
    assert.deepEqual(codeOf(await ask({})), [401, "bad-credentials"])
    const device = new Authenticator()
    const { answer, again, asked } = await register("nora", device)
    assert.equal(answer.status, 201)
    assert.match(asked.user.id, /^[\w-]{43}$/, "the handle says nothing about the account")
    assert.deepEqual(codeOf(await again()), [401, "bad-passkey"])
    assert.deepEqual(codeOf((await register("omar", device)).answer), [401, "bad-passkey"])
    const careless = new Authenticator()
    careless.isVerified = false
    assert.deepEqual(codeOf((await register("omar", careless)).answer), [401, "bad-passkey"])
    const elsewhere = new Authenticator()
    elsewhere.origin = "https://evil.example"
    assert.deepEqual(codeOf((await register("omar", elsewhere)).answer), [401, "bad-passkey"])
    // Nora's challenge is not Omar's.
    const noras = await ask({ password })
    const cookie = `${await service.login("omar", password)}; ${cookieOf(noras, "passkey")}`
    const json = { name: "it", passkey: new Authenticator().made(noras.json.challenge as string) }
    assert.deepEqual(codeOf(await service.call("POST", "/api/me/passkeys", { cookie, headers: ownPage, json })), [
        ...[401, "sign-in-over"],
    ])
    const { json: own } = await service.call("GET", "/api/me/passkeys", { cookie: session })
    for (const { id } of own as { id: number }[]) {
        const path = `/api/me/passkeys/${id}`
        const o = { cookie: await service.login("omar", password), headers: ownPage }
        assert.equal((await service.call("DELETE", path, o)).status, 404)
        assert.equal((await service.call("PUT", path, { ...o, json: { name: "mine" } })).status, 404)
    }
})

test("passkeys need a host name", () => {
    assert.deepEqual(relyingParty("https://clinic.example:8443/ward"), {
        ...{ origin: "https://clinic.example:8443", id: "clinic.example" },
    })
    for (const host of ["192.0.2.1", "[2001:db8::1]", "0x7f.1", "127.1"])
        assert.equal(relyingParty(`https://${host}:8443`), undefined, host)
})
