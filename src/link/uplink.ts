import { millis, sleep } from "@devicescript/core"
import { Clock } from "./clock"
import { Code, dotted } from "../coap/message"
import { countBoot, Identity, readIdentity } from "./identity"
import { ReadingQueue, tickMs } from "./queue"
import { Reading } from "../reading"
import { Envelope, Receipt, ReceiptOpener, Sealer } from "./seal"
import { PackWriter } from "./senml"
import { Signal } from "../signal"
import { status } from "./status"
import { Answer, Purpose, Transport } from "./transport"
import { transportFor } from "./transports"

/** 30 minutes at one reading every 2 s. */
const queueReadings = 900
/** Readings in one envelope when catching up: about 500 bytes. */
const batchReadings = 10
/** So many make an envelope, 10 s: together they take a third of the bytes that they take one by one. */
const defaultReportReadings = 5

/** Without a receipt for that long the connection is given up. */
const receiptMs = 10000
const minBackoffMs = 1000
const maxBackoffMs = 60000
/** Where the router answers but does not take the envelope, it takes longer to change. */
const maxRefusedBackoffMs = 300000
/** RFC 7252 §5.10.5: the default of Max-Age. */
const defaultMaxAgeS = 60
const maxBusyMs = 120000

const flashRetryMs = 60000

/**
 * The mote's link, ready to take readings; undefined where the mote has no identity.
 * @param reportReadings so many wait for each other before they are sent, at most 10
 */
export async function startUplink(
    reportReadings = defaultReportReadings,
): Promise<Uplink | undefined> {
    const identity = await readIdentity()
    if (!identity) return undefined
    console.log(`mote ${identity.eui}`)
    let boot = await countBoot()
    while (boot === undefined) {
        console.log("the flash does not keep the boot counter: nothing is sent")
        await sleep(flashRetryMs)
        boot = await countBoot()
    }
    const uplink = new Uplink(identity, boot, reportReadings)
    const run = async () => await uplink.run()
    run.start()
    return uplink
}

/**
 * Brings readings to the router. An envelope is sealed once and kept until a valid receipt for it comes; everything else
 * that happens only decides when the same bytes are sent again.
 */
export class Uplink {
    /** The newest configuration version that the router knows of. */
    config = 0
    private identity: Identity
    private reportReadings: number
    private queue = new ReadingQueue(queueReadings)
    private clock = new Clock()
    private transport: Transport
    private pack: PackWriter
    private sealer: Sealer
    private opener: ReceiptOpener
    private hasReading = new Signal()
    private hadRate = false
    private isUrgent = false
    /** Sealed and without a receipt. */
    private envelope: Envelope
    private sendings = 0
    private receipt: Receipt
    private failures = 0
    /** What was said last about the link, so that nothing is said twice. */
    private said = ""

    /** @param boot number of this start, already in flash */
    constructor(identity: Identity, boot: number, reportReadings: number) {
        this.identity = identity
        this.reportReadings = reportReadings
        this.pack = new PackWriter(identity.eui, batchReadings)
        this.sealer = new Sealer(identity.keys, boot)
        this.opener = new ReceiptOpener(identity.keys)
        this.transport = transportFor(identity.router)
        status.eui = identity.eui
        status.boot = boot
    }

    /** Takes a reading; never waits. */
    push(reading: Reading): void {
        const hasRate = reading.bpm !== undefined
        if (hasRate !== this.hadRate) this.isUrgent = true
        this.hadRate = hasRate
        this.queue.push(reading)
        this.hasReading.raise()
    }

    /** Sends what comes, for ever. */
    async run(): Promise<void> {
        for (;;) {
            try {
                if (this.envelope || this.isDue()) await this.send()
                else await this.hasReading.wait()
            } catch (e) {
                console.log("uplink: " + (e as Error).message)
                await this.fail(maxBackoffMs)
            }
        }
    }

    /** Readings wait for each other, but not where the rate has come or gone, nor before a receipt has set the clock. */
    private isDue(): boolean {
        const { length } = this.queue
        if (length === 0) return false
        return length >= this.reportReadings || this.isUrgent || this.clock.get() === undefined
    }

    private async send(): Promise<void> {
        if (!this.transport.isOpen()) {
            const { router } = this.identity
            if (!(await this.transport.open(router))) {
                this.say(`no connection to ${router.host} port ${router.port}`)
                await this.fail(maxBackoffMs)
                return
            }
        }
        // Sealed as late as can be: without a clock its times are relative to the sending.
        if (!this.envelope) this.seal()
        await this.exchange()
    }

    private seal(): void {
        const shift = this.clock.get()
        // A time that is relative to the sending goes wrong when the sending has to be repeated: one reading at most.
        const count = shift === undefined ? 1 : Math.min(this.queue.length, batchReadings)
        const shiftTicks = shift === undefined ? undefined : Math.round(shift / tickMs)
        const now = Math.ceil(millis() / tickMs)
        this.envelope = this.sealer.seal(this.pack.write(this.queue, count, shiftTicks, now))
        this.sendings = 0
        this.isUrgent = false
        // They are in the envelope now, and so is what was lost.
        this.queue.drop(count)
        this.queue.lost = 0
    }

    private async exchange(): Promise<void> {
        const sentMs = millis()
        this.sendings++
        this.receipt = undefined

        const uplink = this
        const answer = await this.transport.post(
            Purpose.vitals,
            this.envelope.bytes,
            receiptMs,
            receipt => uplink.accept(receipt),
        )
        if (this.receipt) this.receipted(this.receipt, sentMs)
        else if (answer.code === 0) {
            this.say("no receipt")
            await this.fail(maxBackoffMs)
        } else if (answer.code === Code.serviceUnavailable) {
            this.say("the router is busy")
            await sleep(busyMs(answer) * (1 + Math.random() / 4))
        } else {
            this.say(`the router refuses: ${dotted(answer.code)}`)
            await this.fail(maxRefusedBackoffMs)
        }
    }

    private accept(receipt: Buffer): boolean {
        this.receipt = this.opener.open(receipt, this.envelope.nonce)
        return this.receipt !== undefined
    }

    private receipted(receipt: Receipt, sentMs: number): void {
        this.envelope = undefined
        this.failures = 0
        this.config = receipt.config
        // Which of several sendings a receipt answers, nobody knows: those set no clock.
        if (this.sendings === 1) this.clock.receipt(receipt.now, sentMs, millis())
        this.say("linked")
    }

    /** Gives the connection up and waits, twice as long after each failure, and not all motes equally long. */
    private async fail(maxMs: number): Promise<void> {
        this.transport.close()
        const ms = Math.min(maxMs, minBackoffMs * Math.pow(2, Math.min(this.failures, 20)))
        this.failures++
        await sleep(ms * (0.5 + Math.random() / 2))
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
