import { actionReport } from "@devicescript/core"
import { settings } from "@devicescript/settings"

/**
 * Settings that are bytes rather than JSON. Key and value together may have 223 bytes: more aborts the runtime. Equal
 * values are not written again.
 */

/** The value of `key`, undefined where there is none. */
export async function readBytes(key: string): Promise<Buffer | undefined> {
    const packet = await actionReport(
        settings,
        "get",
        async () => await settings.get(key),
        packet => packet.decode()[0] === key,
    )
    const value: Buffer = packet.decode()[1]
    return value && value.length > 0 ? value : undefined
}

/** Writes `value` and reads it back, as the VM does not tell when a write fails. @returns whether the flash keeps it */
export async function writeBytes(key: string, value: Buffer): Promise<boolean> {
    await settings.set(key, value)
    const kept = await readBytes(key)
    if (!kept || kept.length !== value.length) return false
    for (let i = 0; i < value.length; i++) if (kept[i] !== value[i]) return false
    return true
}
