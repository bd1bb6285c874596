import { BlockList, isIP } from "node:net"
import { UserError } from "../../host/errors.ts"

/** How clients reach the clinic where a proxy stands before it. */
export interface ProxyOptions {
    /**
     * What browsers have in their address bar, `https://HOST[:PORT][/PATH]`; needed where a proxy changes `Host` and does not say so, or
     * shows the clinic under a path.
     */
    baseUrl?: string
    /** Addresses or networks (`10.0.0.0/8`) whose `X-Forwarded-For`, `-Host` and `-Proto` are believed. */
    trustedProxies?: readonly string[]
}

/** Whether an address is one of the proxies. @throws UserError for what is no address or network */
export function proxyCheck(networks: readonly string[] = []): (address: string) => boolean {
    const list = new BlockList()
    for (const network of networks) {
        const [, address = "", bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(network) ?? []
        const version = isIP(address)
        const most = version === 4 ? 32 : 128
        if (version === 0 || Number(bits ?? most) > most)
            throw new UserError(`trusted proxy ${JSON.stringify(network)} is no address or network, such as 10.0.0.0/8`)
        list.addSubnet(address, Number(bits ?? most), version === 4 ? "ipv4" : "ipv6")
    }
    return address => {
        const [, mapped] = /^::ffff:([\d.]+)$/i.exec(address) ?? []
        const plain = mapped ?? address
        const version = isIP(plain)
        return version > 0 && list.check(plain, version === 4 ? "ipv4" : "ipv6")
    }
}

/** Where browsers see the clinic. */
export interface PublicAddress {
    /** `https://HOST[:PORT]` as browsers write it in `Origin`. */
    origin: string
    /** What comes before each of the clinic's own paths: empty, or such as `/ward`. */
    path: string
}

/** Takes `https://HOST[:PORT][/PATH]` apart. @throws UserError for anything else */
export function publicAddress(baseUrl: string): PublicAddress {
    const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined
    const path = url?.pathname.replace(/\/$/, "") ?? ""
    const isPlain = url && /^(\/[\w.~-]+)*$/.test(path) && !url.search && !url.hash && !url.username && !url.password
    if (url?.protocol !== "https:" || !isPlain)
        throw new UserError(`base URL ${JSON.stringify(baseUrl)} is not of the form https://HOST[:PORT][/PATH]`)
    return { origin: url.origin, path }
}

/** The path without the one under which a proxy shows the clinic, where the proxy has not taken that off. */
export function withoutPrefix(path: string, prefix: string): string {
    return prefix !== "" && path.startsWith(`${prefix}/`) ? path.slice(prefix.length) : path
}
