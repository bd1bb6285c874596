import { millis } from "@devicescript/core"
import { beginArray, endArray } from "../link/cbor"
import { config } from "../config/config"
import { readBytes, writeBytes } from "../platform/flash"
import { clockShift } from "../link/clock"
import { tickMs } from "../link/queue"
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
 * Watches the readings, and keeps each alarm event until the router has acknowledged it with a receipt, in one slot per
 * kind. The slots are also in flash: after a power cut an alarm is still reported, and not raised a second time.
 *
 * Started by `uplink/uplink.ts` (`loadAlarms`), which passes on each reading and each receipt. Only this module writes
 * the slots; the uplink takes them as packs, and `mote.ts` asks whether an alarm is about to be raised or cleared.
 */

/** Hysteresis: how far within its limit a value must be to clear the alarm, in beat/min, °C and percent. */
const bpmHysteresis = 5
const tempHysteresisC = 0.3
const spo2Hysteresis = 2
const lowBattery = 15
const batteryHysteresis = 5

/**
 * Journal in flash, one setting for every eight kinds: the kid, then for each slot in use its kind and content; at most
 * 200 bytes, because no more than 223 fit with the key. A power cut between two writes does no harm: each slot is
 * complete in one setting and independent of the others.
 */
const journalKey = "alarms"
const journalKinds = 8
const kidBytes = 8
const recordBytes = 1 + slotBytes
/** Number of alarm ids per start of the mote. */
const idsPerBoot = 0x100000
/** Maximum number of events in an envelope: about 100 bytes. */
const maxEvents = 4

const slots = Buffer.alloc(Kind.count * slotBytes)
/** Per kind: since when the readings contradict the slot, in ms of `millis()`; −1 if they do not. */
const since = Buffer.alloc(Kind.count * 8)
/** Events in the envelope in flight, one bit per kind. */
let raisesInFlight = 0
let clearsInFlight = 0
/** Kinds whose clearing may already have been received. */
let clearsReported = 0
let kid: Buffer
let nextId: number
let news: () => void
let mustSave = false
let isWriting = false

/**
 * Loads the alarms of the last start from flash; must be called first.
 * @param mote its kid; the journal of another mote is ignored
 * @param boot number of this start, never used before
 * @param hasNews called when there is an alarm to send; must not wait
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
        // It may have been in flight when the power failed.
        if (isDue(slots, kind, clearDue)) clearsReported |= 1 << kind
    }
}

/** Handles a reading without waiting. A value that the reading lacks neither raises nor clears an alarm. */
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

/** Whether an alarm will be raised or cleared if the readings stay as they are. */
export function isAlarmWatching(): boolean {
    for (let kind = 0; kind < Kind.count; kind++) if (since.getAt(kind * 8, "f64") >= 0) return true
    return false
}

/** Whether there are changes not yet in flash. */
export function isAlarmSaving(): boolean {
    return mustSave || isWriting
}

/** Whether there are events to send, and they are safe in flash. */
export function isAlarmPending(): boolean {
    if (isAlarmSaving()) return false
    for (let kind = 0; kind < Kind.count; kind++) if (isDue(slots, kind, raiseDue | clearDue)) return true
    return false
}

/**
 * The events to send. They are in flight until `alarmsReceipted`: seal the pack once, and send the same bytes until there
 * is a receipt.
 */
export function packAlarms(): Buffer {
    const shift = shiftTicks()
    const now = Math.ceil(millis() / tickMs)
    beginArray()
    let events = 0
    // For each kind, raised comes before cleared.
    for (let i = 0; i < 2 * Kind.count && events < maxEvents; i++) {
        const kind = i >> 1
        const event = i & 1
        if (!isDue(slots, kind, event === Event.raised ? raiseDue : clearDue)) continue
        writeEvent(slots, kind, event, shift, now)
        if (event === Event.raised) raisesInFlight |= 1 << kind
        else clearsInFlight |= 1 << kind
        events++
    }
    clearsReported |= clearsInFlight
    return endArray(events)
}

/** Handles a receipt for the events in flight. */
export async function alarmsReceipted(): Promise<void> {
    for (let kind = 0; kind < Kind.count; kind++) {
        if (raisesInFlight & (1 << kind)) markReported(slots, kind, raiseDue)
        if (clearsInFlight & (1 << kind)) free(slots, kind)
    }
    clearsReported &= ~clearsInFlight
    raisesInFlight = clearsInFlight = 0
    await save()
}

/**
 * Watches one value for one kind of alarm.
 * @param excess how far the value is beyond its limit
 * @param hysteresis how far it must be within its limit to clear the alarm
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
    // Set now, because the uplink may run before the fiber does.
    mustSave = true
    const run = async () => await save()
    run.start()
}

function raise(kind: Kind, ticks: number, value: number | undefined): void {
    const bit = 1 << kind
    const wasCleared = isDue(slots, kind, clearDue)
    markReported(slots, kind, clearDue)
    // The clearing has not been received by anyone, so the alarm simply continues.
    if (wasCleared && !(clearsReported & bit)) return
    // The clearing may have been received, so this is a new alarm. It keeps the old start if that has not been reported
    // yet.
    if (!isDue(slots, kind, raiseDue)) setEvent(slots, kind, Event.raised, ticks, value)
    setId(slots, kind, nextId++)
    clearsReported &= ~bit
    raisesInFlight &= ~bit
    clearsInFlight &= ~bit
}

function shiftTicks(): number | undefined {
    const shift = clockShift()
    return shift === undefined ? undefined : Math.round(shift / tickMs)
}

/** Writes the slots to flash, and again if they change meanwhile. Never throws. */
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

/** Writes nothing if there is no alarm and never was one: most motes never have an alarm of the later kinds. */
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

/** Converts the event times of this start to Unix time, which stays valid after a restart. */
function date(): void {
    const shift = shiftTicks()
    if (shift === undefined) return
    for (let kind = 0; kind < Kind.count; kind++)
        for (let event = Event.raised; event <= Event.cleared; event++)
            if (isUsed(slots, kind) && timeBaseOf(slots, kind, event) === TimeBase.start)
                setTime(slots, kind, event, ticksOf(slots, kind, event) + shift, TimeBase.unix)
}
