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
 */
export async function deployedStorage(
    program: Uint8Array,
    settings: Settings,
    wifi?: WifiCredentials,
): Promise<Uint8Array> {
    const clock = new VirtualClock()
    const timers = new Map<number, unknown>()
    let next = 1
    let storage = new Uint8Array(0)
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
    const padded = new Uint8Array((program.length + 31) & ~31)
    padded.set(program)
    const code = vm.devsDeploy(padded)
    if (code !== 0) throw new RangeError(`the VM refuses the program image: ${code}`)
    vm.devsStop()
    for (const [key] of wifiSettings) renameKey(storage, `:${key.slice(1)}`, key)
    return storage
}

/** The VM's settings service puts a colon before each key; the runtime's own, such as those of the WiFi, have none. */
function renameKey(storage: Uint8Array, from: string, to: string): void {
    const at = Buffer.from(storage.buffer, storage.byteOffset, storage.length).indexOf(`${from}\0`, 0, "latin1")
    if (at < 0) throw new Error(`no ${from} in the storage`)
    storage.set(Buffer.from(to, "latin1"), at)
}
