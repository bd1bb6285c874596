import { eui } from "../../wire/keys.ts"
import { startLiveView } from "../web/server.ts"
import { openHostPorts } from "./host-ports.ts"
import { Runner } from "./runner.ts"
import type { Simulation } from "./simulation.ts"

export interface ServiceOptions {
    /** TCP ports; 0 takes a free one. Undefined: not served. */
    web?: number
    coapPort?: number
    httpPort?: number
    /** Speed as a multiple of real time. Default: 1. */
    speed?: number
    /** Seconds of simulated time after which it pauses. Default: never. */
    until?: number
}

/** A simulation that runs until it is closed, for browsers and for clients of its motes. */
export interface Service {
    /** URLs of the service, the page's first. */
    urls: string[]
    /** Path of each mote for clients: `/m/<eui>/…`. */
    motes: { id: number; path: string }[]
    /** Rejects if the simulation fails. */
    running: Promise<void>
    close(): Promise<void>
}

/** Serves a simulation to browsers, and its motes to clients, beyond the scenario's duration. @throws UserError */
export async function serveSimulation(simulation: Simulation, o: ServiceOptions): Promise<Service> {
    const { web, speed = 1, until = Infinity } = o
    const runner = new Runner(simulation, speed)
    const ports = await openHostPorts(simulation.ward, o)
    const { coapPort, httpPort } = ports
    const view =
        web === undefined
            ? undefined
            : await startLiveView(simulation, runner, web).catch(async (error: Error) => {
                  await ports.close()
                  throw error
              })
    const run = async () => {
        await runner.runTo(until)
        runner.pause()
        await runner.runTo(Infinity)
    }
    const running = run()
    let closed: Promise<void> | undefined
    const close = async () => {
        runner.stop()
        await running.catch(() => {})
        await view?.close()
        await ports.close()
    }
    const isServed = coapPort !== undefined || httpPort !== undefined
    return {
        urls: [
            ...(view ? [view.url] : []),
            ...(coapPort === undefined ? [] : [`coap+tcp://127.0.0.1:${coapPort}`]),
            ...(httpPort === undefined ? [] : [`http://127.0.0.1:${httpPort}`]),
        ],
        motes: isServed
            ? [...simulation.motes.values()].map(({ id, identity }) => ({ id, path: `/m/${eui(identity.kid)}` }))
            : [],
        running,
        close: () => (closed ??= close()),
    }
}
