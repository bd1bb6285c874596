import { Packet, Settings } from "@devicescript/core"
import { onReport } from "./packets"
import { Signal } from "./signal"
import { sleep } from "./sleep"

/*
 * Settings in flash: bytes, or JSON as in `.env.local`. Key and value together may have 223 bytes; more aborts the
 * runtime. Equal values are not written again. DeviceScript's own `readSetting` waits forever if the response is lost,
 * as while a debugger halts the VM; here the request is repeated.
 *
 * Starts when it is imported; its state is private.
 */

const answerMs = 500

/** Of the command, and of its report. */
const getCode = 0x80
const settings = new Settings()
/** The key that is being read, one at a time, and its value. */
let wanted: string
let value: Buffer
const answered = new Signal()

onReport(settings, async (packet: Packet) => {
    if (packet.serviceCommand !== getCode) return
    const answer = packet.decode()
    if (answer[0] !== wanted) return
    value = answer[1]
    answered.raise()
})

/** The value of `key`. Undefined if there is none. */
export async function readBytes(key: string): Promise<Buffer | undefined> {
    while (wanted) await sleep(1)
    wanted = key
    value = undefined
    await ask(key)
    // A signal left behind by an earlier request does not count.
    while (!value) if (!(await answered.wait(answerMs))) await ask(key)
    wanted = undefined
    return value.length > 0 ? value : undefined
}

async function ask(key: string): Promise<void> {
    await settings.get(key)
}

/** The JSON value of `key`; `missing` if there is none. */
export async function readSetting(key: string, missing?: any): Promise<any> {
    const bytes = await readBytes(key)
    if (!bytes) return missing
    try {
        return JSON.parse(bytes.toString())
    } catch {
        return missing
    }
}

/**
 * Writes `value` and reads it back, because the VM does not report a failed write. @returns whether the flash stored it
 */
export async function writeBytes(key: string, value: Buffer): Promise<boolean> {
    await settings.set(key, value)
    // The first response may belong to an earlier request that was repeated.
    return areSame(await readBytes(key), value) || areSame(await readBytes(key), value)
}

/** Deletes `key`. */
export async function deleteBytes(key: string): Promise<void> {
    await settings.delete(key)
}

function areSame(kept: Buffer | undefined, value: Buffer): boolean {
    if (!kept || kept.length !== value.length) return false
    for (let i = 0; i < value.length; i++) if (kept[i] !== value[i]) return false
    return true
}
