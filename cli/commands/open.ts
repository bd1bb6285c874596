import { readFileSync } from "node:fs"
import { Command } from "commander"
import { fileError, UserError } from "../../host/errors.ts"
import { WireError } from "../../wire/cbor.ts"
import { openEnvelope, parseEnvelope, verifyEnvelope, type Purpose } from "../../wire/envelope.ts"
import { deriveKeys, eui, kidBytes, secretBytes } from "../../wire/keys.ts"
import { decodePack } from "../../wire/senml.ts"
import { hexBytes, option } from "../options.ts"

interface Options {
    kid?: Uint8Array
    secret: Uint8Array
    json: boolean
}

const purposes: Purpose[] = ["vitals", "alarm"]

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
        const purpose = purposes.find(purpose => verifyEnvelope(envelope, purpose, keys.upMac))
        if (!purpose) throw new UserError("the MAC does not verify: another secret, or altered bytes")
        const plaintext = openEnvelope(envelope, keys.upEnc)
        return {
            kid: eui(envelope.kid),
            purpose,
            boot: envelope.boot,
            salt: Buffer.from(envelope.salt).toString("hex"),
            seq: envelope.seq,
            measurements: decodePack(plaintext, envelope.kid, 0).map(({ time, ...rest }) => ({
                ...rest,
                // Before its first receipt a mote knows only how long ago it measured.
                time: rest.relative ? time / 1000 : new Date(time).toISOString(),
            })),
        }
    } catch (error) {
        if (error instanceof WireError) throw new UserError(`not an envelope: ${error.message}`)
        throw error
    }
}

function print(opened: ReturnType<typeof openFile>): void {
    const { kid, purpose, boot, salt, seq } = opened
    console.log(`mote ${kid}  ${purpose}  boot ${boot}  salt ${salt}  seq ${seq}  MAC verified`)
    for (const { name, value, unit, time, relative } of opened.measurements)
        console.log(`${relative ? `${time} s` : time}  ${name.padEnd(6)}  ${Number(value.toFixed(3))} ${unit}`)
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
