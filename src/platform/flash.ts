import { Packet } from "@devicescript/core"
import { deleteSetting, settings } from "@devicescript/settings"
import { Signal } from "./signal"

/**
 * The settings in flash: bytes, or JSON as `.env.local` has it. Key and value together may have 223 bytes: more aborts the
 * runtime. Equal values are not written again. DeviceScript's own `readSetting` waits for ever when the answer gets lost, as
 * it does while a debugger halts the VM; here it is asked for again.
 */

const answerMs = 500

/** The value of `key`, undefined where there is none. */
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

/** What the JSON at `key` says, `missing` where there is none. */
export async function readSetting(key: string, missing?: any): Promise<any> {
    const bytes = await readBytes(key)
    if (!bytes) return missing
    try {
        return JSON.parse(bytes.toString())
    } catch {
        return missing
    }
}

/** Writes `value` and reads it back, as the VM does not tell when a write fails. @returns whether the flash keeps it */
export async function writeBytes(key: string, value: Buffer): Promise<boolean> {
    await settings.set(key, value)
    // What is read first may be the answer to an earlier question that was asked twice.
    return areSame(await readBytes(key), value) || areSame(await readBytes(key), value)
}

/** Forgets `key`. */
export async function deleteBytes(key: string): Promise<void> {
    await deleteSetting(key)
}

function areSame(kept: Buffer | undefined, value: Buffer): boolean {
    if (!kept || kept.length !== value.length) return false
    for (let i = 0; i < value.length; i++) if (kept[i] !== value[i]) return false
    return true
}
