import assert from "node:assert/strict"
import { test } from "node:test"
import { ManualClock } from "../../support/clock.ts"
import { Service } from "../service.ts"

test("sign-ins are in the record, with what was shown; refused ones once, and never what somebody typed as a name", async t => {
    const clock = new ManualClock(Date.now())
    const service = await Service.start(clock, { host: "localhost" })
    t.after(() => service.close())
    const { user, password } = service.credentials.doctor
    const login = (user: string, password: string) => service.call("POST", "/api/login", { json: { user, password } })
    assert.equal((await login(user, password)).status, 200)
    for (let i = 0; i < 3; i++) assert.equal((await login(user, "wrong")).status, 401)
    for (const typed of ["correct horse battery", "another secret"]) assert.equal((await login(typed, "x")).status, 401)
    const passkey = {
        ...{ id: "AAAA", rawId: "AAAA", type: "public-key", clientExtensionResults: {} },
        response: { clientDataJSON: "AAAA", authenticatorData: "AAAA", signature: "AAAA" },
    }
    const headers = { "sec-fetch-site": "same-origin" }
    assert.equal((await service.call("POST", "/api/sign-in/passkey", { json: { passkey }, headers })).status, 401)
    const events = async () => {
        const { json } = await service.call("GET", "/fhir/AuditEvent", { token: service.administrator })
        return (json.entry as { resource: Event }[]).map(({ resource }) => resource).filter(isSignIn)
    }
    interface Event {
        type: { code: string }
        outcome: string
        outcomeDesc?: string
        agent: { who: { display: string }; network?: { address: string } }[]
    }
    const isSignIn = ({ type }: Event) => type.code === "110114"
    const found = await events()
    assert.deepEqual(
        found.map(({ outcome, outcomeDesc, agent }) => [outcome, outcomeDesc, agent[0]!.who.display]).reverse(),
        [
            ["0", undefined, "doctor"],
            ["4", "bad-credentials", "doctor"],
            ["4", "bad-credentials", "unknown"],
            ["4", "sign-in-over", "unknown"],
        ],
    )
    assert.ok(found.every(({ agent }) => agent[0]!.network?.address !== undefined))
    assert.doesNotMatch(JSON.stringify(found), /horse|secret/)
    await clock.advance(10 * 60_000 + 1)
    assert.equal((await login(user, "wrong")).status, 401)
    assert.equal((await events()).length, 5)
})
