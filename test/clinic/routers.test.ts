import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { encodeBatch, routerHeader } from "../../wire/batch.ts"
import { Service } from "./service.ts"

let service: Service
before(async () => (service = await Service.start()))
after(() => service.close())

test("routers: who there is, of which wards, and how each is heard; not for nurses", async () => {
    const add = (json: object) => service.call("POST", "/api/users", { token: service.doctor, json })
    await add({ user: "east", role: "router", wards: ["3 East"], prefetch: true })
    await add({ user: "nora", role: "nurse", wards: "all", password: "correct horse battery" })
    const headers = { "content-type": "application/cbor", [routerHeader.sentAt]: String(Date.now() + 600_000) }
    await service.call("POST", "/ingest", { token: service.router, body: encodeBatch([]), headers })
    const { json } = await service.get("/api/routers")
    const [router, east] = json
    assert.deepEqual(
        [router.user, router.wards, router.prefetch, router.motes, router.storeLostAt],
        ["router", null, false, 0, null],
    )
    assert.ok(Math.abs(router.heardAt - Date.now()) < 60_000)
    assert.ok(router.silentMs < 60_000)
    assert.ok(Math.abs(router.clockOffsetMs + 600_000) < 60_000, "what is added to its times")
    assert.deepEqual([east.user, east.wards, east.prefetch, east.heardAt], ["east", ["3 East"], true, null])
    assert.equal(json.length, 2)
    const cookie = await service.login("nora", "correct horse battery")
    assert.equal((await service.call("GET", "/api/routers", { cookie })).status, 403)
})
