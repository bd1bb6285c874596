import { isIPv4, isIPv6 } from "node:net"
import { hostname } from "node:os"
import { join } from "node:path"
import { Command, InvalidArgumentError } from "commander"
import { readCertificate } from "../../host/certificate.ts"
import { complaints } from "../../host/check.ts"
import { isWildcard } from "../../host/server-certificate.ts"
import { UserError } from "../../host/errors.ts"
import { brokerAccess, type MqttBrokerAccess } from "../../host/mqtt/access.ts"
import {
    AllowedTargets,
    lanAddresses,
    startRouter,
    type DnsAccess,
    type PageAccess,
    type TlsAccess,
} from "../../router/index.ts"
import { report } from "../check/faults.ts"
import { checkRouterConfiguration } from "../check/router.ts"
import { checkOption, httpsUrl, integer, logLevelOption, option, port, withConfigFile } from "../options.ts"
import { runUntilStopped, stderrLog } from "../service.ts"
import { deadLettersCommand } from "./dead-letters.ts"
import { routerConsumersCommand } from "./router-consumers.ts"
import { routerUsersCommand } from "./router-users.ts"
import { clinicsOf, linkOf, type ClinicOptions } from "../clinic-links.ts"
import { clientAccess, printClientHints, withClientOptions, type ClientOptions } from "../clients.ts"

interface Options extends ClientOptions, ClinicOptions {
    data: string
    host: string
    coapPort: number
    mqttPort: number
    mqttBroker?: MqttBrokerAccess
    mqttShare?: string
    tlsCert?: string
    tlsKey?: string
    coapsPort: number
    mqttsPort: number
    dns?: string
    dnsAddress?: string
    dnsPort: number
    maxOutbox: number
    maxDeadLetters: number
    allowTargets?: AllowedTargets
    borderRouter?: { host: string; port: number }
    pageHost?: string
    pagePort: number
    metricsPort?: number
    metricsHost: string
    retryRefused?: boolean
    check?: boolean
    logLevel: string
}

export const routerCommand = withConfigFile(
    withClientOptions(new Command("router"))
        .description("run a border router: receive sealed readings over CoAP and MQTT, deliver them to the clinic")
        .addOption(
            option("--clinic <url>", "the clinic's address").default("https://localhost:8443").argParser(httpsUrl),
        )
        .addOption(option("--ca <file>", "certificate authority of the clinic, PEM"))
        .addOption(
            option("--client-cert <file>", "this router's certificate and chain, PEM, for a clinic with --router-ca"),
        )
        .addOption(option("--client-key <file>", "its private key, PEM, if --client-cert does not contain it"))
        .addOption(option("--token <token>", "the router's token; better given as VITALMOTE_TOKEN"))
        .addOption(
            option("--clinics <file>", "several clinics instead: JSON with url, ca, token and motes of each, by name"),
        )
        .addOption(option("--data <dir>", "data folder").default(".vitalmote"))
        .addOption(option("--host <name>", "address to listen on").default("localhost"))
        .addOption(option("--coap-port <port>", "CoAP over TCP port").argParser(port).default(5683))
        .addOption(option("--mqtt-port <port>", "MQTT port").argParser(port).default(1883))
        .addOption(
            option(
                "--mqtt-broker <url>",
                "use this MQTT broker instead of the built-in one: mqtt://user:password@host:port or mqtts://…; better given as VITALMOTE_MQTT_BROKER",
            ).argParser(brokerUrl),
        )
        .addOption(
            option(
                "--mqtt-share <group>",
                "share the motes of that broker with the other routers that name the same group",
            ).argParser(shareGroup),
        )
        .addOption(option("--tls-cert <file>", "also serve motes over TLS: certificate and chain, PEM"))
        .addOption(option("--tls-key <file>", "private key, PEM, if --tls-cert does not contain it"))
        .addOption(option("--coaps-port <port>", "CoAP over TLS port").argParser(port).default(5684))
        .addOption(option("--mqtts-port <port>", "MQTT over TLS port").argParser(port).default(8883))
        .addOption(
            option(
                "--dns <name>",
                "answer DNS queries for this name of the router, with TTL 0 as a Pico W needs it",
            ).argParser(dnsName),
        )
        .addOption(
            option(
                "--dns-address <ip>",
                "address to answer with (default: --host, or this machine's only address)",
            ).argParser(ipv4),
        )
        .addOption(option("--dns-port <port>", "DNS port, UDP").argParser(port).default(53))
        .addOption(
            option("--max-outbox <mib>", "space for envelopes that the clinic does not have yet")
                .argParser(integer(1, 2 ** 20))
                .default(1024),
        )
        .addOption(
            option(
                "--max-dead-letters <mib>",
                "space for envelopes that the clinic refused; beyond it the oldest are dropped",
            )
                .argParser(integer(1, 2 ** 20))
                .default(64),
        )
        .addOption(
            option(
                "--border-router <url>",
                "6LoWPAN border router whose neighbours and routes the page shows: coap+tcp://host:port, asked for /rpl",
            ).argParser(coapTcpUrl),
        )
        .addOption(
            option(
                "--allow-targets <list>",
                "CoAP servers other than motes that the page may ask: addresses, networks and names with their ports, such as 10.0.0.0/8:5683,[fd00::]/8,sensor.example:5683-5690",
            ).argParser(allowedTargets),
        )
        .addOption(
            option(
                "--page-host <name>",
                "also serve the page over HTTPS, with login, at this address: 0.0.0.0 for every device on the network",
            ),
        )
        .addOption(option("--page-port <port>", "port of that").argParser(port).default(8481))
        .addOption(
            option("--metrics-port <port>", "serve metrics and health on a port of their own, too").argParser(port),
        )
        .addOption(option("--metrics-host <name>", "address of that port").default("localhost"))
        .addOption(option("--retry-refused", "deliver the dead letters to the clinic once more"))
        .addOption(checkOption())
        .addOption(logLevelOption("info"))
        .enablePositionalOptions()
        .addCommand(deadLettersCommand)
        .addCommand(routerUsersCommand)
        .addCommand(routerConsumersCommand),
).action(async (options: Options, command: Command) => {
    if (options.check) return await check(options, command)
    requireBroker(options)
    const clinics = clinicsOf(options, command)
    const router = await startRouter({
        data: join(options.data, "router"),
        host: options.host,
        coapPort: options.coapPort,
        ...clientAccess(options, command),
        ...(options.mqttBroker
            ? { mqttBroker: options.mqttBroker, mqttShare: options.mqttShare }
            : { mqttPort: options.mqttPort }),
        ...(options.tlsCert && { tls: tlsAccess(options, options.tlsCert) }),
        ...(options.borderRouter && { borderRouter: options.borderRouter }),
        ...(options.allowTargets && { targets: options.allowTargets }),
        ...(options.pageHost !== undefined && { page: pageAccess(options, options.pageHost) }),
        ...(options.metricsPort !== undefined && {
            metrics: { host: options.metricsHost, port: options.metricsPort },
        }),
        ...(options.dns && { dns: dnsAccess(options, options.dns) }),
        clinic: clinics.map(linkOf),
        maxOutboxBytes: options.maxOutbox * 2 ** 20,
        maxDeadLetterBytes: options.maxDeadLetters * 2 ** 20,
        retryRefused: options.retryRefused ?? false,
        log: stderrLog(options.logLevel),
    })
    const host = inUrl(options.host)
    const mqtt = options.mqttBroker?.url ?? `mqtt://${host}:${router.mqttPort}`
    printClientHints(router, options.host, options)
    const urls = [`coap+tcp://${host}:${router.coapPort}`, mqtt]
    if (router.coapsPort !== undefined) urls.push(`coaps+tcp://${host}:${router.coapsPort}`)
    if (router.mqttsPort !== undefined) urls.push(`mqtts://${host}:${router.mqttsPort}`)
    if (router.pagePort !== undefined) urls.push(`https://${inUrl(pageName(options.pageHost!))}:${router.pagePort}`)
    if (router.metricsPort !== undefined) urls.push(`http://${options.metricsHost}:${router.metricsPort}/metrics`)
    if (router.dnsPort !== undefined) urls.push(`dns:${options.dns}`)
    await runUntilStopped(() => router.close(), `ready ${urls.join(" ")}`)
})

async function check(options: Options, command: Command): Promise<void> {
    requireBroker(options)
    const { host, tlsCert, tlsKey } = options
    const { isOptional } = clientAccess(options, command).http!
    const ports = [
        { flag: "--coap-port", host, port: options.coapPort },
        ...(options.mqttBroker ? [] : [{ flag: "--mqtt-port", host, port: options.mqttPort }]),
        ...(tlsCert === undefined ? [] : [{ flag: "--coaps-port", host, port: options.coapsPort }]),
        ...(tlsCert === undefined || options.mqttBroker
            ? []
            : [{ flag: "--mqtts-port", host, port: options.mqttsPort }]),
        ...(isOptional ? [] : [{ flag: "--http-port", host: options.httpHost, port: options.httpPort }]),
        ...(options.pageHost === undefined
            ? []
            : [{ flag: "--page-port", host: options.pageHost, port: options.pagePort }]),
        ...(options.metricsPort === undefined
            ? []
            : [{ flag: "--metrics-port", host: options.metricsHost, port: options.metricsPort }]),
    ]
    const { faults, notes } = await checkRouterConfiguration({
        ...{ data: options.data, ports, page: `http://${inUrl(options.httpHost)}:${options.httpPort}` },
        ...(tlsCert !== undefined && { certificate: { cert: tlsCert, key: tlsKey ?? tlsCert } }),
        clinics: clinicsOf(options, command),
    })
    const dns = options.dns
    report([...faults, ...(dns === undefined ? [] : await complaints(() => dnsAccess(options, dns)))], notes)
}

function requireBroker({ mqttShare, mqttBroker }: Options): void {
    if (mqttShare && !mqttBroker)
        throw new UserError("--mqtt-share is for an existing broker: give --mqtt-broker, too", 2)
}

function inUrl(host: string): string {
    return isIPv6(host) ? `[${host}]` : host
}

function pageAccess({ pagePort, httpName, tlsCert, tlsKey }: Options, host: string): PageAccess {
    const names = isWildcard(host) ? [...lanAddresses(), ...httpName] : httpName
    const certificate = tlsCert === undefined ? undefined : { cert: tlsCert, key: tlsKey ?? tlsCert }
    return { host, port: pagePort, names, ...(certificate && { certificate }) }
}

/** How the page's own machine calls itself to others. */
function pageName(host: string): string {
    return isWildcard(host) ? hostname() : host
}

function tlsAccess({ tlsKey, coapsPort, mqttsPort }: Options, tlsCert: string): TlsAccess {
    const read = () => readCertificate({ cert: tlsCert, key: tlsKey ?? tlsCert })
    return { ...read(), coapsPort, mqttsPort, read }
}

function dnsAccess({ host, dnsAddress, dnsPort }: Options, name: string): DnsAccess {
    if (dnsAddress) return { name, address: dnsAddress, port: dnsPort }
    const addresses = isIPv4(host) && host !== "0.0.0.0" ? [host] : lanAddresses()
    if (addresses.length === 1) return { name, address: addresses[0]!, port: dnsPort }
    const choice = addresses.length ? `one of ${addresses.join(", ")}` : "this machine has no network address"
    throw new UserError(`--dns-address is needed: ${choice}`, 2)
}

/**
 * Checks a host name, RFC 1123 §2.1. One that ends in a number is an address, and .local belongs to mDNS (RFC 6762 §3).
 */
function dnsName(text: string): string {
    const isName = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(
        text,
    )
    if (!isName || /(^|\.)\d+$/.test(text)) throw new InvalidArgumentError("Expected a name, such as router.internal.")
    if (/(^|\.)local$/i.test(text))
        throw new InvalidArgumentError(
            "A name in .local is resolved by mDNS, not by DNS: use one such as router.internal.",
        )
    return text
}

function ipv4(text: string): string {
    if (!isIPv4(text)) throw new InvalidArgumentError("Expected an IPv4 address.")
    return text
}

/** Checks the name of a group of routers, MQTT 5 §4.8.2. */
function shareGroup(text: string): string {
    if (!/^[\w-]{1,64}$/.test(text)) throw new InvalidArgumentError("Expected letters, digits, - and _.")
    return text
}

function coapTcpUrl(text: string): { host: string; port: number } {
    const url = URL.canParse(text) ? new URL(text) : undefined
    if (url?.protocol !== "coap+tcp:" || url.hostname === "" || !["", "/"].includes(url.pathname))
        throw new InvalidArgumentError("Expected coap+tcp://host:port.")
    return { host: url.hostname.replace(/^\[|\]$/g, ""), port: Number(url.port || "5683") }
}

function allowedTargets(text: string): AllowedTargets {
    try {
        return new AllowedTargets(text)
    } catch (error) {
        throw new InvalidArgumentError((error as Error).message)
    }
}

/** Parses a broker's URL. Errors never quote it, because it may contain a password. */
function brokerUrl(text: string): MqttBrokerAccess {
    try {
        return brokerAccess(text)
    } catch (error) {
        throw new UserError(`--mqtt-broker: ${(error as Error).message}`, 2)
    }
}
