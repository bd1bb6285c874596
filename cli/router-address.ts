import { Resolver } from "node:dns/promises"
import { isIP } from "node:net"
import { UserError } from "../host/errors.ts"
import { boards } from "../devicescript/boards.ts"

const resolveMs = 2000
const advice = "docs/boards.md, “The router's address”, says how to get one"

/**
 * Checks whether the board can connect to the router's address. Prints warnings to stderr.
 * @param servers DNS servers to query, `address:port`; by default those of this machine
 * @throws UserError if it cannot connect
 */
export async function checkRouter(
    { board, router }: { board?: string; router?: string },
    servers?: string[],
): Promise<void> {
    if (router === undefined) return
    const { protocol, hostname } = new URL(router)
    if (isOwnMachine(hostname))
        throw new UserError(
            `--router: no board reaches ${hostname}, which is the board itself: give this machine's name or address in ` +
                "the board's network",
            2,
        )
    if (board === undefined) return
    const { hasTls, needsName } = boards[board]!
    if (["coaps+tcp:", "mqtts:"].includes(protocol) && !hasTls)
        throw new UserError(`--router: a ${board} has no TLS: coap+tcp:// or mqtt://`, 2)
    if (needsName && isAddress(hostname))
        throw new UserError(`--router: a ${board} cannot connect to an IP address, only to a name: ${advice}`, 2)
    if (needsName) await checkName(board, hostname, servers)
}

/** Tells whether a host name or address is that of whoever uses it, however it is written (`127.1`, `LOCALHOST.`). */
export function isOwnMachine(hostname: string): boolean {
    // A URL with a scheme of the web has its host in one form (WHATWG URL, "host parser").
    const url = `http://${hostname}`
    const host = URL.canParse(url) ? new URL(url).hostname.replace(/\.$/, "") : hostname
    return (
        /^(.*\.)?localhost$/.test(host) ||
        /^(127\.\d+|0\.0)\.\d+\.\d+$/.test(host) ||
        /^\[::(1|ffff:7f[0-9a-f]{2}:[0-9a-f]{1,4}|ffff:0:0)?\]$/.test(host)
    )
}

/** Tells whether lwIP treats the host as an IP address. It also does so if the last label of a name is a number. */
function isAddress(hostname: string): boolean {
    return isIP(hostname.replace(/^\[|\]$/g, "")) !== 0 || /(^|\.)(\d+|0x[0-9a-f]*)$/i.test(hostname)
}

/** Warns if the board cannot resolve the name, or cannot resolve it again. */
async function checkName(board: string, hostname: string, servers: string[] | undefined): Promise<void> {
    if (/(^|\.)local$/i.test(hostname))
        return console.error(`--router: a ${board} asks DNS for ${hostname}, never mDNS: ${advice}`)
    const resolver = new Resolver({ timeout: resolveMs, tries: 1 })
    if (servers) resolver.setServers(servers)
    try {
        const answers = await resolver.resolve4(hostname, { ttl: true })
        const ttl = Math.max(...answers.map(answer => answer.ttl))
        if (ttl > 0)
            console.error(
                `--router: ${hostname} has a TTL of ${ttl} s, and so long a ${board} cannot connect again after a ` +
                    `connection has ended; it needs a name with TTL 0: ${advice}`,
            )
    } catch {
        console.error(`--router: this machine's DNS does not know ${hostname}; that of the ${board}'s network has to`)
    }
}
