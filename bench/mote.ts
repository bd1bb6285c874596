import { randomBytes } from "node:crypto"
import { pipe, runProgram, syntheticBody, VirtualClock, wearableChips } from "../sim/index.ts"
import { silentLog } from "../host/log.ts"
import { Router, SqliteStore } from "../router/index.ts"
import { nonceBytes } from "../wire/envelope.ts"
import { deriveKeys, eui } from "../wire/keys.ts"
import { makeReceipt } from "../wire/receipt.ts"
import { images } from "./images.ts"
import type { Row } from "./row.ts"
import { bisect, heapBytes, maxSteps, rp2040 } from "./vm.ts"
import { wireRows } from "./wire.ts"

const zeroKeys = deriveKeys(new Uint8Array(32), new Uint8Array(8))
/** For the nonce in bench/src/work.ts. */
const receipt = makeReceipt({ now: Date.UTC(2026, 0, 1), config: 1 }, new Uint8Array(nonceBytes), zeroKeys.receipt)
/** What an envelope has beside the encrypted bytes. */
const frameBytes = 49

/** Sizes, steps and memory of the mote's firmware, measured on the bytecode in the VM. */
export async function bench(): Promise<Row[]> {
    return [...(await sizes()), ...(await wireRows()), ...(await images()), ...(await steps()), ...(await heap())]
}

async function sizes(): Promise<Row[]> {
    const rows: Row[] = []
    for (const readings of [1, 5, 10, 30]) {
        const bytes = await envelopeBytes({ readings })
        rows.push(
            { what: `envelope of ${readings}`, value: bytes, unit: "bytes" },
            { what: `  per reading`, value: bytes / readings, unit: "bytes" },
        )
    }
    const plain = await envelopeBytes({ readings: 1 })
    const value = (await envelopeBytes({ readings: 1, spo2: 97 })) - plain
    rows.push({ what: "a saturation", value, unit: "bytes", note: "every 8 s" })
    rows.push({ what: "receipt", value: receipt.length, unit: "bytes" })
    return rows
}

async function steps(): Promise<Row[]> {
    const idle = await mostLoops({ work: "nothing" })
    const stepsPerLoop = maxSteps / idle
    const note = `±${Math.ceil(stepsPerLoop)}; a loop turn has ${stepsPerLoop.toPrecision(3)}`
    const rows: Row[] = []
    const measure = async (what: string, o: Work, nativeUs = 0) => {
        const count = Math.round((idle - (await mostLoops(o))) * stepsPerLoop)
        const ms = (count * rp2040.stepUs + nativeUs) / 1000
        rows.push(
            { what: `steps to ${what}`, value: count, unit: "steps", note },
            {
                what: `  on an RP2040`,
                value: ms,
                unit: "ms",
                note: "estimate from steps and blocks",
            },
        )
    }
    await measure("queue a reading", { work: "push" })
    await measure("queue a reading, full", { work: "push, full" })
    await measure("watch a reading for alarms", { work: "watch" })
    await measure("write a pack of 10 summaries", { work: "summaries" })
    for (const readings of [1, 10]) {
        const envelope = await envelopeBytes({ readings })
        // CTR and the CBC-MAC with it, and one block of each for the tag; HMAC over the envelope plus two blocks for its key.
        const blocks = Math.ceil((envelope - frameBytes) / 16) + 1
        const nativeUs = 2 * blocks * rp2040.aesUs + (Math.ceil(envelope / 64) + 4) * rp2040.shaUs
        await measure(`write a pack of ${readings}`, { work: "pack", readings })
        await measure(`write and seal ${readings}`, { work: "seal", readings }, nativeUs)
    }
    await measure("check a receipt", { work: "receipt" }, 6 * rp2040.shaUs)
    return rows
}

async function envelopeBytes(o: Work): Promise<number> {
    const { lines, run } = await work(o)
    await run(3, () => lines.length > 0)
    return Number(lines[0]?.split(" ")[1])
}

interface Work {
    work?: string
    readings?: number
    spo2?: number
    loops?: number
}

function work(o: Work) {
    const settings = { ...o, receipt: Buffer.from(receipt).toString("hex") }
    return runProgram("bench/src/work.ts", { settings })
}

/** The longest calibration loop that fits into the VM's step limit together with the work. */
function mostLoops(o: Work): Promise<number> {
    return bisect(0, 16_384, async loops => {
        const { lines, panics, run, mote } = await work({ ...o, loops })
        await run(3, () => lines.includes("done") || panics.length > 0)
        mote.stop()
        return panics.length === 0
    })
}

/** Peak of the VM's heap, from the largest buffer that can be allocated while the mote still runs. */
async function heap(): Promise<Row[]> {
    const scenario = async (what: string, made: number, outageS: number, note: string) => {
        const ballast = await bisect(0, heapBytes, size => survives(size, made, outageS), 64)
        return { what, value: heapBytes - ballast, unit: "bytes", note }
    }
    return [
        await scenario("peak heap, linked", 0, 0, "sensing, a reading every 2 s"),
        await scenario("peak heap, full queue", 1000, 15, "outage, then catching up; sensing goes on"),
    ]
}

async function survives(ballast: number, made: number, outageS: number): Promise<boolean> {
    const clock = new VirtualClock()
    const kid = Buffer.from("0011223344556677", "hex")
    const secret = Buffer.alloc(32, 1)
    const router = new Router({
        clock,
        random: randomBytes,
        store: SqliteStore.inMemory(),
        clinic: {
            keysOf: () => Promise.resolve([]),
            deliver: batch => Promise.resolve(batch.map(({ id }) => ({ id, status: "stored" }))),
            keys: () => Promise.resolve([{ ...deriveKeys(secret, kid), config: 1 }]),
        },
        log: silentLog,
    })
    let isReachable = outageS === 0
    const { mote, panics, run } = await runProgram("bench/src/heap.ts", {
        clock,
        chips: wearableChips(clock, syntheticBody({ seed: 1 })),
        settings: {
            ...{ kid: eui(kid), secret: secret.toString("hex"), ballast, made },
            router: "coap+tcp://router.invalid",
        },
        connect: () => {
            if (!isReachable) return Promise.reject(new Error("unreachable"))
            const [near, far] = pipe(clock)
            router.accept(far)
            return Promise.resolve(near)
        },
    })
    const failed = () => panics.length > 0
    await run(outageS, failed)
    isReachable = true
    await run(60, failed)
    mote.stop()
    return !failed()
}
