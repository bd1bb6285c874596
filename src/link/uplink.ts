import { millis, sleep } from "@devicescript/core"
import { Alarms } from "../alarms/alarms"
import { Clock } from "./clock"
import { Code, dotted } from "../coap/message"
import { notifyObservers } from "../coap/observers"
import { config, PowerMode } from "../config/config"
import {
    configNote,
    configNoted,
    configure,
    endTrial,
    followTrial,
    loadConfig,
    takeCommand,
} from "../config/downlink"
import { Endpoint, parseEndpoint } from "./endpoint"
import { countBoot, Identity, readIdentity } from "./identity"
import { groupReadings, ReadingQueue, tickMs } from "./queue"
import { powerMode } from "../power"
import { Reading } from "../reading"
import { Envelope, Receipt, ReceiptOpener, Sealer } from "./seal"
import { PackWriter } from "./senml"
import { Signal } from "../signal"
import { status } from "./status"
import { Answer, Purpose, Transport } from "./transport"
import { transportFor } from "./transports"

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

/** The mote's link, ready to take readings; undefined where the mote has no identity. */
export async function startUplink(): Promise<Uplink | undefined> {
    const identity = await readIdentity()
    if (!identity) return undefined
    console.log(`mote ${identity.eui}`)
    let boot = await countBoot()
    while (boot === undefined) {
        console.log("the flash does not keep the boot counter: nothing is sent")
        await sleep(flashRetryMs)
        boot = await countBoot()
    }
    const uplink = new Uplink(identity, boot)
    await uplink.load()
    const run = async () => await uplink.run()
    run.start()
    return uplink
}

/**
 * Brings readings and alarms to the router. An envelope is sealed once and kept until a valid receipt for it comes;
 * everything else that happens only decides when the same bytes are sent again.
 */
export class Uplink {
    /** Somebody wants to know which mote this is. */
    onIdentify: () => void = () => {}
    private identity: Identity
    private queue = new ReadingQueue(queueReadings, queueSummaries, groupReadings)
    private clock = new Clock()
    readonly alarms: Alarms
    private endpoint: Endpoint
    private transport: Transport
    private pack: PackWriter
    private sealer: Sealer
    private opener: ReceiptOpener
    /** There may be something to do. */
    private wake = new Signal()
    /** Something was tried; for `flush`. */
    private tried = new Signal()
    private hadRate = false
    private isUrgent = false
    /** `millis()` of the reading that was kept last, and a saturation that came since. */
    private keptMs = -Infinity
    private spo2: number
    /** By purpose: sealed and without a receipt. */
    private envelopes: Envelope[] = [undefined, undefined]
    /** The one of them that is being sent, and the receipt for it. */
    private current: Envelope
    private receipt: Receipt
    /** The router refuses an alarm: for once readings go first. */
    private isAlarmRefused = false
    /** No pause: there is a new alarm, or the mote is about to leave. */
    private isHurried = false
    private isFlushing = false
    /** The mote left by itself, until there is a reading again. */
    private isAway = false
    /** `millis()` of the last word of the router. */
    private heardMs = 0
    private failures = 0
    /** What was said last about the link, so that nothing is said twice. */
    private said = ""

    /** @param boot number of this start, already in flash */
    constructor(identity: Identity, boot: number) {
        const uplink = this
        this.identity = identity
        this.alarms = new Alarms(identity.keys.kid, boot, this.clock, () => uplink.hurry())
        this.pack = new PackWriter(identity.eui, batchReadings)
        this.sealer = new Sealer(identity.keys, boot)
        this.opener = new ReceiptOpener(identity.keys)
        status.eui = identity.eui
        status.boot = boot
    }

    /** Takes up what is in flash; to be called before anything else. */
    async load(): Promise<void> {
        await loadConfig(this.identity.keys)
        await this.alarms.load()
        this.settle()
    }

    /** Takes a reading; never waits. */
    push(reading: Reading): void {
        this.alarms.push(reading)
        const { atMs, bpm, spo2 } = reading
        const hasRate = bpm !== undefined
        if (spo2 !== undefined) this.spo2 = spo2
        const isNews = hasRate !== this.hadRate
        if (!isNews && atMs < this.keptMs + config.sample * 1000 - sampleToleranceMs) return
        if (isNews) this.isUrgent = true
        this.hadRate = hasRate
        this.keptMs = atMs
        reading.spo2 = this.spo2
        this.spo2 = undefined
        const { queue } = this
        const lost = queue.lost
        queue.push(reading)
        status.lost += queue.lost - lost
        status.queued = queue.length
        this.isAway = false
        this.wake.raise()
    }

    /** Takes what the clinic has sealed: see `Take`. */
    async take(name: string, sealed: Buffer): Promise<string | undefined> {
        const isConfig = name === "config"
        const refusal = isConfig ? await configure(sealed) : await takeCommand(sealed, name)
        if (!refusal && name === "clear") this.clear()
        if (!refusal && name === "identify") this.onIdentify()
        this.wake.raise()
        return refusal
    }

    /** Forgets all readings that wait; they count as lost. */
    private clear(): void {
        const { queue } = this
        status.lost += queue.length
        queue.clear()
        status.queued = 0
    }

    /**
     * Sends what waits, without a pause more than needed, then leaves in good order and stays away until there is a
     * reading again. To be called before the mote switches itself off.
     * @returns whether there is a receipt for everything; otherwise `timeoutMs` were not enough
     */
    async flush(timeoutMs: number): Promise<boolean> {
        const deadline = millis() + timeoutMs
        this.isFlushing = true
        this.hurry()
        while (this.hasMore() && millis() < deadline) await this.tried.wait(deadline - millis())
        this.isFlushing = false
        this.isAway = true
        await this.transport.release()
        status.isLinked = false
        return !this.hasMore()
    }

    /** Sends what comes, for ever. */
    async run(): Promise<void> {
        for (;;) {
            try {
                await this.turn()
            } catch (e) {
                console.log("uplink: " + (e as Error).message)
                await this.fail(maxBackoffMs)
            }
            this.tried.raise()
        }
    }

    private async turn(): Promise<void> {
        await this.follow()
        this.isHurried = false
        const purpose = this.next()
        if (purpose === undefined) await this.rest()
        else if (await this.connect()) await this.exchange(purpose)
    }

    /** Alarms first. */
    private next(): Purpose | undefined {
        if (this.isAway) return undefined
        const [vitals, alarm] = this.envelopes
        const hasVitals = vitals !== undefined || this.isDue()
        if (hasVitals && this.isAlarmRefused) return Purpose.vitals
        if (alarm || this.alarms.isPending()) return Purpose.alarm
        return hasVitals ? Purpose.vitals : undefined
    }

    /** Readings wait for each other, but not where the rate has come or gone, nor before a receipt has set the clock. */
    private isDue(): boolean {
        const { length } = this.queue
        if (this.hasNote()) return true
        if (length === 0) return false
        if (this.isUrgent || this.isFlushing || this.clock.get() === undefined) return true
        return (
            length >= batchReadings ||
            length * config.sample >= config.report ||
            millis() >= this.oldestMs() + config.report * 1000
        )
    }

    private hasMore(): boolean {
        const [vitals, alarm] = this.envelopes
        const { alarms } = this
        const hasAlarms = alarm !== undefined || alarms.isPending() || alarms.isSaving()
        return hasAlarms || vitals !== undefined || this.queue.length > 0 || this.hasNote()
    }

    /** The clinic waits for a word on its configuration; a router on trial waits for an envelope. */
    private hasNote(): boolean {
        return (this.queue.length > 0 || status.receipts > 0) && configNote() !== undefined
    }

    private oldestMs(): number {
        return this.queue.firstTicks() * tickMs
    }

    /** There is nothing to send: keeps the connection, and sees to it that it is one. */
    private async rest(): Promise<void> {
        const { transport } = this
        if (!this.isAway && powerMode() !== PowerMode.standby) {
            if (!(await this.connect())) return
            if (millis() >= this.heardMs + idleMs) {
                if (await transport.ping(pongMs)) this.heardMs = millis()
                else transport.close()
                return
            }
        }
        status.isLinked = transport.isOpen()
        await this.wake.wait(lookMs)
    }

    private async connect(): Promise<boolean> {
        const { endpoint, transport } = this
        if (transport.isOpen()) return true
        if (!(await transport.open(endpoint))) {
            // Without TLS the native call just never opens anything.
            const how = endpoint.tls ? " by TLS: has this board any?" : ""
            this.say(`no connection to ${endpoint.host} port ${endpoint.port}${how}`)
            await this.fail(maxBackoffMs)
            return false
        }
        this.heardMs = millis()
        status.isLinked = true
        return true
    }

    private async exchange(purpose: Purpose): Promise<void> {
        // Sealed as late as can be: without a clock its times are relative to the sending.
        if (!this.envelopes[purpose])
            this.envelopes[purpose] =
                purpose === Purpose.alarm ? this.sealAlarm() : this.sealVitals()
        const envelope = this.envelopes[purpose]
        if (envelope.sendings > 0) status.repeated++
        else status.sent++
        envelope.sendings++
        this.current = envelope
        this.receipt = undefined
        const sentMs = millis()
        const uplink = this
        const answer = await this.transport.post(purpose, envelope.bytes, receiptMs, receipt =>
            uplink.accept(receipt),
        )
        this.isAlarmRefused = false
        if (purpose === Purpose.vitals && envelope.sendings === 1) await notifyObservers()
        if (answer.code !== 0) this.heardMs = millis()
        if (this.receipt) await this.receipted(purpose, this.receipt, sentMs)
        else if (answer.code === 0) {
            this.say("no receipt")
            await this.fail(maxBackoffMs)
        } else if (answer.code === Code.serviceUnavailable) {
            this.say("the router is busy")
            await this.pause(busyMs(answer) * (1 + Math.random() / 4))
        } else {
            const { code, maxBytes } = answer
            const size = maxBytes === undefined ? "" : `, it takes ${maxBytes} bytes`
            this.say(`the router refuses: ${dotted(code)}${size}`)
            this.isAlarmRefused = purpose === Purpose.alarm
            await this.fail(maxRefusedBackoffMs)
        }
    }

    private sealAlarm(): Envelope {
        return this.sealer.seal(this.alarms.pack(this.pack), Purpose.alarm)
    }

    private sealVitals(): Envelope {
        const { queue } = this
        const now = Math.ceil(millis() / tickMs)
        const shift = this.clock.get(queue.length > 0 ? this.oldestMs() : millis())
        const note = configNote()
        // A time that is relative to the sending goes wrong when the sending has to be repeated: one reading at most.
        const most = shift === undefined ? 1 : batchReadings
        const shiftTicks = shift === undefined ? undefined : Math.round(shift / tickMs)
        // Two of them do not fit into the heap where the next is sealed.
        status.newest = undefined
        status.newest = this.sealer.seal(this.pack.write(queue, most, shiftTicks, now, note))
        this.isUrgent = false
        if (note) configNoted()
        status.queued = queue.length
        return status.newest
    }

    private accept(receipt: Buffer): boolean {
        this.receipt = this.opener.open(receipt, this.current.nonce)
        return this.receipt !== undefined
    }

    private async receipted(purpose: Purpose, receipt: Receipt, sentMs: number): Promise<void> {
        const now = millis()
        // Which of several sendings a receipt answers, nobody knows: those set no clock.
        if (this.current.sendings === 1) this.clock.receipt(receipt.now, sentMs, now)
        this.envelopes[purpose] = undefined
        this.failures = 0
        status.receipts++
        status.receiptMs = now
        this.say("linked")
        if (purpose === Purpose.alarm) await this.alarms.receipted()
        await endTrial()
    }

    /** Where the configuration says that the router is. */
    private settle(): void {
        const before = this.endpoint
        const endpoint = parseEndpoint(config.router) || this.identity.router
        this.endpoint = endpoint
        if (before && before.protocol === endpoint.protocol) return
        const uplink = this
        const take = async (name: string, sealed: Buffer) => await uplink.take(name, sealed)
        this.transport = transportFor(endpoint.protocol, this.identity, take)
    }

    /** Goes to another router where the configuration wants that; says whether it does. */
    private async follow(): Promise<boolean> {
        if (!(await followTrial())) return false
        await this.transport.release()
        this.settle()
        this.failures = 0
        return true
    }

    /** Gives the connection up and waits, twice as long after each failure, and not all motes equally long. */
    private async fail(maxMs: number): Promise<void> {
        this.transport.close()
        const ms = Math.min(maxMs, minBackoffMs * Math.pow(2, Math.min(this.failures, 20)))
        this.failures++
        await this.pause(ms * (0.5 + Math.random() / 2))
    }

    /** Waits, unless there is a hurry or another router. */
    private async pause(ms: number): Promise<void> {
        const end = millis() + ms
        status.isLinked = this.transport.isOpen()
        while (!this.isHurried && millis() < end && !(await this.follow()))
            await this.wake.wait(Math.min(end - millis(), lookMs))
    }

    private hurry(): void {
        this.isHurried = true
        this.isAway = false
        this.wake.raise()
    }

    private say(line: string): void {
        if (line !== this.said) console.log(line)
        this.said = line
    }
}

function busyMs({ maxAgeS }: Answer): number {
    const ms = (maxAgeS === undefined ? defaultMaxAgeS : maxAgeS) * 1000
    return Math.max(minBackoffMs, Math.min(maxBusyMs, ms))
}
