import { resolve } from "node:path"
import { InvalidArgumentError, type Command, type Option } from "commander"
import { UserError } from "../host/errors.ts"
import { readIfThere, writeDurably } from "../host/files.ts"
import { boards } from "../devicescript/boards.ts"
import { readSettings, withSettings, type Settings } from "../devicescript/env-local.ts"
import { option } from "./options.ts"

/** The maximum length of an SSID, IEEE 802.11. */
const maxSsidBytes = 32
/** A WPA2 passphrase: 8 to 63 characters. */
const passwordForm = /^[\x20-\x7e]{8,63}$/
/** The source of the password. It is not an argument, because other processes can see arguments. */
const passwordVariable = "VITALMOTE_WIFI_PASSWORD"
/** The maximum length of an address, the same as for one set over the air. */
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

/** @param needed applied to the options that a new board requires */
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

/**
 * Returns the board's settings from the options.
 * @throws UserError
 */
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
 * Reads the settings file of the board, which may not exist.
 * @param kid the mote whose identity the file may contain
 * @throws UserError if it has another mote's identity, unless `--force` is given
 */
export function readEnv({ env, force }: BoardOptions, kid?: string): string {
    const text = readIfThere(env)?.toString() ?? ""
    const { kid: found, secret } = readSettings(text)
    const isOther = found === undefined ? secret !== undefined : found !== kid
    if (isOther && !force) throw new UserError(`${env} has a mote's identity already: --force takes its place`)
    return text
}

/** Changes the given settings and keeps the rest of the file. */
export function writeEnv(file: string, old: string, settings: Settings): void {
    writeDurably(file, withSettings(old, settings), ownerOnly)
}

/** From this file DeviceScript's tools send settings to a board, and from no other. */
const sentFile = ".env.local"

/** The commands that put a board into service. */
interface FlashCommands {
    runtime: string
    /** Undefined where the settings are in that file already. */
    settings: string | undefined
    program: string
}

/** @param env where the settings were written */
export function flashCommands(board: string, env: string): FlashCommands {
    const { definition, program } = boards[board]!
    return {
        runtime: `npx devs flash --board ${definition}`,
        settings: resolve(env) === resolve(sentFile) ? undefined : `cp ${quoted(env)} ${sentFile}`,
        program: `npx devs devtools ${program}`,
    }
}

/** For a POSIX shell, where it needs quotes. */
function quoted(file: string): string {
    return /^[\w./-]+$/.test(file) ? file : `'${file.replaceAll("'", "'\\''")}'`
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
