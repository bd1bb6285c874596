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
import { clearQueue, groupReadings, lost, oldestTicks, queued, queueReading, startQueue, tickMs } from "../link/queue"
import { Reading } from "../reading"
import { Envelope, openReceipt, Receipt, seal, startSealing } from "../link/seal"
import { startPacks, writePack } from "../link/senml"
import { Signal } from "../platform/signal"
import { status } from "../link/status"
import { Answer, Purpose, Transport } from "../link/transport"
import { transportFor } from "./transports"
import { sleep, yieldToMainLoop } from "../platform/sleep"

/*
 * Brings readings and alarms to the router. An envelope is sealed once and kept until a valid receipt for it comes;
 * everything else that happens only decides when the same bytes are sent again.
 *
 * Started by `mote.ts` or `stock-mote.ts`, which give it the readings. Receipts, refusals and what the clinic sends write the rest.
 */

/** 30 minutes at one reading every 2 s. */
const queueReadings = 900
/** What was before that: 8 hours in summaries of 12 minutes, and longer ones after that. */
const queueSummaries = 40
/** Readings in one envelope when catching up: about 500 bytes. */
const batchReadings = 10
/** Readings come on a grid of their own: one that is so much early is not too early. */
const sampleToleranceMs = 1000

/** Without a receipt for that long the connection is given up. */
const receiptMs = 10000
const minBackoffMs = 1000
const maxBackoffMs = 60000
/** Where the router answers but does not take the envelope, it takes longer to change. */
const maxRefusedBackoffMs = 300000
/** RFC 7252 §5.10.5: the default of Max-Age. */
const defaultMaxAgeS = 60
const maxBusyMs = 120000
/** After so long without a word of the router it is asked for one, */
const idleMs = 60000
/** which has to come within: */
const pongMs = 10000
/** So often the configuration is looked after, whatever else is to be waited for. */
const lookMs = 5000

const flashRetryMs = 60000

let onIdentify: () => void = () => {}
let identity: Identity
let endpoint: Endpoint
let transport: Transport
/** There may be something to do. */
const wake = new Signal()
/** Something was tried; for `flush`. */
const tried = new Signal()
let hadRate = false
let isUrgent = false
/** `millis()` of the reading that was kept last, and a saturation that came since. */
let keptMs = -Infinity
let spo2: number
/** By purpose: sealed and without a receipt. */
const envelopes: Envelope[] = [undefined, undefined]
/** Readings that are out of the queue, and not in an envelope yet. */
let pack: Buffer
/** The one of them that is being sent, and the receipt for it. */
let current: Envelope
let receipt: Receipt
/** The router refuses an alarm: for once readings go first. */
let isAlarmRefused = false
/** No pause: there is a new alarm, or the mote is about to leave. */
let isHurried = false
let isFlushing = false
/** The mote left by itself, until there is a reading again. */
let isAway = false
/** `millis()` of the last word of the router. */
let heardMs = 0
let failures = 0
/** What was said last about the link, so that nothing is said twice. */
let lastLinkLine = ""

/** The mote's link, ready to take readings. @returns false where the mote has no identity */
export async function startUplink(): Promise<boolean> {
    identity = await readIdentity()
    if (!identity) return false
    console.log(`mote ${identity.eui}`)
    let boot = await countBoot()
    while (boot === undefined) {
        console.log("the flash does not keep the boot counter: nothing is sent")
        await sleep(flashRetryMs)
        boot = await countBoot()
    }
    status.eui = identity.eui
    status.boot = boot
    startQueue(queueReadings, queueSummaries, groupReadings)
    startPacks(identity.eui, batchReadings)
    startSealing(identity.keys, boot)
    await loadConfig(identity.keys)
    await loadAlarms(identity.keys.kid, boot, sendNow)
    settle()
    const run = async () => await runUplink()
    run.start()
    return true
}

/** @param show is called where somebody wants to know which mote this is */
export function identifyBy(show: () => void): void {
    onIdentify = show
}

/** Takes a reading; never waits. */
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
    wake.raise()
}

/** Takes what the clinic has sealed: see `Take`. */
async function takeSealed(name: string, sealed: Buffer): Promise<Buffer | undefined> {
    const isConfig = name === "config"
    const refusal = isConfig ? await configure(sealed) : await takeCommand(sealed, name)
    if (!refusal && name === "clear") clearReadings()
    if (!refusal && name === "identify") onIdentify()
    wake.raise()
    return refusal
}

/** Forgets all readings that wait; they count as lost. */
function clearReadings(): void {
    status.lost += queued
    clearQueue()
    status.queued = 0
}

/**
 * Sends what waits, without a pause more than needed, then leaves in good order and stays away until there is a
 * reading again. To be called before the mote switches itself off.
 * @returns whether there is a receipt for everything; otherwise `timeoutMs` were not enough
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

/** Sends what comes, for ever. */
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

/** Readings wait for each other, but not where the rate has come or gone, nor before a receipt has set the clock. */
function isDue(): boolean {
    if (hasNote()) return true
    if (queued === 0) return false
    if (isUrgent || isFlushing || clockShift() === undefined) return true
    return (
        queued >= batchReadings ||
        queued * config.sample >= config.report ||
        millis() >= oldestMs() + config.report * 1000
    )
}

function hasMore(): boolean {
    const [vitals, alarm] = envelopes
    const hasAlarms = alarm !== undefined || isAlarmPending() || isAlarmSaving()
    return hasAlarms || pack !== undefined || vitals !== undefined || queued > 0 || hasNote()
}

/** The clinic waits for a word on its configuration; a router on trial waits for an envelope. */
function hasNote(): boolean {
    return (queued > 0 || status.receipts > 0) && configNote() !== undefined
}

function oldestMs(): number {
    return oldestTicks() * tickMs
}

/** There is nothing to send: keeps the connection, and sees to it that it is one. */
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
        // Without TLS the native call just never opens anything.
        const how = endpoint.tls ? " by TLS: has this board any?" : ""
        logLink(`no connection to ${endpoint.host} port ${endpoint.port}${how}`)
        await fail(maxBackoffMs)
        return false
    }
    heardMs = millis()
    status.isLinked = true
    return true
}

async function exchange(purpose: Purpose): Promise<void> {
    // While the mote connected, an end may have become none, or a beginning is not in flash yet.
    if (purpose === Purpose.alarm && !envelopes[purpose] && !isAlarmPending()) return
    // Sealed as late as can be: without a clock its times are relative to the sending.
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
    const now = Math.ceil(millis() / tickMs)
    const shift = clockShift(queued > 0 ? oldestMs() : millis())
    const note = configNote()
    // A time that is relative to the sending goes wrong when the sending has to be repeated: one reading at most.
    const most = shift === undefined ? 1 : batchReadings
    const shiftTicks = shift === undefined ? undefined : Math.round(shift / tickMs)
    // Two of them do not fit into the heap where the next is sealed.
    status.newest = undefined
    pack = writePack(most, shiftTicks, now, note)
    isUrgent = false
    if (note) configNoted()
    status.queued = queued
    // Both together are too much for one slice.
    await yieldToMainLoop()
    status.newest = seal(takePack())
    return status.newest
}

/** While it is sealed nobody else may hold it: the heap needs its place. */
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
    // Which of several sendings a receipt answers, nobody knows: those set no clock.
    if (current.sendings === 1) clockReceipt(receipt.now, sentMs, now)
    envelopes[purpose] = undefined
    failures = 0
    status.receipts++
    status.receiptMs = now
    logLink("linked")
    if (purpose === Purpose.alarm) await alarmsReceipted()
    await endTrial()
}

/** Where the configuration says that the router is. */
function settle(): void {
    const before = endpoint
    endpoint = parseEndpoint(config.router) || identity.router
    if (before && before.protocol === endpoint.protocol) return
    transport = transportFor(endpoint.protocol, identity, takeSealed)
}

/** Goes to another router where the configuration wants that; says whether it does. */
async function follow(): Promise<boolean> {
    if (!(await followTrial())) return false
    await transport.release()
    settle()
    failures = 0
    return true
}

/** Gives the connection up and waits, twice as long after each failure, and not all motes equally long. */
async function fail(maxMs: number): Promise<void> {
    transport.close()
    const ms = Math.min(maxMs, minBackoffMs * Math.pow(2, Math.min(failures, 20)))
    failures++
    await pause(ms * (0.5 + Math.random() / 2))
}

/** Waits, unless there is a hurry or another router. */
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
