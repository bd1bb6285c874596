import { isIPv4, isIPv6 } from "node:net"
import type { Command } from "commander"
import { UserError } from "../host/errors.ts"
import type { RunningRouter, startRouter } from "../router/index.ts"
import { option, port } from "./options.ts"

/** The addresses on which a router serves clients, as opposed to motes. */
export interface ClientOptions {
    udp: boolean
    httpPort: number
    httpHost: string
    httpName: string[]
}

export function withClientOptions(command: Command): Command {
    return command
        .addOption(option("--no-udp", "do not serve CoAP over UDP on the CoAP port's number"))
        .addOption(option("--http-port <port>", "relay to the motes for HTTP clients").argParser(port).default(8480))
        .addOption(option("--http-host <name>", "address for HTTP clients on this machine").default("localhost"))
        .addOption(
            option("--http-name <name>", "another name by which HTTP clients know this machine; repeatable")
                .argParser<string[]>((name, before) => [...before, name])
                .default([]),
        )
}

/** Returns the arguments for `startRouter`. The HTTP port is optional unless the user has set it. */
export function clientAccess(
    options: ClientOptions,
    command: Command,
): Pick<Parameters<typeof startRouter>[0], "udp" | "http"> {
    if (!isLocal(options.httpHost))
        throw new UserError("--http-host: HTTP has no login, so it is for this machine only; see --page-host", 2)
    const isOptional = command.getOptionValueSource("httpPort") === "default"
    return {
        udp: options.udp,
        http: {
            ...{ port: options.httpPort, host: options.httpHost, names: options.httpName },
            isOptional,
        },
    }
}

function isLocal(host: string): boolean {
    return host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."))
}

/** Prints the addresses for clients to stderr. */
export function printClientHints(router: RunningRouter, host: string, { httpHost }: ClientOptions): void {
    const at = (scheme: string, name: string, port: number) =>
        `${scheme}://${isIPv6(name) ? `[${name}]` : name}:${port}`
    const urls = [
        ...(router.hasUdp ? [at("coap", host, router.coapPort)] : []),
        ...(router.httpPort === undefined ? [] : [at("http", httpHost, router.httpPort)]),
    ]
    if (urls.length > 0) console.error(`for clients of the motes: ${urls.join(" ")}`)
}
