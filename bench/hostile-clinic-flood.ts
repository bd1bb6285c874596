/*
 * An attacker in its own process, for bench/hostile-clinic.ts: `hostile-clinic-flood.ts KIND TARGET`. It runs until it is
 * killed and reports its count once a second.
 */
import { readFileSync } from "node:fs"
import { request } from "node:https"
import { connect as connectTcp } from "node:net"
import { connect, createSecureContext } from "node:tls"
import type { Target } from "./hostile-clinic.ts"

const kind = process.argv[2] as keyof typeof floods
const target = JSON.parse(process.argv[3]!) as Target
const ca = readFileSync(target.caFile)
const { hostname: host, port } = new URL(target.url)
/** Linux accepts all of 127/8, so the attacker's address differs from that of the nurse. */
const localAddress = process.platform === "linux" ? "127.0.0.2" : "127.0.0.1"
let done = 0
setInterval(() => process.send?.(done), 1000)

/** Keeps `count` requests under way. */
function keep(
    count: number,
    o: { method: string; path: string; headers?: Record<string, string>; body?: Buffer },
): void {
    const again = () => {
        const asked = request({
            host,
            port,
            ca,
            localAddress,
            method: o.method,
            path: o.path,
            headers: o.headers ?? {},
        })
        asked.on("response", response => response.resume())
        asked.on("error", () => {})
        asked.on("close", () => {
            done++
            setTimeout(again, 1)
        })
        asked.end(o.body)
    }
    for (let i = 0; i < count; i++) again()
}

const floods = {
    idle: () => {
        // Made once: it costs more than the rest of a connection.
        const secureContext = createSecureContext({ ca })
        const open = () => {
            const raw = connectTcp({ host, port: Number(port), localAddress })
            raw.on("connect", () => done++)
            raw.on("error", () => raw.destroy())
            const socket = connect({ socket: raw, secureContext })
            socket.on("error", () => socket.destroy())
            socket.on("close", () => setTimeout(open, 100))
            socket.resume()
        }
        for (let i = 0; i < 5000; i++) setTimeout(open, i)
    },
    garbage: () => {
        // An array of 250,000 numbers: well-formed, and no batch.
        const garbage = Buffer.alloc(250_000)
        garbage[0] = 0x9a
        garbage.writeUInt32BE(garbage.length - 5, 1)
        const headers = { authorization: `Bearer ${target.routerToken}`, "content-type": "application/cbor" }
        keep(8, { method: "POST", path: "/ingest", headers, body: garbage })
    },
    charts: () => {
        const path = `/api/patients/${target.patient}/history?from=${target.from}&before=${target.before}&step=3600`
        keep(20, { method: "GET", path, headers: { authorization: `Bearer ${target.patientToken}` } })
    },
    logins: () => {
        const body = Buffer.from(JSON.stringify({ user: "doctor", password: "not the password" }))
        keep(8, { method: "POST", path: "/api/login", headers: { "content-type": "application/json" }, body })
    },
}
floods[kind]()
