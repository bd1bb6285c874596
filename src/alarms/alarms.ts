import { millis } from "@devicescript/core"
import { beginArray, endArray } from "../link/cbor"
import { config } from "../config/config"
import { readBytes, writeBytes } from "../platform/flash"
import { clockShift } from "../link/clock"
import { tickMs } from "../link/queue"
import { baseName } from "../link/senml"
import { status } from "../link/status"
import { Reading } from "../reading"
import { writeEvent } from "./event"
import { Kind } from "./kind"
import {
    clearDue,
    Event,
    free,
    isDue,
    isRaised,
    isUsed,
    raiseDue,
    setEvent,
    setId,
    setTime,
    slotBytes,
    ticksOf,
    TimeBase,
    timeBaseOf,
    markReported,
} from "./slot"

/*
 * Watches the readings and keeps what a nurse has to be told, one slot a kind, until the router has receipted it. The
 * slots are in flash as well: an alarm is told after a power cut, too, and not raised a second time.
 *
 * Started by `uplink/uplink.ts` (`loadAlarms`), which gives it each reading and tells it of each receipt. Only this module writes
 * the slots; the uplink takes them as packs, and `mote.ts` asks whether an alarm is about to be raised or cleared.
 */

/** How far within a limit a value has to be for the alarm to end: beat/min, °C, percent. */
const bpmHysteresis = 5
const tempHysteresisC = 0.3
const spo2Hysteresis = 2
const lowBattery = 15
const batteryHysteresis = 5

/**
 * In flash, for each eight kinds: the kid, then of each slot in use its kind and itself; 200 bytes at most, as more than 223 with
 * the key does not fit. A power cut between two of them tears nothing: a slot is whole, and knows nothing of others.
 */
const journalKey = "alarms"
const journalKinds = 8
const kidBytes = 8
const recordBytes = 1 + slotBytes
/** Alarms that one start of the mote can number. */
const idsPerBoot = 0x100000
/** Raised or cleared alarms in an envelope: about 500 bytes. */
const maxEvents = 4

const slots = Buffer.alloc(Kind.count * slotBytes)
/** Per kind, since when the readings say the opposite of the slot, in ms of `millis()`; −1 where they do not. */
const since = Buffer.alloc(Kind.count * 8)
/** Events that are in the envelope under way, a bit for each kind. */
let raisesUnderWay = 0
let clearsUnderWay = 0
/** Kinds of which somebody may have heard that they were cleared. */
let clearsReported = 0
let kid: Buffer
let nextId: number
let news: () => void
let mustSave = false
let isWriting = false

/**
 * Takes up what the last start left in flash; to be called first.
 * @param mote its kid: another's alarms are none of its own
 * @param boot number of this start, never used before
 * @param hasNews is called when there is an alarm to send; must not wait
 */
export async function loadAlarms(mote: Buffer, boot: number, hasNews: () => void): Promise<void> {
    kid = mote
    news = hasNews
    nextId = boot * idsPerBoot
    for (let kind = 0; kind < Kind.count; kind++) since.setAt(kind * 8, "f64", -1)
    for (let first = 0; first < Kind.count; first += journalKinds) await loadJournal(first)
}

async function loadJournal(first: number): Promise<void> {
    const journal = await readBytes(keyOf(first))
    if (!journal || journal.slice(0, kidBytes).toString("hex") !== kid.toString("hex")) return
    for (let at = kidBytes; at + recordBytes <= journal.length; at += recordBytes) {
        const kind = journal[at]
        if (kind >= Kind.count) continue
        slots.blitAt(kind * slotBytes, journal, at + 1, slotBytes)
        for (let event = Event.raised; event <= Event.cleared; event++)
            if (timeBaseOf(slots, kind, event) === TimeBase.start) setTime(slots, kind, event, 0, TimeBase.unknown)
        // It may have been under way when the power went.
        if (isDue(slots, kind, clearDue)) clearsReported |= 1 << kind
    }
}

/** Takes a reading; never waits. What it does not tell neither raises nor clears an alarm. */
export function watchReading(reading: Reading): void {
    const { atMs, bpm, contact, hasThermometer, spo2, tempC } = reading
    const { battery } = status
    if (bpm !== undefined) {
        watch(atMs, Kind.hrLow, bpm, config.hrLow - bpm, bpmHysteresis)
        watch(atMs, Kind.hrHigh, bpm, bpm - config.hrHigh, bpmHysteresis)
    }
    if (tempC !== undefined) {
        watch(atMs, Kind.tempLow, tempC, config.tempLow - tempC, tempHysteresisC)
        watch(atMs, Kind.tempHigh, tempC, tempC - config.tempHigh, tempHysteresisC)
    }
    if (spo2 !== undefined) watch(atMs, Kind.spo2Low, spo2, config.spo2Low - spo2, spo2Hysteresis)
    watch(atMs, Kind.optical, undefined, contact === undefined ? 1 : -1, 1)
    watch(atMs, Kind.thermometer, undefined, hasThermometer ? -1 : 1, 1)
    if (contact !== undefined) watch(atMs, Kind.contact, undefined, contact ? -1 : 1, 1)
    if (battery !== undefined) watch(atMs, Kind.battery, battery, lowBattery - battery, batteryHysteresis)
}

/** Whether an alarm is to be raised or cleared if the readings go on as the last. */
export function isAlarmWatching(): boolean {
    for (let kind = 0; kind < Kind.count; kind++) if (since.getAt(kind * 8, "f64") >= 0) return true
    return false
}

/** Whether something is not in flash yet. */
export function isAlarmSaving(): boolean {
    return mustSave || isWriting
}

/** Whether there is anything to send, and it is safe in flash. */
export function isAlarmPending(): boolean {
    if (isAlarmSaving()) return false
    for (let kind = 0; kind < Kind.count; kind++) if (isDue(slots, kind, raiseDue | clearDue)) return true
    return false
}

/**
 * What is to be sent, as SenML. It is taken to be under way until `receipted`: seal it once, and
 * send the same bytes until there is a receipt.
 */
export function packAlarms(): Buffer {
    const shift = shiftTicks()
    const now = Math.ceil(millis() / tickMs)
    beginArray()
    let events = 0
    let records = 0
    // Of each kind the beginning comes before the end.
    for (let i = 0; i < 2 * Kind.count && events < maxEvents; i++) {
        const kind = i >> 1
        const event = i & 1
        if (!isDue(slots, kind, event === Event.raised ? raiseDue : clearDue)) continue
        const name = events === 0 ? baseName : undefined
        records += writeEvent(slots, kind, event, shift, now, name)
        if (event === Event.raised) raisesUnderWay |= 1 << kind
        else clearsUnderWay |= 1 << kind
        events++
    }
    clearsReported |= clearsUnderWay
    return endArray(records)
}

/** There is a receipt for what was under way. */
export async function alarmsReceipted(): Promise<void> {
    for (let kind = 0; kind < Kind.count; kind++) {
        if (raisesUnderWay & (1 << kind)) markReported(slots, kind, raiseDue)
        if (clearsUnderWay & (1 << kind)) free(slots, kind)
    }
    clearsReported &= ~clearsUnderWay
    raisesUnderWay = clearsUnderWay = 0
    await save()
}

/**
 * @param excess how far the value is beyond its limit
 * @param hysteresis how far it has to be on the right side of it for the alarm to end
 */
function watch(atMs: number, kind: Kind, value: number | undefined, excess: number, hysteresis: number): void {
    const at = kind * 8
    const wasRaised = isRaised(slots, kind)
    const isOpposite = wasRaised ? excess <= -hysteresis : excess > 0
    let sinceMs = since.getAt(at, "f64")
    if (!isOpposite) {
        if (sinceMs >= 0) since.setAt(at, "f64", -1)
        return
    }
    if (sinceMs < 0) {
        sinceMs = atMs
        since.setAt(at, "f64", atMs)
    }
    if (atMs - sinceMs < config.delay * 1000) return
    since.setAt(at, "f64", -1)
    const ticks = Math.round(atMs / tickMs)
    if (wasRaised) setEvent(slots, kind, Event.cleared, ticks, value)
    else raise(kind, ticks, value)
    // From now on: the uplink may run before the fiber does.
    mustSave = true
    const run = async () => await save()
    run.start()
}

function raise(kind: Kind, ticks: number, value: number | undefined): void {
    const bit = 1 << kind
    const wasCleared = isDue(slots, kind, clearDue)
    markReported(slots, kind, clearDue)
    // Nobody can have heard that it was cleared: it goes on.
    if (wasCleared && !(clearsReported & bit)) return
    // Somebody may have: another one, which began with the first where that is still to be told.
    if (!isDue(slots, kind, raiseDue)) setEvent(slots, kind, Event.raised, ticks, value)
    setId(slots, kind, nextId++)
    clearsReported &= ~bit
    raisesUnderWay &= ~bit
    clearsUnderWay &= ~bit
}

function shiftTicks(): number | undefined {
    const shift = clockShift()
    return shift === undefined ? undefined : Math.round(shift / tickMs)
}

/** Writes the slots to flash, again where they change meanwhile. Never throws. */
async function save(): Promise<void> {
    mustSave = true
    if (isWriting) return
    isWriting = true
    while (mustSave) {
        mustSave = false
        date()
        try {
            for (let first = 0; first < Kind.count; first += journalKinds)
                if (!(await writeJournal(first))) console.log("the flash does not keep alarms")
        } catch (e) {
            console.log("alarms: " + (e as Error).message)
        }
    }
    isWriting = false
    if (isAlarmPending()) news()
}

/** Nothing is written where there is neither an alarm nor was one: most motes never have one of the later kinds. */
async function writeJournal(first: number): Promise<boolean> {
    const contents = journal(first)
    if (contents.length === kidBytes && !(await readBytes(keyOf(first)))) return true
    return await writeBytes(keyOf(first), contents)
}

function keyOf(first: number): string {
    return first > 0 ? journalKey + first : journalKey
}

function journal(first: number): Buffer {
    const end = Math.min(Kind.count, first + journalKinds)
    let length = kidBytes
    for (let kind = first; kind < end; kind++) if (isUsed(slots, kind)) length += recordBytes
    const journal = Buffer.alloc(length)
    journal.blitAt(0, kid, 0, kidBytes)
    let at = kidBytes
    for (let kind = first; kind < end; kind++) {
        if (!isUsed(slots, kind)) continue
        journal[at] = kind
        journal.blitAt(at + 1, slots, kind * slotBytes, slotBytes)
        at += recordBytes
    }
    return journal
}

/** Gives what happened in this start a time that holds after a restart, too. */
function date(): void {
    const shift = shiftTicks()
    if (shift === undefined) return
    for (let kind = 0; kind < Kind.count; kind++)
        for (let event = Event.raised; event <= Event.cleared; event++)
            if (isUsed(slots, kind) && timeBaseOf(slots, kind, event) === TimeBase.start)
                setTime(slots, kind, event, ticksOf(slots, kind, event) + shift, TimeBase.unix)
}
