import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { Service } from "./service.ts"

let service: Service
before(async () => (service = await Service.start()))
after(() => service.close())

const password = "correct horse battery"

test("notes: who and when, the newest first, by time, kept after a discharge", async () => {
    const { patient } = await service.admit()
    const other = await service.admit("Ken", "Ito")
    const path = `/api/patients/${patient}/notes`
    await service.call("POST", "/api/users", {
        token: service.doctor,
        json: { user: "nora", role: "nurse", wards: "all", password },
    })
    const cookie = await service.login("nora", password)
    const first = await service.call("POST", path, { cookie, json: { text: " Slept badly,\nasked for water. " } })
    assert.equal(first.status, 201)
    const { json: note } = first
    assert.deepEqual([note.text, note.by, note.patient], ["Slept badly,\nasked for water.", "nora", patient])
    assert.ok(Math.abs(note.time - Date.now()) < 60_000)
    await service.call("POST", path, { token: service.doctor, json: { text: "Seen." } })
    const texts = async (query = "") => {
        const { json } = await service.get(path + query)
        return (json.notes as { text: string }[]).map(({ text }) => text)
    }
    assert.deepEqual(await texts(), ["Seen.", note.text])
    assert.deepEqual(await texts(`?before=${note.time}`), [])
    assert.equal((await texts(`?from=${note.time}&before=${note.time + 1}`)).includes(note.text), true)
    assert.deepEqual((await service.get(`/api/patients/${other.patient}/notes`)).json, { notes: [], isWhole: true })

    await service.call("DELETE", `/api/patients/${patient}`, { token: service.doctor })
    const late = await service.call("POST", path, { cookie, json: { text: "Too late." } })
    assert.deepEqual([late.status, late.json.type], [409, "urn:vitalmote:problem:not-on-the-ward"])
    assert.deepEqual(await texts(), ["Seen.", note.text])
})

test("notes: neither empty, nor endless, nor of whoever is not there; a patient neither reads nor writes them", async () => {
    const { patient } = await service.admit("Eva", "Novak")
    const path = `/api/patients/${patient}/notes`
    const add = async (json: unknown) => (await service.call("POST", path, { token: service.doctor, json })).status
    for (const text of ["", " \n ", "x".repeat(1001), "bell \u0007", "tab\t"]) assert.equal(await add({ text }), 400)
    assert.equal(await add({ text: "x", time: 1 }), 400, "no note is of another time than now")
    assert.equal(await add({ text: "ü".repeat(1000) }), 201)
    for (const method of ["GET", "POST"])
        assert.equal(
            (await service.call(method, "/api/patients/9999/notes", { token: service.doctor, json: { text: "x" } }))
                .status,
            404,
        )
    const json = { user: "eva", role: "patient", password, patient }
    await service.call("POST", "/api/users", { token: service.doctor, json })
    const cookie = await service.login("eva", password)
    assert.equal((await service.call("GET", path, { cookie })).status, 403)
    assert.equal((await service.call("POST", path, { cookie, json: { text: "x" } })).status, 403)
})
