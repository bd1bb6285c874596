import { VirtualClock } from "../sim/time/clock.ts"
import { toServiceClass } from "../sim/jacdac/frame.ts"
import { loadVm } from "../devicescript/vm.ts"
import { settingPayload } from "../sim/vm/machine.ts"
import type { Settings } from "../devicescript/env-local.ts"

/** Where an RP2040's runtime keeps program and settings (DeviceScript's `arch.json`). */
export const storageAt = 0xe0000
export const storageBytes = 128 * 1024

const settingsServiceClass = 0x1107dc4a
const settingsSetCommand = 0x81
const settleMs = 200
/** Where the runtime looks for them (DeviceScript's wifi.c). */
const ssidKey = "wifi_ssid"
const passwordKey = "wifi_psk"

export interface WifiCredentials {
    ssid: string
    password: string
}

/**
 * The storage of a board to which a program and its settings were deployed. DeviceScript's own VM writes it, as for `devs bundle`;
 * the WiFi's name and password stand where a board's runtime looks for them.
 * @param before what is there already: counters are kept, and so is a program where none is given
 */
export async function deployedStorage(
    before: Uint8Array,
    program: Uint8Array | undefined,
    settings: Settings,
    wifi?: WifiCredentials,
): Promise<Uint8Array> {
    const clock = new VirtualClock()
    const timers = new Map<number, unknown>()
    let next = 1
    const isEmpty = before.every(byte => byte === 0xff)
    let storage = isEmpty ? new Uint8Array(0) : before.slice()
    for (const key of [ssidKey, passwordKey]) renameKey(storage, key, `:${key.slice(1)}`)
    const vm = await loadVm()({
        now: () => clock.now(),
        setTimeout: (fn, ms) => {
            timers.set(next, clock.setTimeout(fn, ms))
            return next++
        },
        clearTimeout: id => clock.clearTimeout(timers.get(id)),
        randomBytes: size => Uint8Array.from({ length: size }, (_, i) => 37 * i + 11),
        log: () => {},
    })
    vm.dmesg = vm.log = vm.error = () => {}
    vm.sendPacket = () => {}
    vm.panicHandler = () => {}
    Object.assign(vm, { flashSize: storageBytes })
    vm.flashLoad = () => storage
    vm.flashSave = contents => void (storage = contents.slice())
    vm.devsStart()
    await clock.run(settleMs)
    const payloads = Object.entries(settings).map(([key, value]) => settingPayload(key, value))
    const wifiSettings = Object.entries(wifi ? { [ssidKey]: wifi.ssid, [passwordKey]: wifi.password } : {})
    for (const [key, value] of wifiSettings) payloads.push(Buffer.from(`${key.slice(1)}\0${value}`))
    for (const payload of payloads) vm.handlePacket(toServiceClass(settingsServiceClass, settingsSetCommand, payload))
    await clock.run(settleMs)
    if (program && !Buffer.from(storage).includes(Buffer.from(program))) {
        // Whole words of 32 bytes; the VM ignores what follows the image.
        const padded = new Uint8Array((program.length + 31) & ~31)
        padded.set(program)
        const code = vm.devsDeploy(padded)
        if (code !== 0) throw new RangeError(`the VM refuses the program image: ${code}`)
    }
    vm.devsStop()
    for (const key of [ssidKey, passwordKey]) renameKey(storage, `:${key.slice(1)}`, key)
    return storage
}

/** The VM's settings service puts a colon before each key; the runtime's own, such as those of the WiFi, have none. */
function renameKey(storage: Uint8Array, from: string, to: string): void {
    const bytes = Buffer.from(storage.buffer, storage.byteOffset, storage.length)
    for (let at = 0; (at = bytes.indexOf(`${from}\0`, at, "latin1")) >= 0;) bytes.write(to, at, "latin1")
}
