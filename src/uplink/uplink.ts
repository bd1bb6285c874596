import { millis } from "@devicescript/core"
import { alarmsReceipted, isAlarmPending, isAlarmSaving, loadAlarms, packAlarms, watchReading } from "../alarms/alarms"
import { clockReceipt, clockShift } from "../link/clock"
import { Code, dotted } from "../coap/message"
import { notifyObservers } from "../coap/observers"
import { config, PowerMode } from "../config/config"
import { powerMode } from "../config/power-mode"
import { configNote, configNoted, configure, endTrial, followTrial, loadConfig, takeCommand } from "../config/downlink"
import { Endpoint, parseEndpoint } from "../link/endpoint"
import { countBoot, Identity, readIdentity } from "../link/identity"
import { clearQueue, lost, oldestTicks, queued, queueReading, startQueue, tickMs } from "../link/queue"
import { Reading } from "../reading"
import { Envelope, openReceipt, Receipt, seal, startSealing } from "../link/seal"
import { startPacks, writePack } from "../link/pack"
import { blink } from "../platform/light"
import { Signal } from "../platform/signal"
import { status } from "../link/status"
import { Answer, Purpose, Transport } from "../link/transport"
import { transportFor } from "./transports"
import { sleep, yieldToMainLoop } from "../platform/sleep"

/*
 * Delivers readings and alarms to the router. An envelope is sealed once and kept until its valid receipt arrives;
 * everything else only decides when the same bytes are sent again.
 *
 * Started by `mote.ts` or `stock-mote.ts`, which pass on the readings. Receipts, refusals and messages from the clinic
 * write the rest.
 */

/** 30 minutes at one reading every 2 s. */
const queueReadings = 900
/** Older readings: 8 hours in summaries of 12 minutes, then longer ones. */
const queueSummaries = 40
/** Maximum number of readings in one envelope when catching up: about 200 bytes, and 610 at most. */
const batchReadings = 30
/** Readings have their own grid: a reading this much early is not too early. */
const sampleToleranceMs = 1000

/** Receipt timeout, after which the connection is closed. */
const receiptMs = 10000
const minBackoffMs = 1000
const maxBackoffMs = 60000
/** Maximum backoff after a refusal, which takes longer to resolve than a failed connection. */
const maxRefusedBackoffMs = 300000
/** Default of Max-Age (RFC 7252 §5.10.5). */
const defaultMaxAgeS = 60
const maxBusyMs = 120000
/** The router is pinged after this time without a message from it. */
const idleMs = 60000
/** Timeout of the ping. */
const pongMs = 10000
/** Check the configuration at least this often, even while waiting. */
const lookMs = 5000

const flashRetryMs = 60000
/** The light says so when readings have waited this long without a receipt for anything. */
const unheardMs = 180000
const white = 0xffffff
const red = 0xff0000

let identity: Identity
let endpoint: Endpoint
let transport: Transport
/** Raised when there may be something to do. */
const wake = new Signal()
/** Raised after each attempt, for `flush`. */
const tried = new Signal()
let hadRate = false
let isUrgent = false
/** `millis()` of the last stored reading, and a saturation measured since. */
let keptMs = -Infinity
let spo2: number
/** Sealed envelopes without a receipt, by purpose. */
const envelopes: Envelope[] = [undefined, undefined]
/** Readings that have left the queue and are not yet in an envelope. */
let pack: Buffer
/** The envelope that is being sent, and its receipt. */
let current: Envelope
let receipt: Receipt
/** The router has refused an alarm: readings go first once. */
let isAlarmRefused = false
/** Skip the next pause: there is a new alarm, or the mote is about to disconnect. */
let isHurried = false
let isFlushing = false
/** The mote has disconnected by itself, until the next reading. */
let isAway = false
/** `millis()` since which readings wait without a receipt. Undefined: none do. */
let unheardSince: number
/** `millis()` of the last message from the router. */
let heardMs = 0
let failures = 0
/** The last line logged about the link, so that nothing is logged twice. */
let lastLinkLine = ""

/** Starts the uplink, ready to take readings. @returns false if the mote has no identity */
export async function startUplink(): Promise<boolean> {
    identity = await readIdentity()
    if (!identity) return false
    console.log(`mote ${identity.eui}`)
    let boot = await countBoot()
    while (boot === undefined) {
        console.log("the boot counter is used up, or the flash does not keep it: nothing is sent")
        await sleep(flashRetryMs)
        boot = await countBoot()
    }
    status.eui = identity.eui
    status.boot = boot
    startQueue(queueReadings, queueSummaries, batchReadings)
    startPacks(batchReadings)
    startSealing(identity.keys, boot)
    await loadConfig(identity.keys)
    await loadAlarms(identity.keys.kid, boot, sendNow)
    settle()
    runUplink.start()
    complain.start()
    return true
}

/** To find the mote among others. */
async function identify(): Promise<void> {
    console.log("identify: blinking")
    await blink(white, 20, 250)
}

/** Shows for whoever sees the mote that nothing gets through, by two short flashes every 5 s. */
async function complain(): Promise<void> {
    for (;;) {
        if (unheardSince !== undefined && millis() >= unheardSince + unheardMs) await blink(red, 2, 100)
        await sleep(lookMs)
    }
}

/** Takes a reading without waiting. */
export function takeReading(reading: Reading): void {
    watchReading(reading)
    const { atMs, bpm } = reading
    const hasRate = bpm !== undefined
    if (reading.spo2 !== undefined) spo2 = reading.spo2
    const isNews = hasRate !== hadRate
    if (!isNews && atMs < keptMs + config.sample * 1000 - sampleToleranceMs) return
    if (isNews) isUrgent = true
    hadRate = hasRate
    keptMs = atMs
    reading.spo2 = spo2
    spo2 = undefined
    const before = lost
    queueReading(reading)
    status.lost += lost - before
    status.queued = queued
    isAway = false
    if (unheardSince === undefined) unheardSince = millis()
    wake.raise()
}

/** Executes what the clinic has sealed: see `Take`. */
async function takeSealed(name: string, sealed: Buffer): Promise<Buffer | undefined> {
    const isConfig = name === "config"
    const refusal = isConfig ? await configure(sealed) : await takeCommand(sealed, name)
    if (!refusal && name === "clear") clearReadings()
    if (!refusal && name === "identify") identify.start()
    wake.raise()
    return refusal
}

/** Discards all waiting readings; they count as lost. */
function clearReadings(): void {
    status.lost += queued
    clearQueue()
    status.queued = 0
}

/**
 * Sends what waits without unnecessary pauses, then disconnects until the next reading. Must be called before the mote
 * powers down.
 * @returns whether everything has a receipt; otherwise `timeoutMs` was too short
 */
export async function flush(timeoutMs: number): Promise<boolean> {
    const deadline = millis() + timeoutMs
    isFlushing = true
    sendNow()
    while (hasMore() && millis() < deadline) await tried.wait(deadline - millis())
    isFlushing = false
    isAway = true
    await transport.release()
    status.isLinked = false
    return !hasMore()
}

/** Sends forever. */
async function runUplink(): Promise<void> {
    for (;;) {
        try {
            await turn()
        } catch (e) {
            console.log("uplink: " + (e as Error).message)
            await fail(maxBackoffMs)
        }
        tried.raise()
    }
}

async function turn(): Promise<void> {
    await follow()
    isHurried = false
    const purpose = next()
    if (purpose === undefined) await rest()
    else if (await connect()) await exchange(purpose)
}

/** Alarms first. */
function next(): Purpose | undefined {
    if (isAway) return undefined
    const [vitals, alarm] = envelopes
    const hasVitals = vitals !== undefined || isDue()
    if (hasVitals && isAlarmRefused) return Purpose.vitals
    if (alarm || isAlarmPending()) return Purpose.alarm
    return hasVitals ? Purpose.vitals : undefined
}

/**
 * Readings wait for each other, except when the heart rate has appeared or disappeared, or before a receipt has set the
 * clock.
 */
function isDue(): boolean {
    if (hasNote()) return true
    if (queued === 0) return false
    if (isUrgent || isFlushing || clockShift() === undefined) return true
    return (
        queued >= batchReadings ||
        queued * config.sample >= config.report ||
        millis() >= oldestTicks() * tickMs + config.report * 1000
    )
}

function hasMore(): boolean {
    const [vitals, alarm] = envelopes
    const hasAlarms = alarm !== undefined || isAlarmPending() || isAlarmSaving()
    return hasAlarms || pack !== undefined || vitals !== undefined || queued > 0 || hasNote()
}

/** The clinic waits for the status of its configuration; a router on trial needs an envelope. */
function hasNote(): boolean {
    return (queued > 0 || status.receipts > 0) && configNote() !== undefined
}

/** With nothing to send: maintains and checks the connection. */
async function rest(): Promise<void> {
    if (!isAway && powerMode() !== PowerMode.standby) {
        if (!(await connect())) return
        if (millis() >= heardMs + idleMs) {
            if (await transport.ping(pongMs)) heardMs = millis()
            else transport.close()
            return
        }
    }
    status.isLinked = transport.isOpen()
    await wake.wait(lookMs)
}

async function connect(): Promise<boolean> {
    if (transport.isOpen()) return true
    if (!(await transport.open(endpoint))) {
        // Without TLS the native call never opens a connection.
        const how = endpoint.tls ? " over TLS: does this board support it?" : ""
        logLink(`no connection to ${endpoint.host} port ${endpoint.port}${how}`)
        await fail(maxBackoffMs)
        return false
    }
    heardMs = millis()
    status.isLinked = true
    return true
}

async function exchange(purpose: Purpose): Promise<void> {
    // During the connection attempt a clearing may have been cancelled, or a new alarm may not be in flash yet.
    if (purpose === Purpose.alarm && !envelopes[purpose] && !isAlarmPending()) return
    // Sealed as late as possible: without a clock, times are relative to the transmission.
    if (!envelopes[purpose]) envelopes[purpose] = purpose === Purpose.alarm ? sealAlarm() : await sealVitals()
    const envelope = envelopes[purpose]
    if (envelope.sendings > 0) status.repeated++
    else status.sent++
    envelope.sendings++
    current = envelope
    receipt = undefined
    const sentMs = millis()
    const answer = await transport.post(purpose, envelope.bytes, receiptMs, accept)
    isAlarmRefused = false
    if (purpose === Purpose.vitals && envelope.sendings === 1) await notifyObservers()
    if (answer.code !== 0) heardMs = millis()
    if (receipt) await receipted(purpose, sentMs)
    else if (answer.code === 0) {
        logLink("no receipt")
        await fail(maxBackoffMs)
    } else if (answer.code === Code.serviceUnavailable) {
        logLink("the router is busy")
        await pause(busyMs(answer) * (1 + Math.random() / 4))
    } else {
        const { code, maxBytes } = answer
        const size = maxBytes === undefined ? "" : `, it takes ${maxBytes} bytes`
        logLink(`the router refuses: ${dotted(code)}${size}`)
        isAlarmRefused = purpose === Purpose.alarm
        await fail(maxRefusedBackoffMs)
    }
}

function sealAlarm(): Envelope {
    return seal(packAlarms(), Purpose.alarm)
}

async function sealVitals(): Promise<Envelope> {
    // A reading has just been made in this pass.
    await yieldToMainLoop()
    const now = Math.ceil(millis() / tickMs)
    const shift = clockShift(queued > 0 ? oldestTicks() * tickMs : millis())
    const note = configNote()
    // Times relative to the transmission become wrong when it is repeated, so at most one reading is affected.
    const most = shift === undefined ? 1 : batchReadings
    const shiftTicks = shift === undefined ? undefined : Math.round(shift / tickMs)
    // The heap has no room for two of them while the next is sealed.
    status.newest = undefined
    pack = writePack(most, shiftTicks, now, note)
    isUrgent = false
    if (note) configNoted()
    status.queued = queued
    // Both together are too much work for one slice.
    await yieldToMainLoop()
    status.newest = seal(takePack())
    return status.newest
}

/** Gives up the reference, so that the heap can free the pack while it is sealed. */
function takePack(): Buffer {
    const taken = pack
    pack = undefined
    return taken
}

function accept(bytes: Buffer): boolean {
    receipt = openReceipt(bytes, current.nonce)
    return receipt !== undefined
}

async function receipted(purpose: Purpose, sentMs: number): Promise<void> {
    const now = millis()
    // A receipt after several transmissions cannot be assigned to one of them, so it does not set the clock.
    if (current.sendings === 1) clockReceipt(receipt.now, sentMs, now)
    envelopes[purpose] = undefined
    failures = 0
    unheardSince = undefined
    status.receipts++
    status.receiptMs = now
    logLink("linked")
    if (purpose === Purpose.alarm) await alarmsReceipted()
    await endTrial()
}

/** Sets the endpoint from the configuration. */
function settle(): void {
    const before = endpoint
    endpoint = parseEndpoint(config.router) || identity.router
    if (before && before.protocol === endpoint.protocol) return
    transport = transportFor(endpoint.protocol, identity, takeSealed)
}

/** Moves to another router if the configuration requires it. @returns whether it does */
async function follow(): Promise<boolean> {
    if (!(await followTrial())) return false
    await transport.release()
    settle()
    failures = 0
    return true
}

/** Closes the connection and waits, twice as long after each failure, with a random component. */
async function fail(maxMs: number): Promise<void> {
    transport.close()
    const ms = Math.min(maxMs, minBackoffMs * Math.pow(2, Math.min(failures, 20)))
    failures++
    await pause(ms * (0.5 + Math.random() / 2))
}

/** Waits, unless it is hurried or the router changes. */
async function pause(ms: number): Promise<void> {
    const end = millis() + ms
    status.isLinked = transport.isOpen()
    while (!isHurried && millis() < end && !(await follow())) await wake.wait(Math.min(end - millis(), lookMs))
}

function sendNow(): void {
    isHurried = true
    isAway = false
    wake.raise()
}

function logLink(line: string): void {
    if (line !== lastLinkLine) console.log(line)
    lastLinkLine = line
}

function busyMs({ maxAgeS }: Answer): number {
    const ms = (maxAgeS === undefined ? defaultMaxAgeS : maxAgeS) * 1000
    return Math.max(minBackoffMs, Math.min(maxBusyMs, ms))
}
