import { millis } from "@devicescript/core"
import { beginArray, endArray, writeNumber, writeRaw, writeText } from "../link/cbor"
import { config } from "../config/config"
import { plaintextInForce } from "../config/downlink"
import { status } from "../link/status"
import { sha256 } from "../platform/hash"
import { firmwareVersion } from "../platform/version"

/*
 * A mote's status and configuration as SenML packs (RFC 8428) in CBOR, with the integer labels of §6 in the order of
 * RFC 8949 §4.2.1: n = 0, u = 1, v = 2, vs = 3, vd = 8, bn = -2.
 */

const mapStart = 0xa0
const name = hex`00`
const unit = hex`01`
const value = hex`02`
const textValue = hex`03`
const dataValue = hex`08`
const baseName = hex`21`
const byteString32 = hex`5820`

/** The mote's status, without vital signs. */
export function statusPack(): Buffer {
    beginArray()
    writeRaw(Buffer.from([mapStart | 3]))
    label(name, "firmware")
    label(textValue, firmwareVersion)
    label(baseName, `urn:dev:mac:${status.eui}_`)
    let records = 1
    const { receiptMs, battery } = status
    records += number("boot", "count", status.boot)
    records += number("queued", "count", status.queued)
    records += number("lost", "count", status.lost)
    records += number("sent", "count", status.sent)
    records += number("repeated", "count", status.repeated)
    records += number("receipts", "count", status.receipts)
    if (receiptMs !== undefined) records += number("receipt-age", "s", Math.idiv(millis() - receiptMs, 1000))
    if (battery !== undefined) records += number("batt", "%EL", battery)
    records += number("config", "count", config.version)
    return endArray(records)
}

/**
 * The configuration in force: its version, and the SHA-256 of its plaintext, which is empty without a configuration.
 */
export async function configPack(): Promise<Buffer> {
    const plaintext = await plaintextInForce()
    beginArray()
    number("config", "count", config.version)
    writeRaw(Buffer.from([mapStart | 2]))
    label(name, "digest")
    writeRaw(dataValue)
    writeRaw(byteString32)
    writeRaw(sha256([plaintext]))
    return endArray(2)
}

/** Writes one record. @returns the number of records */
function number(what: string, unitName: string, amount: number): number {
    writeRaw(Buffer.from([mapStart | 3]))
    label(name, what)
    label(unit, unitName)
    writeRaw(value)
    writeNumber(amount)
    return 1
}

function label(key: Buffer, text: string): void {
    writeRaw(key)
    writeText(text)
}
