import { routerPage, routerView, type RouterView } from "../mesh/page.ts"
import { ping } from "../mesh/ping.ts"
import { traceroute, type Hop } from "../mesh/traceroute.ts"
import { formatAddress } from "../net/ipv6.ts"
import type { Simulation } from "./simulation.ts"

/** Queries to a network after it has settled. */
export interface Questions {
    /** Node to ping. */
    ping?: number
    /** Number of echo requests for `ping`. */
    count?: number
    traceroute?: number
    neighbors?: boolean
    routes?: boolean
    /** The border router's page. */
    page?: boolean
}

export interface Answers {
    neighbors?: RouterView["neighbours"]
    routes?: RouterView["routes"]
    page?: string
    traceroute?: Hop[]
    ping?: {
        target: string
        sent: number
        replies: { sequence: number; from: string; hopLimit: number; bytes: number; rttMs: number }[]
    }
}

/** Queries wait this long after all motes have joined, because then they connect to the router. */
const calmS = 15
const defaultCount = 5

export function isAnyAsked({ ping, traceroute, neighbors, routes, page }: Questions): boolean {
    return ping !== undefined || traceroute !== undefined || !!(neighbors || routes || page)
}

/** Returns a condition: the network has been settled, and every mote has reported, for some time. */
export function settled(simulation: Simulation): () => boolean {
    let sinceS = Infinity
    return () => {
        sinceS = hasConverged(simulation) ? Math.min(sinceS, simulation.now()) : Infinity
        return simulation.now() - sinceS >= calmS
    }
}

/** Whether all motes with power have joined and reported, and the border router has a route to each. */
function hasConverged({ motes, root, clock, statistics }: Simulation): boolean {
    const { routes } = routerView(root, clock.now())
    const known = new Set(routes.map(({ target }) => target))
    return [...motes.values()].every(({ id, node }) => {
        const address = node?.ipv6.addresses[0]
        const isReachable = node?.rpl.parent && address && known.has(formatAddress(address))
        return !node || (isReachable && statistics.of(id).newest !== undefined)
    })
}

/** Answers the queries in simulated time. @param print called with each line of output */
export async function ask(
    simulation: Simulation,
    questions: Questions,
    print: (line: string) => void,
): Promise<{ answers: Answers; failures: string[] }> {
    const answers: Answers = {}
    const failures: string[] = []
    const { clock, host, root } = simulation
    const wait = (ms: number, until?: () => boolean) => clock.run(ms, until)
    const view = routerView(root, clock.now())
    if (questions.neighbors) {
        answers.neighbors = view.neighbours
        for (const { address, rank, etx } of view.neighbours) print(`${address} rank ${rank} etx ${etx.toFixed(2)}`)
    }
    if (questions.routes) {
        answers.routes = view.routes
        for (const { target, via, lifetimeS } of view.routes) print(`${target}/128 (via ${via}) ${lifetimeS}s`)
    }
    if (questions.page) {
        answers.page = routerPage(view)
        print(answers.page.trimEnd())
    }
    if (questions.traceroute !== undefined) {
        const target = simulation.addressOf(questions.traceroute)
        answers.traceroute = await traceroute({ events: clock, host, target, print, wait })
    }
    if (questions.ping !== undefined) {
        const target = simulation.addressOf(questions.ping)
        const { count = defaultCount } = questions
        const { sent, replies } = await ping({ events: clock, host, target, count, print, wait })
        answers.ping = {
            target: formatAddress(target),
            sent,
            replies: replies.map(reply => ({ ...reply, from: formatAddress(reply.from) })),
        }
        if (!replies.length) failures.push(`mote ${questions.ping} does not respond`)
    }
    return { answers, failures }
}
