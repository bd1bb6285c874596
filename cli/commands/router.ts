import { readFileSync } from "node:fs"
import { isIPv6 } from "node:net"
import { join } from "node:path"
import { Command } from "commander"
import { fileError, UserError } from "../../host/errors.ts"
import { brokerAccess, httpsClinic, startRouter, type MqttBrokerAccess, type TlsAccess } from "../../router/index.ts"
import { httpsUrl, integer, logLevelOption, mandatory, option, port, withConfigFile } from "../options.ts"
import { runUntilStopped, stderrLog } from "../service.ts"
import { clientAccess, sayClients, withClientOptions, type ClientOptions } from "../clients.ts"

interface Options extends ClientOptions {
    clinic: string
    ca?: string
    token: string
    data: string
    host: string
    coapPort: number
    mqttPort: number
    mqttBroker?: MqttBrokerAccess
    tlsCert?: string
    tlsKey?: string
    coapsPort: number
    mqttsPort: number
    maxOutbox: number
    retryRefused?: boolean
    logLevel: string
}

export const routerCommand = withConfigFile(
    withClientOptions(new Command("router"))
        .description("run a border router: takes sealed readings by CoAP and MQTT, relays them to the clinic")
        .addOption(
            option("--clinic <url>", "the clinic's address").default("https://localhost:8443").argParser(httpsUrl),
        )
        .addOption(option("--ca <file>", "certificate authority of the clinic, PEM"))
        .addOption(mandatory(option("--token <token>", "the router's token; better given as VITALMOTE_TOKEN")))
        .addOption(option("--data <dir>", "data folder").default(".vitalmote"))
        .addOption(option("--host <name>", "address to listen on").default("localhost"))
        .addOption(option("--coap-port <port>", "CoAP over TCP port").argParser(port).default(5683))
        .addOption(option("--mqtt-port <port>", "MQTT port").argParser(port).default(1883))
        .addOption(
            option(
                "--mqtt-broker <url>",
                "serve motes through the broker there instead of an own one, mqtt://user:password@host:port or mqtts://; better given as VITALMOTE_MQTT_BROKER",
            ).argParser(brokerUrl),
        )
        .addOption(option("--tls-cert <file>", "serve motes by TLS, too: certificate and chain, PEM"))
        .addOption(option("--tls-key <file>", "its key, PEM; if it is not in --tls-cert"))
        .addOption(option("--coaps-port <port>", "CoAP over TLS port").argParser(port).default(5684))
        .addOption(option("--mqtts-port <port>", "MQTT over TLS port").argParser(port).default(8883))
        .addOption(
            option("--max-outbox <mib>", "what may be kept until the clinic has it")
                .argParser(integer(1, 2 ** 20))
                .default(1024),
        )
        .addOption(option("--retry-refused", "offer what the clinic refused earlier to it once more"))
        .addOption(logLevelOption("info")),
).action(async (options: Options, command: Command) => {
    const router = await startRouter({
        data: join(options.data, "router"),
        host: options.host,
        coapPort: options.coapPort,
        ...clientAccess(options, command),
        ...(options.mqttBroker ? { mqttBroker: options.mqttBroker } : { mqttPort: options.mqttPort }),
        ...(options.tlsCert && { tls: tlsAccess(options, options.tlsCert) }),
        clinic: httpsClinic({
            url: options.clinic,
            token: options.token,
            ...(options.ca && { ca: readText(options.ca) }),
        }),
        maxOutboxBytes: options.maxOutbox * 2 ** 20,
        retryRefused: options.retryRefused ?? false,
        log: stderrLog(options.logLevel),
    })
    const host = isIPv6(options.host) ? `[${options.host}]` : options.host
    const mqtt = options.mqttBroker?.url ?? `mqtt://${host}:${router.mqttPort}`
    sayClients(router, options.host, options)
    const urls = [`coap+tcp://${host}:${router.coapPort}`, mqtt]
    if (router.coapsPort !== undefined) urls.push(`coaps+tcp://${host}:${router.coapsPort}`)
    if (router.mqttsPort !== undefined) urls.push(`mqtts://${host}:${router.mqttsPort}`)
    await runUntilStopped(() => router.close(), `ready ${urls.join(" ")}`)
})

function tlsAccess({ tlsKey, coapsPort, mqttsPort }: Options, tlsCert: string): TlsAccess {
    return { cert: readText(tlsCert), key: readText(tlsKey ?? tlsCert), coapsPort, mqttsPort }
}

function readText(file: string): string {
    try {
        return readFileSync(file, "utf8")
    } catch (error) {
        throw fileError(file, error)
    }
}

/** What was given is never repeated: a password may be in it. */
function brokerUrl(text: string): MqttBrokerAccess {
    try {
        return brokerAccess(text)
    } catch (error) {
        throw new UserError(`--mqtt-broker: ${(error as Error).message}`, 2)
    }
}
