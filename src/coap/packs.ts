import { millis } from "@devicescript/core"
import { digest } from "@devicescript/crypto"
import { CborWriter } from "../cbor"
import { config } from "../config/config"
import { plaintextInForce } from "../config/downlink"
import { status } from "../link/status"
import { firmwareVersion } from "../version"

/*
 * What a mote says of itself, as SenML packs (RFC 8428) in CBOR with the integer labels of §6 in the order of RFC 8949
 * §4.2.1: n = 0, u = 1, v = 2, vs = 3, vd = 8, bn = -2.
 */

const packBytes = 280
const mapStart = 0xa0
const name = hex`00`
const unit = hex`01`
const value = hex`02`
const textValue = hex`03`
const dataValue = hex`08`
const baseName = hex`21`
const byteString32 = hex`5820`

/** How the mote is, without vitals. */
export function statusPack(): Buffer {
    const writer = new CborWriter(packBytes)
    writer.beginArray()
    writer.raw(Buffer.from([mapStart | 3]))
    label(writer, name, "firmware")
    label(writer, textValue, firmwareVersion)
    label(writer, baseName, `urn:dev:mac:${status.eui}_`)
    let records = 1
    const { receiptMs, battery } = status
    records += number(writer, "boot", "count", status.boot)
    records += number(writer, "queued", "count", status.queued)
    records += number(writer, "lost", "count", status.lost)
    records += number(writer, "sent", "count", status.sent)
    records += number(writer, "repeated", "count", status.repeated)
    records += number(writer, "receipts", "count", status.receipts)
    if (receiptMs !== undefined)
        records += number(writer, "receipt-age", "s", Math.idiv(millis() - receiptMs, 1000))
    if (battery !== undefined) records += number(writer, "batt", "%EL", battery)
    records += number(writer, "config", "count", config.version)
    return writer.endArray(records)
}

/** Which configuration is in force: its version, and the SHA-256 of its plaintext, which is empty where there is none. */
export async function configPack(): Promise<Buffer> {
    const plaintext = await plaintextInForce()
    const writer = new CborWriter(packBytes)
    writer.beginArray()
    number(writer, "config", "count", config.version)
    writer.raw(Buffer.from([mapStart | 2]))
    label(writer, name, "digest")
    writer.raw(dataValue)
    writer.raw(byteString32)
    writer.raw(digest("sha256", plaintext))
    return writer.endArray(2)
}

/** One record. @returns how many */
function number(writer: CborWriter, what: string, unitName: string, amount: number): number {
    writer.raw(Buffer.from([mapStart | 3]))
    label(writer, name, what)
    label(writer, unit, unitName)
    writer.raw(value)
    writer.number(amount)
    return 1
}

function label(writer: CborWriter, key: Buffer, text: string): void {
    writer.raw(key)
    writer.text(text)
}
