import { fork, spawn, spawnSync, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { readFileSync, readdirSync, writeFileSync } from "node:fs"
import { connect, createServer, type AddressInfo } from "node:net"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { compiledFile } from "../../host/compiled.mjs"
import { coap, coapBytes, coapDatagrams, echo, mqtt, mqttOfMotes, type Protocol } from "./protocols.ts"

/** A server in a process of its own, and how to talk to it. */
export interface Peer extends Protocol {
    name: string
    port: number
    pid: number
    /** The process of a server from server.ts. */
    server?: ChildProcess
    close(): Promise<void>
}

/** What bench/router/server.ts sends first. */
export interface Ports {
    port?: number
    coapPort?: number
    mqttPort?: number
}

/** Starts bench/router/server.ts, and resolves to its process and ports. */
async function startServer(args: string[], execArgv: string[] = []): Promise<[ChildProcess, Ports]> {
    const server = fork(await compiledFile("bench/router/server.ts"), args, { execArgv })
    return [server, await answerOf<Ports>(server)]
}

/** The next message of a child process. Rejects if it ends. */
export function answerOf<T>(child: ChildProcess): Promise<T> {
    return new Promise((resolve, reject) => {
        const ended = (code: number | null) => reject(new Error(`the server ended with ${code}`))
        child.once("exit", ended)
        child.once("message", message => {
            child.off("exit", ended)
            resolve(message as T)
        })
    })
}

/** The router twice, over CoAP and over MQTT; then a plain echo, and the others that are installed. */
export async function startPeers(data: string): Promise<Peer[]> {
    const peers: Peer[] = []
    try {
        const [router, { coapPort, mqttPort }] = await startServer([join(data, "router")])
        const one = { pid: router.pid!, server: router }
        peers.push({ name: "router, CoAP over TCP", port: coapPort!, ...one, close: ended(router), ...coap() })
        peers.push({ name: "router, MQTT", port: mqttPort!, ...one, close: async () => {}, ...mqttOfMotes() })
        peers.push(await own("bare TCP echo", "echo", echo()))
        peers.push(await own("aedes, MQTT, in memory", "aedes", mqtt()))
        peers.push(await own("node-coap, CoAP over UDP", "node-coap", coapDatagrams()))
        if (installed("coap-server-notls")) peers.push(...(await libcoap()))
        if (installed("mosquitto"))
            for (const isPersistent of [false, true]) peers.push(await mosquitto(data, isPersistent))
        return peers
    } catch (error) {
        for (const peer of peers) await peer.close()
        throw error
    }
}

async function own(name: string, what: string, protocol: Protocol): Promise<Peer> {
    const [server, { port }] = await startServer([what])
    return { name, port: port!, pid: server.pid!, close: ended(server), ...protocol }
}

function ended(server: ChildProcess): () => Promise<void> {
    return async () => {
        server.disconnect()
        await once(server, "exit")
    }
}

/** A program's path, undefined if it is not installed. */
function installed(program: string): string | undefined {
    return [program, `/usr/sbin/${program}`].find(path => spawnSync(path, ["-h"]).error === undefined)
}

async function libcoap(): Promise<Peer[]> {
    const port = await freePort()
    const { pid, close } = await started("coap-server-notls", ["-A", "127.0.0.1", "-p", `${port}`, "-v", "2"], port)
    return [
        { name: "libcoap, CoAP over TCP", port, pid, close, ...coapBytes() },
        { name: "libcoap, CoAP over UDP", port, pid, close: async () => {}, ...coapDatagrams() },
    ]
}

async function mosquitto(data: string, isPersistent: boolean): Promise<Peer> {
    const port = await freePort()
    const file = join(data, `mosquitto-${port}.conf`)
    const lines = [`listener ${port} 127.0.0.1`, "allow_anonymous true", `persistence ${isPersistent}`, "log_type none"]
    if (isPersistent) lines.push(`persistence_location ${data}/`, "autosave_interval 1")
    writeFileSync(file, `${lines.join("\n")}\n`)
    const name = `mosquitto, MQTT, ${isPersistent ? "with" : "without"} persistence`
    return { name, port, ...(await started("mosquitto", ["-c", file], port)), ...mqtt() }
}

/** Starts an installed program, and waits until it accepts connections. */
async function started(program: string, args: string[], port: number): Promise<Pick<Peer, "pid" | "close">> {
    const child = spawn(installed(program)!, args, { stdio: "ignore" })
    const close = async () => {
        child.kill()
        if (child.exitCode === null && child.signalCode === null) await once(child, "exit")
    }
    for (let tries = 0; tries < 50 && !(await accepts(port)); tries++) await sleep(100)
    return { pid: child.pid!, close }
}

function accepts(port: number): Promise<boolean> {
    return new Promise(resolve => {
        const socket = connect(port, "127.0.0.1", () => resolve(true))
        socket.once("error", () => resolve(false)).once("connect", () => socket.destroy())
    })
}

async function freePort(): Promise<number> {
    const server = createServer().listen(0, "127.0.0.1")
    await once(server, "listening")
    const { port } = server.address() as AddressInfo
    server.close()
    return port
}

/** CPU time of a process with its threads so far, in µs; undefined where the system does not say. */
export function cpuUsOf(pid: number): number | undefined {
    try {
        const threads = readdirSync(`/proc/${pid}/task`)
        const ns = threads.map(thread =>
            Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]),
        )
        return ns.reduce((sum, each) => sum + each, 0) / 1000
    } catch {
        return undefined
    }
}
