import { fork, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { connect } from "node:net"
import { compiledFile } from "../host/compiled.mjs"
import { encode } from "../host/mqtt/encode.ts"
import { Frames } from "../host/mqtt/frames.ts"
import type { Version } from "../host/mqtt/packet.ts"
import { deriveKeys, eui, type RouterKeys } from "../wire/keys.ts"
import type { Row } from "./row.ts"

const kid = Buffer.from("0000000000000001", "hex")
export const benchEui = eui(kid)
export const benchKeys: RouterKeys = { ...deriveKeys(new Uint8Array(32).fill(1), kid), config: 0 }

const connections = 4
const inFlight = 32
const perConnection = 10_000
const rounds = 5
const payload = new Uint8Array(150)

/**
 * The CPU time of a QoS 1 PUBLISH and its PUBACK in the router's own broker and in aedes, on 4 connections with 32 messages
 * under way. Neither stores anything or has a subscriber. The brokers take turns.
 */
export async function bench(): Promise<Row[]> {
    const program = await compiledFile("bench/mqtt-server.ts")
    const kinds = ["own", "aedes"] as const
    const servers = await Promise.all(kinds.map(kind => start(program, kind)))
    const results = new Map<string, number[]>()
    for (let round = 0; round <= rounds; round++)
        for (const [i, kind] of kinds.entries())
            // aedes 1.2 closes a connection that begins with MQTT 5.
            for (const version of kind === "own" ? ([4, 5] as const) : ([4] as const)) {
                const { child, port } = servers[i]!
                const before = await cpu(child)
                await Promise.all(Array.from({ length: connections }, (_, n) => publish(port, version, n)))
                const us = ((await cpu(child)) - before) / (connections * perConnection)
                const name = `${kind === "own" ? "router's own broker" : "aedes"}, MQTT ${version === 5 ? "5" : "3.1.1"}`
                // The first round only warms up.
                if (round > 0) results.set(name, [...(results.get(name) ?? []), us])
            }
    for (const { child } of servers) child.disconnect()
    return [...results].map(([name, all]) => {
        const sorted = all.sort((a, b) => a - b)
        const [least, median, most] = [sorted[0]!, sorted[Math.floor(sorted.length / 2)]!, sorted.at(-1)!]
        const note = `median of ${rounds} rounds, ${least.toFixed(1)} to ${most.toFixed(1)}`
        return { what: `CPU per PUBLISH and PUBACK, ${name}`, value: median, unit: "µs", note }
    })
}

async function start(program: string, kind: string): Promise<{ child: ChildProcess; port: number }> {
    const child = fork(program, [kind], { stdio: "inherit" })
    const [port] = (await once(child, "message")) as [number]
    return { child, port }
}

async function cpu(child: ChildProcess): Promise<number> {
    child.send("cpu")
    const [us] = (await once(child, "message")) as [number]
    return us
}

function publish(port: number, version: Version, n: number): Promise<void> {
    return new Promise((resolve, reject) => {
        const password = Buffer.from(Buffer.from(benchKeys.mqtt).toString("hex"))
        const hello = {
            clientId: `bench-${process.hrtime.bigint()}-${n}`,
            clean: true,
            keepAlive: 60,
            user: benchEui,
            password,
        }
        const topic = `vm/${benchEui}/vitals`
        const messages = Array.from({ length: inFlight }, (_, i) =>
            encode({ kind: "publish", topic, payload, qos: 1, retain: false, dup: false, id: i + 1 }, version),
        )
        let acknowledged = 0
        const socket = connect(port, "127.0.0.1", () =>
            socket.write(encode({ kind: "connect", version, ...hello }, version)),
        )
        const frames = new Frames(8192)
        socket.once("error", reject)
        socket.on("data", bytes => {
            const next: Buffer[] = []
            frames.push(bytes, (first, body) => {
                if (first >> 4 === 2) next.push(...messages)
                else if (++acknowledged + inFlight <= perConnection) next.push(messages[body.readUInt16BE(0) - 1]!)
                return true
            })
            if (next.length > 0) socket.write(Buffer.concat(next))
            if (acknowledged < perConnection) return
            socket.destroy()
            resolve()
        })
    })
}
