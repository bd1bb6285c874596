import * as ds from "@devicescript/core"
import { Reading } from "../reading"
import { firstStatusRegister, statusRegister } from "./status-registers"
import { sleep } from "../platform/sleep"

/*
 * Serves the mote's readings as Jacdac services.
 *
 * Started by `mote.ts`, which passes on each reading. Clients on the bus write the streaming registers and read the
 * others.
 */

/** The VM's interface for servers: it calls `_onServerPacket` with each command, and sends with `_serverSend`. */
type Bus = typeof ds & {
    _onServerPacket: (packet: ds.Packet) => Promise<void>
    _serverSend(serviceIndex: number, packet: ds.Packet): Promise<void>
}
/** As service index, makes `_serverSend` assign an event number instead of sending. */
const numberEvent = 0x100

/** Jacdac "Control service": a device announces itself every 500 ms, with a restart counter that stops at 15. */
const tickMs = 500
const steadyCounter = 15

/** Interval between readings. */
const readingMs = 2000
/** A value older than its interval plus this is withdrawn. */
const lateMs = 2000
const maxIntervalMs = 3600000
/** An event is sent this often with the same number, because the bus may lose packets. */
const eventSendings = 3

/** Service indexes. */
const control = 0
const heartRate = 1
const temperature = 2
const oxygen = 3
/** The measuring services come before it. */
const moteStatus = 4

/**
 * Per service: interval of values in s, minimum and maximum of the range, and error of a value in tenths of its unit.
 */
const limits = hex`00000000 021ef032 021e2d03 08006428`
const dueOffset = 0
const minOffset = 1
const maxOffset = 2
const errorOffset = 3

/** Packet codes in the specification of a service. */
const registerSpec = 0x1000
const announceSpec = 0x2000
const statusCodeChangedSpec = 0x8004

/** Jacdac "Common registers and commands". */
const enum Register {
    streamingSamples = 0x003,
    streamingInterval = 0x004,
    reading = 0x101,
    streamingPreferredInterval = 0x102,
    statusCode = 0x103,
    minReading = 0x104,
    maxReading = 0x105,
    readingError = 0x106,
    variant = 0x107,
}

/** Why there is no value: `vendor_code` of the register `status_code`. */
const enum VendorCode {
    none = 0,
    /** The sensor does not respond; the mote keeps trying to start it. */
    sensor = 1,
    /** There is no skin in front of the sensor. */
    skin = 2,
    /** The wearer moves too much. */
    motion = 3,
    /** The measurement is not trusted, or no longer. */
    trust = 4,
}

/*
 * State of each service, in a buffer because objects take ten times the memory: value (f32), streaming_interval in ms
 * (u32), ticks until the next may be streamed (u16), ticks since the value arrived, vendor code, streaming_samples,
 * whether the value has not been streamed yet, and whether the status has changed (u8).
 */
const stateBytes = 16
const intervalOffset = 4
const waitOffset = 8
const ageOffset = 10
const vendorCodeOffset = 11
const samplesOffset = 12
const newOffset = 13
const changedOffset = 14

let state: Buffer

/**
 * Serves the readings as the standard Jacdac services HeartRate, Temperature and PulseOximeter on the board's USB
 * cable, and the mote's status (services/mote-status.md). A service answers and streams `reading` only while there is a
 * value; otherwise `status_code` gives the reason, and `reading_error` is as wide as the range.
 */
export function startServers(): void {
    state = Buffer.alloc((oxygen + 1) * stateBytes)
    for (let index = heartRate; index <= oxygen; index++) {
        state[index * stateBytes + vendorCodeOffset] = VendorCode.trust
        state.setAt(index * stateBytes + intervalOffset, "u32", readingMs)
    }
    ;(ds as Bus)._onServerPacket = handle
    announce.start()
}

/** Handles the reading, every 2 s; does not wait. */
export function showReading(reading: Reading): void {
    const { contact, motion } = reading
    let reason = VendorCode.trust
    if (contact === undefined) reason = VendorCode.sensor
    else if (!contact) reason = VendorCode.skin
    else if (motion) reason = VendorCode.motion
    show(heartRate, motion ? undefined : reading.bpm, reason)
    show(oxygen, reading.spo2, reason)
    if (!reading.hasThermometer) reason = VendorCode.sensor
    else reason = contact === false ? VendorCode.skin : VendorCode.trust
    show(temperature, reading.tempC, reason)
}

function show(index: number, value: number | undefined, reason: VendorCode): void {
    const at = index * stateBytes
    if (value !== undefined) {
        state.setAt(at, "f32", value)
        state[at + ageOffset] = 0
        state[at + newOffset] = 1
        become(index, VendorCode.none)
    } else if (reason !== VendorCode.trust || dueMs(index) === readingMs) become(index, reason)
}

function become(index: number, reason: VendorCode): void {
    const at = index * stateBytes
    if (reason === state[at + vendorCodeOffset]) return
    state[at + vendorCodeOffset] = reason
    state[at + changedOffset] = 1
    if (reason !== VendorCode.none) state[at + newOffset] = 0
}

/** Runs forever. */
async function announce(): Promise<void> {
    let packet: ds.Packet
    for (let restarts = 1; ; restarts++) {
        try {
            if (restarts <= steadyCounter) {
                const payload = [restarts, 0, 0]
                for (let index = heartRate; index <= moteStatus; index++) payload.push(specOf(index).classIdentifier)
                packet = ds.Announcement.spec.byCode(announceSpec).encode(payload)
            }
            await send(control, packet)
            for (let index = heartRate; index <= oxygen; index++) await tick(index)
            const index = heartRate + (restarts % oxygen)
            if (vendorCodeOf(index) !== VendorCode.none) await send(index, encode(index, Register.statusCode))
        } catch (e) {
            console.log("server: " + (e as Error).message)
        }
        await sleep(tickMs)
    }
}

/** Sends what is due. */
async function tick(index: number): Promise<void> {
    const at = index * stateBytes
    const age = state[at + ageOffset]
    if (vendorCodeOf(index) === VendorCode.none) {
        if (age * tickMs > dueMs(index) + lateMs) become(index, VendorCode.trust)
        else state[at + ageOffset] = age + 1
    }
    const wait = state.getAt(at + waitOffset, "u16")
    if (wait > 0) state.setAt(at + waitOffset, "u16", wait - 1)
    if (state[at + changedOffset]) {
        state[at + changedOffset] = 0
        if (state[at + samplesOffset]) await send(index, encode(index, Register.readingError))
        const event = specOf(index).byCode(statusCodeChangedSpec).encode(status(index))
        await send(numberEvent, event)
        for (let i = 0; i < eventSendings; i++) await send(index, event)
    }
    if (state[at + newOffset] && wait === 0) await stream(index)
}

async function stream(index: number): Promise<void> {
    const at = index * stateBytes
    if (!state[at + samplesOffset]) return
    state[at + samplesOffset] = state[at + samplesOffset] - 1
    state[at + newOffset] = 0
    // A client that asks for a lower rate gets some of the values, any other client gets all.
    const intervalMs = state.getAt(at + intervalOffset, "u32")
    state.setAt(at + waitOffset, "u16", Math.idiv(intervalMs - readingMs, tickMs))
    await send(index, encode(index, Register.reading))
}

async function handle(packet: ds.Packet): Promise<void> {
    const index = packet.serviceIndex
    if (packet.isReport || index > moteStatus) return
    try {
        if (index !== control) {
            specOf(index).assign(packet)
            const { regCode } = packet
            if (packet.isRegSet && (await set(index, regCode, packet.payload))) return
            if (packet.isRegGet && packet.spec) {
                // Without a value the request stays unanswered, as with Jacdac's own sensors: "not implemented" would
                // be final.
                if (regCode === Register.reading && index <= oxygen && vendorCodeOf(index)) return
                if (get(index, regCode) !== undefined) {
                    await send(index, encode(index, regCode))
                    return
                }
                if (index === moteStatus && regCode >= firstStatusRegister) return
            }
        }
        await send(index, packet.notImplemented())
    } catch (e) {
        console.log("server: " + (e as Error).message)
    }
}

function get(index: number, register: number): any {
    if (index === moteStatus) return statusRegister(register)
    const at = index * stateBytes
    switch (register) {
        case Register.reading:
            return state.getAt(at, "f32")
        case Register.readingError:
            return readingError(index)
        case Register.statusCode:
            return status(index)
        case Register.minReading:
            return limits[index * 4 + minOffset]
        case Register.maxReading:
            return limits[index * 4 + maxOffset]
        case Register.variant:
            return index === temperature ? ds.TemperatureVariant.Body : undefined
        case Register.streamingSamples:
            return state[at + samplesOffset]
        case Register.streamingInterval:
            return state.getAt(at + intervalOffset, "u32")
        case Register.streamingPreferredInterval:
            return dueMs(index)
        default:
            return undefined
    }
}

/** @returns whether the register is writable; a payload that is too short is ignored */
async function set(index: number, register: number, payload: Buffer): Promise<boolean> {
    if (index === moteStatus) return false
    const at = index * stateBytes
    if (register === Register.streamingSamples) {
        if (payload.length < 1) return true
        const isFirst = state[at + samplesOffset] === 0
        state[at + samplesOffset] = payload[0]
        if (isFirst && vendorCodeOf(index) === VendorCode.none) await stream(index)
        return true
    }
    if (register === Register.streamingInterval) {
        if (payload.length < 4) return true
        const intervalMs = Math.max(readingMs, Math.min(maxIntervalMs, payload.getAt(0, "u32")))
        state.setAt(at + intervalOffset, "u32", intervalMs)
        return true
    }
    return false
}

function encode(index: number, register: number): ds.Packet {
    return specOf(index)
        .byCode(registerSpec | register)
        .encode(get(index, register))
}

async function send(index: number, packet: ds.Packet): Promise<void> {
    await (ds as Bus)._serverSend(index, packet)
}

function vendorCodeOf(index: number): VendorCode {
    return state[index * stateBytes + vendorCodeOffset]
}

/** Code and vendor code of `status_code` (Jacdac "Common registers and commands": StatusCodes). */
function status(index: number): [number, number] {
    const reason = vendorCodeOf(index)
    if (reason === VendorCode.none) return [ds.SystemStatusCodes.Ready, reason]
    if (reason === VendorCode.skin || reason === VendorCode.motion)
        return [ds.SystemStatusCodes.WaitingForInput, reason]
    return [ds.SystemStatusCodes.Initializing, reason]
}

/** In the unit of the service. Without a value it spans the whole range. */
function readingError(index: number): number {
    const at = index * 4
    return vendorCodeOf(index) === VendorCode.none
        ? limits[at + errorOffset] / 10
        : limits[at + maxOffset] - limits[at + minOffset]
}

function dueMs(index: number): number {
    return limits[index * 4 + dueOffset] * 1000
}

function specOf(index: number): ds.ServiceSpec {
    if (index === heartRate) return ds.HeartRate.spec
    if (index === temperature) return ds.Temperature.spec
    return index === oxygen ? ds.PulseOximeter.spec : ds.MoteStatus.spec
}
