import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { may, permissions, scopeOf, type Action, type Role } from "../../clinic/people/permissions.ts"
import { ManualClock } from "../support/clock.ts"
import { alarmEvent } from "../support/mote.ts"
import { Service, type Answer } from "./service.ts"
import { delivery, measurement } from "./support.ts"

/** What every route needs, by its path and method: one that is not in here, nor in `rightOf`, fails the test. */
const rights: Record<string, Partial<Record<string, Action | "public">>> = {
    "/api/openapi.json": { get: "use-session" },
    "/api/login": { post: "public" },
    "/api/logout": { post: "use-session" },
    "/api/sign-in": { get: "public" },
    "/api/sign-in/passkey": { post: "public" },
    "/api/sign-in/passkey/challenge": { post: "public" },
    "/api/sign-in/code": { post: "public" },
    "/api/setup": { post: "public" },
    "/livez": { get: "public" },
    "/readyz": { get: "public" },
    "/healthz": { get: "public" },
    "/metrics": { get: "monitor" },
    "/api/me": { get: "use-session" },
    "/api/me/passkeys": { get: "use-session", post: "use-session" },
    "/api/me/passkeys/challenge": { post: "use-session" },
    "/api/me/passkeys/{id}": { put: "use-session", delete: "use-session" },
    "/api/me/passkey-factor": { put: "use-session" },
    "/api/me/password": { put: "use-session" },
    "/api/me/sessions": { get: "use-session", delete: "use-session" },
    "/api/me/sessions/{id}": { delete: "use-session" },
    "/api/me/second-factor": { post: "use-session", put: "use-session", delete: "use-session" },
    "/api/ward": { get: "watch" },
    "/api/ward/trends": { get: "watch" },
    "/api/live": { get: "watch" },
    "/api/patients": { get: "manage-patients", post: "manage-patients" },
    "/api/patients/{id}": { get: "read", put: "manage-patients", delete: "manage-patients" },
    "/api/patients/{id}/history": { get: "read" },
    "/api/patients/{id}/notes": { get: "note", post: "note" },
    "/api/patients/{id}/news2": { get: "read", post: "observe" },
    "/api/patients/{id}/news2/scale": { put: "choose-scale" },
    "/api/patients/{id}/news2/history": { get: "read" },
    "/api/patients/{id}/associations": { get: "read" },
    "/api/patients/{id}/alarms/replay": { post: "review-alarms" },
    "/api/patients/{id}/holds": { post: "manage-retention" },
    "/api/patients/{id}/holds/{hold}": { delete: "manage-retention" },
    "/api/patients/{id}/left": { get: "read" },
    "/api/retention": { get: "manage-retention", put: "manage-retention", delete: "manage-retention" },
    "/api/holds": { get: "manage-retention" },
    "/api/erasures": { get: "manage-retention", post: "manage-retention" },
    "/api/patients/{id}/erasure": { post: "ask-erasure", delete: "ask-erasure" },
    "/api/patients/{id}/erasure/confirmation": { post: "manage-retention" },
    "/api/break-glass": { get: "break-glass", post: "break-glass" },
    "/api/break-glass/{id}": { delete: "break-glass" },
    "/api/break-glass/openings": { get: "review-break-glass" },
    "/api/break-glass/openings/{id}/review": { put: "review-break-glass" },
    "/api/motes": { get: "manage-motes", post: "manage-motes" },
    "/api/motes/{kid}": { delete: "manage-motes" },
    "/api/motes/{kid}/rotate": { post: "manage-motes" },
    "/api/motes/{kid}/association": { put: "manage-motes", delete: "manage-motes" },
    "/api/motes/{kid}/associations": { get: "manage-motes" },
    "/api/motes/{kid}/unassigned": { get: "manage-motes" },
    "/api/motes/{kid}/config": { get: "read", put: "configure" },
    "/api/motes/{kid}/config/history": { get: "read" },
    "/api/motes/{kid}/commands": { post: "configure" },
    "/api/alarms": { get: "watch" },
    "/api/alarms/log": { get: "read" },
    "/api/alarms/statistics": { get: "review-alarms" },
    "/api/alarms/{id}": { put: "acknowledge" },
    "/api/alarms/{id}/history": { get: "read" },
    "/api/wards/{ward}/alarms": { get: "read-rules", put: "set-rules" },
    "/api/users": { get: "manage-users", post: "manage-users" },
    "/api/users/{user}": { delete: "manage-users" },
    "/api/users/{user}/wards": { put: "manage-users" },
    "/api/users/{user}/active": { put: "manage-users" },
    "/api/users/{user}/setup-link": { post: "manage-users" },
    "/api/users/{user}/second-factor": { delete: "manage-users" },
    "/api/users/{user}/tokens": { get: "manage-users", post: "manage-users" },
    "/api/users/{user}/tokens/{id}": { delete: "manage-users" },
    "/api/users/{user}/sessions": { get: "manage-users", delete: "manage-users" },
    "/api/routers": { get: "manage-users" },
    "/api/audit/chain": { get: "verify-audit" },
    "/api/backup": { post: "back-up" },
    "/api/backup/{id}": { put: "back-up", delete: "back-up" },
    "/ingest": { post: "deliver" },
    "/ingest/keys": { get: "deliver", post: "deliver" },
    "/fhir/metadata": { get: "public" },
    ...Object.fromEntries(
        (["AuditEvent", "SearchParameter"] as const).flatMap(type => {
            const right = type === "AuditEvent" ? "read-audit" : "use-session"
            const one = `/fhir/${type}/{id}`
            return [
                [`/fhir/${type}`, { get: right }],
                [`/fhir/${type}/_search`, { post: right }],
                ...[one, `${one}/_history/{version}`].map(path => [path, { get: right }]),
            ]
        }),
    ),
}

/** Every other resource of FHIR is about patients. */
function rightOf(path: string, method: string): Action | "public" | undefined {
    return rights[path]?.[method] ?? (/^\/fhir\/[A-Z]/.test(path) ? "read" : undefined)
}

interface Known {
    patient: string
    mote: string
    alarm: string
    ward: string
    observation: string
    use: string
}

const clock = new ManualClock(Date.now()) // certificates are judged by the real time
const nobody: Known = {
    ...{ patient: "999", mote: "00000000000000aa", alarm: "999", ward: "9 North", observation: "999", use: "999" },
}
/** What nobody but who may see the other ward is ever told. */
const secrets = ["Zzeast", "ZZ-4711", "zz-bed", "zz-note"]
let service: Service
let west: Known
let east: Known
const users: { role: Role; wards: string; token: string }[] = []

async function admit(family: string, ward: string, o: object = {}): Promise<Known> {
    const { patient, mote } = await service.admit("A", family)
    const token = service.doctor
    await service.call("PUT", `/api/patients/${patient}`, { token, json: { given: "A", family, ward, ...o } })
    const now = clock.now()
    await service.ingest([
        delivery(mote.seal([measurement("hr", 72, now - 1000)], now), now),
        delivery(mote.sealAlarms([alarmEvent("hr-high", true, now - 500, { value: 171 })], now), now, "alarm"),
    ])
    const found = async (path: string) => (await service.get(path)).json
    const [alarm] = await found(`/api/alarms?patient=${patient}`)
    const [observation] = (await found(`/fhir/Observation?patient=${patient}`)).entry
    const [use] = (await found(`/fhir/DeviceUseStatement?patient=${patient}`)).entry
    const ids = { observation: observation.resource.id as string, use: use.resource.id as string }
    return { patient: String(patient), mote: mote.eui, alarm: String(alarm.id), ward, ...ids }
}

before(async () => {
    service = await Service.start(clock)
    west = await admit("West", "3 West")
    east = await admit("Zzeast", "3 East", { identifier: "ZZ-4711", bed: "zz-bed" })
    const json = { text: "zz-note" }
    await service.call("POST", `/api/patients/${east.patient}/notes`, { token: service.doctor, json })
    const token = service.administrator
    const add = async (role: Role, o: object, wards = "3 West") => {
        const user = `${role} ${wards}`
        const made = await service.call("POST", "/api/users", { token, json: { user, role, ...o } })
        assert.equal(made.status, 201, user)
        const path = `/api/users/${encodeURIComponent(user)}/tokens`
        users.push({ role, wards, token: (await service.call("POST", path, { token, json: {} })).json.token })
    }
    for (const role of ["doctor", "nurse", "integrator"] as const) {
        await add(role, { wards: ["3 West"] })
    }
    await add("nurse", { wards: [] }, "no ward")
    await add("display", { wards: ["3 West"] })
    await add("patient", { patient: Number(west.patient) })
    await add("administrator", {})
    await add("router", { wards: ["3 West"] })
})
after(() => service.close())

/** The address of a route with what is known of somebody in it. */
function addressOf(path: string, of: Known): string {
    const id = path.startsWith("/api/alarms")
        ? of.alarm
        : path.startsWith("/fhir/Device/")
          ? of.mote
          : path.startsWith("/fhir/DeviceUse")
            ? of.use
            : path.startsWith("/fhir/Observation")
              ? of.observation
              : /\/patients\/|\/Patient\//.test(path)
                ? of.patient
                : "999"
    const filled = path
        .replace("{id}", id)
        .replace("{kid}", of.mote)
        .replace("{ward}", encodeURIComponent(of.ward))
        .replace("{user}", "nobody")
        .replace("{hold}", "999")
        .replace("{version}", "1")
    if (/\$(lastn|stats)$/.test(path)) return `${filled}?patient=${of.patient}&code=8867-4`
    const now = clock.now()
    const steps = { from: now - 60_000, before: now + 1000, step: 5, steps: 10 }
    const { parameters = [] } =
        (service.description.document.paths[path]?.get as unknown as {
            parameters?: { in: string; name: string; required?: boolean }[]
        }) ?? {}
    const asked = parameters.filter(parameter => parameter.in === "query" && parameter.required)
    const query = asked.map(({ name }) => `${name}=${steps[name as keyof typeof steps]}`)
    return query.length > 0 ? `${filled}?${query.join("&")}` : filled
}

/** Whose data a route is about is in its address. */
const isAboutOne = (path: string) =>
    /\/(patients|motes|alarms|Patient|Device|DeviceUseStatement|Observation)\/\{/.test(path)

const bodies: Record<string, unknown> = {
    "post /api/patients/{id}/notes": { text: "x" },
    "post /api/patients/{id}/news2": { respiration: 12 },
    "put /api/patients/{id}/news2/scale": { scale: 2 },
    "put /api/patients/{id}": { given: "A", family: "X" },
    "put /api/alarms/{id}": { acknowledged: true },
    "post /api/motes/{kid}/commands": { command: "identify" },
}

async function ask(token: string | undefined, method: string, path: string, of: Known): Promise<Answer> {
    const json = bodies[`${method} ${path}`]
    const o = { isUnchecked: true, ...(token !== undefined && { token }), ...(json !== undefined && { json }) }
    return await service.call(method.toUpperCase(), addressOf(path, of), o)
}

/** Of a problem, or of an OperationOutcome. */
const codeOf = (bytes: Buffer) => /forbidden/.exec(bytes.toString())?.[0] ?? bytes.toString().slice(0, 300)

test("every route says which right it needs, and nobody gets in without any", async () => {
    const routes = Object.entries(service.description.document.paths).flatMap(([path, operations]) =>
        Object.keys(operations).map(method => ({ path, method })),
    )
    assert.ok(routes.length > 100)
    for (const { path, method } of routes) {
        const right = rightOf(path, method)
        assert.ok(right !== undefined, `${method} ${path}: test/clinic/walk.test.ts does not say who may`)
        assert.ok(right === "public" || right in permissions)
        if (right !== "public")
            assert.equal((await ask(undefined, method, path, west)).status, 401, `${method} ${path}`)
    }
})

test("no role gets more by any route than its rights, of its own ward, of another, or with no ward at all", async () => {
    let asked = 0
    for (const [path, operations] of Object.entries(service.description.document.paths))
        for (const method of Object.keys(operations)) {
            const right = rightOf(path, method)
            if (right === undefined || right === "public") continue
            for (const { role, wards, token } of users) {
                const what = `${role}, ${wards}: ${method} ${path}`
                const user = { role, patient: null }
                if (!may(user, right)) {
                    if (wards === "no ward") continue
                    const { status, bytes } = await ask(token, method, path, east)
                    assert.equal(`${status} ${codeOf(bytes)}`, "403 forbidden", what)
                    asked++
                    continue
                }
                // A stream does not end; what changes nobody in particular is for the tests of each route.
                const isLimited = scopeOf(user, right) !== "all"
                if (path === "/api/live" || (method !== "get" && !(isLimited && isAboutOne(path)))) continue
                const other = await ask(token, method, path, east)
                const text = other.bytes.toString()
                asked++
                for (const secret of [...secrets, ...(isLimited ? [east.mote] : [])])
                    assert.ok(!text.includes(secret), `${what}: tells ${secret}`)
                if (!isLimited || !isAboutOne(path)) continue
                assert.ok(other.status >= 400, `${what}: ${other.status}`)
                const missing = await ask(token, method, path, nobody)
                assert.equal(other.status, missing.status, `${what}: tells who is there`)
                if (method !== "get" || path.includes("{version}")) continue
                const own = await ask(token, method, path, west)
                const sees = wards !== "no ward"
                assert.equal(own.status === 200, sees, `${what}: ${own.status} ${codeOf(own.bytes)}`)
            }
        }
    assert.ok(asked > 500, String(asked))
    // Nothing of it has changed anybody.
    assert.equal((await service.get(`/api/patients/${east.patient}`)).json.family, "Zzeast")
    assert.equal((await service.get(`/api/patients/${west.patient}`)).json.family, "West")
})
