import { readFileSync } from "node:fs"
import { Command } from "commander"
import { fileError, UserError } from "../../host/errors.ts"
import { decodeAlarms } from "../../wire/alarms.ts"
import { WireError } from "../../wire/cbor.ts"
import { InnerTagError, openEnvelope, parseEnvelope, verifyEnvelope, type Purpose } from "../../wire/envelope.ts"
import { deriveKeys, eui, kidBytes, secretBytes } from "../../wire/keys.ts"
import { decodePack } from "../../wire/pack.ts"
import { hexBytes, option } from "../options.ts"

interface Options {
    kid?: Uint8Array
    secret: Uint8Array
    json: boolean
}

/** Any moment of arrival: times without a clock are shown relative to it. */
const receivedAt = Date.UTC(2000, 0, 1)

export const openCommand = new Command("open")
    .description("verify and decrypt one envelope, binary or in hexadecimal")
    .argument("<file>", "the envelope, or - for standard input")
    .addOption(option("--kid <hex>", "the mote that must have sent it").argParser(hexBytes(kidBytes, "--kid")))
    .addOption(
        option("--secret <hex>", "the mote's secret; better given as VITALMOTE_SECRET")
            .argParser(hexBytes(secretBytes, "--secret"))
            .makeOptionMandatory(),
    )
    .option("--json", "one JSON document", false)
    .action((file: string, options: Options) => {
        const opened = openFile(readEnvelope(file), options)
        if (options.json) console.log(JSON.stringify(opened))
        else print(opened)
    })

/** @throws UserError if it is not an envelope, from another mote, or altered */
function openFile(bytes: Uint8Array, { kid, secret }: Options) {
    try {
        const envelope = parseEnvelope(bytes)
        if (kid && !Buffer.from(kid).equals(envelope.kid))
            throw new UserError(`the envelope is of mote ${eui(envelope.kid)}`)
        const keys = deriveKeys(secret, envelope.kid)
        const { purpose, boot, seq } = envelope
        if (!verifyEnvelope(envelope, purpose, keys.upMac))
            throw new UserError("the MAC does not verify: another secret, or altered bytes")
        return {
            kid: eui(envelope.kid),
            purpose,
            boot,
            salt: Buffer.from(envelope.salt).toString("hex"),
            seq,
            ...content(openEnvelope(envelope, keys.upEnc), purpose),
        }
    } catch (error) {
        if (error instanceof InnerTagError)
            throw new UserError("the MAC verifies, the inner tag does not: altered by somebody with the router's keys")
        if (error instanceof WireError) throw new UserError(`not an envelope: ${error.message}`)
        throw error
    }
}

/** @throws WireError */
function content(plaintext: Uint8Array, purpose: Purpose) {
    // Before its first receipt a mote knows only how long ago it measured.
    const timed = <T extends { time: number; relative: boolean }>(said: T) => ({
        ...said,
        time: said.relative ? (said.time - receivedAt) / 1000 : new Date(said.time).toISOString(),
    })
    return purpose === "alarm"
        ? { alarms: decodeAlarms(plaintext, receivedAt).map(timed) }
        : { measurements: decodePack(plaintext, receivedAt).map(timed) }
}

function print(opened: ReturnType<typeof openFile>): void {
    const { kid, purpose, boot, salt, seq } = opened
    console.log(`mote ${kid}  ${purpose}  boot ${boot}  salt ${salt}  seq ${seq}  MAC and inner tag verified`)
    const say = (said: { time: number | string }, text: string) =>
        console.log(`${typeof said.time === "number" ? `${said.time} s` : said.time}  ${text}`)
    for (const said of opened.measurements ?? [])
        say(said, `${said.name.padEnd(6)}  ${Number(said.value.toFixed(3))} ${said.unit}`)
    for (const said of opened.alarms ?? [])
        say(said, `${said.kind} ${said.raised ? "begins" : "ends"}  ${said.value ?? ""} ${said.unit ?? ""}`.trimEnd())
}

function readEnvelope(file: string): Uint8Array {
    let bytes: Buffer
    try {
        bytes = readFileSync(file === "-" ? 0 : file)
    } catch (error) {
        throw fileError(file, error)
    }
    const text = bytes.toString("latin1").trim()
    return /^([0-9a-fA-F]{2})+$/.test(text) ? Buffer.from(text, "hex") : bytes
}
