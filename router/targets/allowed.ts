import { BlockList, isIP } from "node:net"
import { UserError } from "../../host/errors.ts"

const defaultPort = 5683
const maxEntries = 64

/** Networks that no wider network includes: loopback, this host, link-local, broadcast (RFC 6890, RFC 4291 §2.4). */
const special: [network: string, prefix: number][] = [
    ["0.0.0.0", 8],
    ["127.0.0.0", 8],
    ["169.254.0.0", 16],
    ["255.255.255.255", 32],
    ["::", 128],
    ["::1", 128],
    ["fe80::", 10],
]
/** One response comes from one address: nobody asks a group here. */
const groups = listOf([
    ["224.0.0.0", 4],
    ["ff00::", 8],
])
const specialNetworks = listOf(special)
/** Another way to write an IPv4 address (RFC 4291 §2.5.5.2), which nobody needs here. */
const mapped = listOf([["::ffff:0:0", 96]])

interface Entry {
    /** In lower case; undefined for addresses. */
    name: string | undefined
    networks: BlockList
    /** Of IP; undefined for a name. */
    version: number | undefined
    /** Whether it is about special addresses only. */
    isSpecial: boolean
    from: number
    to: number
}

/** Which CoAP servers are targets of the CoAP browser: names, addresses and networks, each with its ports. */
export class AllowedTargets {
    /** The list, for people. */
    readonly text: string
    private readonly entries: Entry[]

    /**
     * @param text `10.0.0.0/8,[fd00::]/8:5683-5690,sensor.ward.example:61616`: port 5683 where none is given
     * Throws UserError.
     */
    constructor(text: string) {
        this.text = text
        const parts = text.split(",").map(part => part.trim())
        if (parts.length > maxEntries) throw new UserError(`at most ${maxEntries} targets`)
        this.entries = parts.map(parseEntry)
    }

    /** Whether the list has a port of this name, so that it is worth resolving. A network may have the address of any name. */
    mayAsk(host: string, port: number): boolean {
        return this.at(port).some(({ name }) => name === undefined || name === host.toLowerCase())
    }

    /**
     * Whether an address is a target.
     * @param name what was resolved to it, if it was not given itself
     */
    has(address: string, port: number, name?: string): boolean {
        const version = isIP(address)
        const family = version === 6 ? "ipv6" : "ipv4"
        if (version === 0 || groups.check(address, family)) return false
        if (version === 6 && mapped.check(address, family)) return false
        const isSpecial = specialNetworks.check(address, family)
        return this.at(port).some(entry => {
            if (isSpecial && !entry.isSpecial) return false
            // A BlockList for IPv6 has IPv4 addresses as well, in their mapped form.
            if (entry.version !== undefined && entry.version !== version) return false
            if (entry.networks.check(address, family)) return true
            return !entry.isSpecial && entry.name !== undefined && entry.name === name?.toLowerCase()
        })
    }

    private at(port: number): Entry[] {
        return this.entries.filter(({ from, to }) => from <= port && port <= to)
    }
}

function parseEntry(text: string): Entry {
    const found = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]/]+))(?:\/(\d{1,3}))?(?::(\d{1,5})(?:-(\d{1,5}))?)?$/.exec(text)
    if (!found) throw bad(text)
    const [, v6, other = ""] = found
    const host = v6 ?? other
    const from = Number(found[4] ?? defaultPort)
    const to = Number(found[5] ?? from)
    if (from < 1 || to < from || to > 65535) throw bad(text)
    const version = isIP(host)
    if ((v6 !== undefined) !== (version === 6)) throw bad(text)
    if (version === 0) {
        if (found[3] !== undefined || !isName(host)) throw bad(text)
        const name = host.toLowerCase()
        // RFC 6761 §6.3: this name is for loopback addresses only.
        const isLoopback = name === "localhost"
        const own: [string, number][] = [
            ["127.0.0.1", 32],
            ["::1", 128],
        ]
        return { name, networks: listOf(isLoopback ? own : []), version: undefined, isSpecial: isLoopback, from, to }
    }
    const most = version === 6 ? 128 : 32
    const prefix = Number(found[3] ?? most)
    if (prefix > most) throw bad(text)
    if (groups.check(host, version === 6 ? "ipv6" : "ipv4"))
        throw new UserError(`${text} is a multicast group: only single servers can be targets`)
    const isSpecial = special.some(
        ([network, bits]) => prefix >= bits && listOf([[network, bits]]).check(host, version === 6 ? "ipv6" : "ipv4"),
    )
    return { name: undefined, networks: listOf([[host, prefix]]), version, isSpecial, from, to }
}

function bad(text: string): UserError {
    return new UserError(
        `"${text.slice(0, 80)}" is no target: give addresses, networks or names with their ports, such as 10.0.0.0/8:5683,[fd00::1],sensor.example:5683-5690`,
    )
}

/** RFC 1123 §2.1; what ends in a number is an address, however strange. */
function isName(text: string): boolean {
    return /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(text)
}

function listOf(networks: [string, number][]): BlockList {
    const list = new BlockList()
    for (const [network, prefix] of networks) list.addSubnet(network, prefix, isIP(network) === 6 ? "ipv6" : "ipv4")
    return list
}
