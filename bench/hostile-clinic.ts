import { fork, type ChildProcess } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { Agent, request } from "undici"
import { compiledFile } from "../host/compiled.mjs"
import type { Row } from "./row.ts"

/** What an attacker has to know of a clinic. */
export interface Target {
    url: string
    caFile: string
    doctor: { user: string; password: string }
    routerToken: string
    patientToken: string
    patient: number
    /** When the patient's readings begin and end, Unix time in milliseconds. */
    from: number
    before: number
}

/** Descriptions of the attacks by their names in bench/hostile-clinic-flood.ts. */
const floods = {
    idle: "TLS connections to the clinic that say nothing, up to 5,000",
    garbage: "250 KB of numbers at /ingest with a router's token, 8 at a time",
    charts: "20 charts of 300,000 readings at a time, with a patient's token",
    logins: "wrong passwords, 8 at a time",
}
const settleMs = 6_000
const measureMs = 5_000
const everyMs = 50

/**
 * Time in ms that somebody on the ward waits for `/api/ward` during an attack on the clinic's port, compared with the same
 * time without one, and whether a login still works.
 */
export async function bench(): Promise<Row[]> {
    const data = mkdtempSync(join(tmpdir(), "vitalmote-hostile-"))
    const server = await start("clinic-server.ts", data)
    try {
        const target = await answer<Target>(server)
        const rows: Row[] = []
        for (const kind of [undefined, ...Object.keys(floods)] as (keyof typeof floods | undefined)[])
            rows.push(await measure(kind, server, target))
        return rows
    } finally {
        server.kill("SIGKILL")
        rmSync(data, { recursive: true, force: true })
    }
}

async function measure(kind: keyof typeof floods | undefined, server: ChildProcess, target: Target): Promise<Row> {
    const dispatcher = new Agent({ connect: { ca: readFileSync(target.caFile) } })
    const { user, password } = target.doctor
    const login = async () => {
        const body = JSON.stringify({ user, password })
        const headers = { "content-type": "application/json" }
        const response = await request(`${target.url}/api/login`, { method: "POST", dispatcher, headers, body })
        await response.body.dump()
        return { status: response.statusCode, cookie: String(response.headers["set-cookie"]).split(";")[0]! }
    }
    const { cookie } = await login()
    const attacker = kind && (await start("hostile-clinic-flood.ts", kind, JSON.stringify(target)))
    let count = 0
    attacker?.on("message", done => (count = done as number))
    try {
        await sleep(attacker ? settleMs : everyMs)
        server.send("usage")
        await answer(server)
        const waits: number[] = []
        const until = performance.now() + measureMs
        while (performance.now() < until) {
            const began = performance.now()
            const response = await request(`${target.url}/api/ward`, { dispatcher, headers: { cookie } })
            await response.body.dump()
            waits.push(response.statusCode === 200 ? performance.now() - began : Infinity)
            await sleep(everyMs)
        }
        server.send("usage")
        const { longestMs, rss } = await answer<{ longestMs: number; rss: number }>(server)
        // A new connection, as of somebody who opens the page now.
        const began = performance.now()
        const { status } = await login()
        const loginMs = status === 200 ? `${Math.round(performance.now() - began)} ms` : `refused with ${status}`
        waits.sort((a, b) => a - b)
        const at = (share: number) => waits[Math.min(waits.length - 1, Math.floor(waits.length * share))]!
        const usage = `blocked for ${Math.round(longestMs)} ms at most, ${Math.round(rss / 2 ** 20)} MiB`
        return {
            what: kind ? floods[kind] : "clinic, no attack",
            value: at(0.5),
            unit: "ms",
            note: `95 %: ${at(0.95).toFixed(1)} ms, a login: ${loginMs}, ${usage}${kind ? `, ${count} by the attacker` : ""}`,
        }
    } finally {
        attacker?.kill("SIGKILL")
        await dispatcher.destroy()
    }
}

async function start(script: string, ...args: string[]): Promise<ChildProcess> {
    return fork(await compiledFile(`bench/${script}`), args)
}

function answer<T>(child: ChildProcess): Promise<T> {
    return new Promise((resolve, reject) => {
        const ended = (code: number | null) => reject(new Error(`the clinic ended with ${code}`))
        child.once("exit", ended)
        child.once("message", message => {
            child.off("exit", ended)
            resolve(message as T)
        })
    })
}
