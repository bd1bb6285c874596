import { InvalidArgumentError, type Command, type Option } from "commander"
import { UserError } from "../host/errors.ts"
import { readIfThere, writeDurably } from "../host/files.ts"
import { boards } from "../devicescript/boards.ts"
import { readSettings, withSettings, type Settings } from "../devicescript/env-local.ts"
import { option } from "./options.ts"

/** WiFi's own limits: IEEE 802.11, 32 bytes; WPA2, 8 to 63 characters. */
const maxSsidBytes = 32
const passwordForm = /^[\x20-\x7e]{8,63}$/
/** Where the password comes from: not an argument, which every process may see. */
const passwordVariable = "VITALMOTE_WIFI_PASSWORD"
/** As long as an address over the air may be, too. */
const maxRouterBytes = 64
const routerSchemes = ["coap+tcp:", "coaps+tcp:", "mqtt:", "mqtts:"]
const ownerOnly = 0o600

/** Options of a command that writes `.env.local` for a board. */
export interface BoardOptions {
    board?: string
    router?: string
    wifi?: string
    battery: boolean
    env: string
    force: boolean
    json: boolean
}

/** @param needed for what a new board cannot be without */
export function boardOptions(command: Command, needed = (option: Option) => option): Command {
    return command
        .addOption(needed(option("--board <board>", "the board").choices(Object.keys(boards))))
        .addOption(needed(option("--router <url>", "the router, as the board sees it").argParser(routerUrl)))
        .addOption(
            option("--wifi <ssid>", `the board's WiFi; its password is expected in ${passwordVariable}`).argParser(
                ssid,
            ),
        )
        .option("--battery", "the board has the voltage divider to measure its battery", false)
        .addOption(option("--env <file>", "where to write the settings").default(".env.local"))
        .option("--force", "write the settings even over those of another mote", false)
        .option("--json", "one JSON document", false)
}

/** What is said of the board, as its settings. @throws UserError */
export function boardSettings(options: BoardOptions): Settings {
    const { battery, board } = options
    if (battery && board === undefined) throw new UserError("--battery goes with --board", 2)
    const fullV = battery && boards[board!]!.batteryV
    return { ...wifiSettings(options), ...(fullV && { batteryV: fullV }) }
}

function wifiSettings({ wifi }: BoardOptions): Settings {
    const password = process.env[passwordVariable]
    if (wifi === undefined) return {}
    if (password !== undefined && !passwordForm.test(password))
        throw new UserError(`${passwordVariable}: 8 to 63 characters of ASCII are expected`, 2)
    if (password === undefined) console.error(`no ${passwordVariable}: taken for an open network`)
    return { WIFI_SSID: wifi, WIFI_PWD: password ?? "" }
}

/**
 * What is in the file for the board.
 * @param kid the mote that may be in it
 * @throws UserError where another one is and `--force` is not given
 */
export function readEnv({ env, force }: BoardOptions, kid?: string): string {
    const text = readIfThere(env)?.toString() ?? ""
    const { kid: found, secret } = readSettings(text)
    const isOther = found === undefined ? secret !== undefined : found !== kid
    if (isOther && !force) throw new UserError(`${env} has a mote's identity already: --force takes its place`)
    return text
}

/** Changes these settings and keeps what else is in the file. */
export function writeEnv(file: string, old: string, settings: Settings): void {
    writeDurably(file, withSettings(old, settings), ownerOnly)
}

/** What to type, so that the runtime and then the program get onto the board. */
export function flashCommands(board: string): [flash: string, deploy: string] {
    const { definition, program } = boards[board]!
    return [`npx devs flash --board ${definition}`, `npx devs devtools ${program}`]
}

function ssid(text: string): string {
    const bytes = Buffer.byteLength(text)
    if (bytes === 0 || bytes > maxSsidBytes || /\p{Cc}/u.test(text))
        throw new InvalidArgumentError(`Expected a name of 1 to ${maxSsidBytes} bytes.`)
    return text
}

export function routerUrl(text: string): string {
    const url = URL.canParse(text) ? new URL(text) : undefined
    if (!url || !routerSchemes.includes(url.protocol) || !/^[\x21-\x7e]+$/.test(text))
        throw new InvalidArgumentError(`Expected ${routerSchemes.join("//…, ")}//….`)
    if (!url.hostname || url.username || url.search || url.hash || !/^\/?$/.test(url.pathname))
        throw new InvalidArgumentError("Expected a host, and a port unless it is the default one.")
    if (text.length > maxRouterBytes) throw new InvalidArgumentError(`Expected at most ${maxRouterBytes} characters.`)
    return text
}
