import { Packet } from "@devicescript/core"
import { deleteSetting, settings } from "@devicescript/settings"
import { Signal } from "./signal"

/**
 * Settings in flash: bytes, or JSON as in `.env.local`. Key and value together may have 223 bytes; more aborts the
 * runtime. Equal values are not written again. DeviceScript's own `readSetting` waits forever if the response is lost,
 * as while a debugger halts the VM; here the request is repeated.
 */

const answerMs = 500

/** The value of `key`. Undefined if there is none. */
export async function readBytes(key: string): Promise<Buffer | undefined> {
    const { code } = settings.spec.lookup("get")
    const answered = new Signal()
    let value: Buffer
    const unsubscribe = settings.report().subscribe((packet: Packet) => {
        if (packet.serviceCommand !== code) return
        const answer = packet.decode()
        if (answer[0] !== key) return
        value = answer[1]
        answered.raise()
    })
    await ask(key)
    while (!(await answered.wait(answerMs))) await ask(key)
    unsubscribe()
    return value && value.length > 0 ? value : undefined
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
    await deleteSetting(key)
}

function areSame(kept: Buffer | undefined, value: Buffer): boolean {
    if (!kept || kept.length !== value.length) return false
    for (let i = 0; i < value.length; i++) if (kept[i] !== value[i]) return false
    return true
}
