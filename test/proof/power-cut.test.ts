import assert from "node:assert/strict"
import { test } from "node:test"
import type { ByteStream, StreamReceiver } from "../../host/stream.ts"
import { Code } from "../../router/coap/message.ts"
import { FrameReader } from "../../router/coap/frame.ts"
import { memoryFlash, runProgram, type ProgramRun } from "../../sim/mote/program.ts"
import type { Flash } from "../../sim/vm/machine.ts"
import { makeConfig } from "../../wire/config.ts"
import { defaultConfig } from "../../wire/tables/settings.ts"
import { isLong } from "../support/long.ts"
import { NonceWatch, World } from "./world.ts"

/** Of a hundred cuts or more, and of ten thousand pairs of them. */
const cutSample = 10
const pairSample = isLong ? 60 : 5

/** What happens to a mote from power-up on, and where its power may be cut. */
interface Moments {
    /** Counts the moments; the one whose number is `cutAt` ends the power, before or after what happens in it. */
    count: number
    cutAt: number
    when: "before" | "after"
    cut: () => void
}

/** True where nothing more happens, because the power has just gone. */
function moment(m: Moments, happen: () => void): void {
    const isNow = m.count++ === m.cutAt
    if (isNow && m.when === "before") return m.cut()
    happen()
    if (isNow) m.cut()
}

/**
 * A flash whose every write is a moment. Half a write is more than the VM's own store survives: finding one it formats
 * itself, and the mote is as it left the factory.
 */
function cuttableFlash(m: Moments): Flash {
    const flash = memoryFlash()
    return {
        load: () => flash.load(),
        save: contents => moment(m, () => flash.save(contents)),
    }
}

/** A connection on which every piece, there or back, is a moment; `sent` sees what really leaves. */
function cuttable(m: Moments, stream: ByteStream, sent: (bytes: Uint8Array) => void): ByteStream {
    return {
        peer: stream.peer,
        get backlog() {
            return stream.backlog
        },
        write: bytes =>
            moment(m, () => {
                sent(bytes)
                stream.write(bytes)
            }),
        end: () => stream.end(),
        destroy: () => stream.destroy(),
        listen: (receiver: StreamReceiver) =>
            stream.listen({
                data: bytes => moment(m, () => receiver.data(bytes)),
                closed: () => receiver.closed(),
            }),
    }
}

/** A life of a mote: fever, a configuration that comes, power cuts; then two minutes in peace. */
async function live(cuts: Cut[]): Promise<number[]> {
    const world = new World(1)
    const nonces = new NonceWatch()
    const counts: number[] = []
    let life: ProgramRun | undefined
    let isOff = false
    const m: Moments = {
        count: 0,
        cutAt: -1,
        when: "before",
        cut: () => {
            isOff = true
            life?.mote.stop()
        },
    }
    const connect = async () => {
        const reader = new FrameReader(8192)
        const stream = cuttable(m, await world.connect(), bytes => {
            for (const message of reader.push(bytes)) {
                if (message.code !== Code.POST) continue
                nonces.sent(message.payload)
            }
        })
        return stream
    }
    const settings: Record<string, unknown> = { ...world.settings, feverFrom: 4, feverTo: 14 }
    try {
        life = await runProgram("test/src/proof.ts", {
            clock: world.clock,
            random: world.random,
            flash: cuttableFlash(m),
            connect,
            settings,
        })
        const { lines, mote, panics, run } = life
        // Provisioned, by a cable; from now on it is on its own.
        await run(0.5)
        mote.stop()
        Object.assign(m, { count: 0, cutAt: cuts[0]?.at ?? -1, when: cuts[0]?.when ?? "before" })
        await mote.powerUp()
        const configure = (version: number) => {
            const values = { ...defaultConfig, hrHigh: 130 + version }
            const sealedConfig = makeConfig(values, version, world.keys, world.random)
            world.clinic.routerKeys[0] = { ...world.known, config: version, sealedConfig }
        }
        for (const [i] of cuts.entries()) {
            configure(i + 1)
            await run(75, () => isOff)
            counts.push(m.count)
            const next = cuts[i + 1]
            mote.stop()
            isOff = false
            Object.assign(m, { count: 0, cutAt: next?.at ?? -1, when: next?.when ?? "before" })
            // It cooled down while the mote was off.
            Object.assign(settings, { feverFrom: 0, feverTo: 0 })
            const wasKept = lines.lastIndexOf("alarm kept") > lines.lastIndexOf("alarm told")
            await run(1)
            lines.push(wasKept ? "off with an alarm" : "off")
            await mote.powerUp()
            if (isOff) mote.stop()
        }
        if (cuts.length === 0) configure(1)
        await run(cuts.length === 0 ? 75 : 150)
        counts.push(m.count)
        if (cuts.length > 0) check(world, lines, panics, cuts.length)
    } finally {
        life?.mote.stop()
        world.close()
    }
    return counts
}

function check(world: World, lines: string[], panics: number[], cuts: number): void {
    assert.deepEqual(panics, [])
    // Every start is a new one, and the last start's readings are all there.
    const arrived = world.arrived()
    const last = Math.max(...arrived.map(({ boot }) => boot))
    const numbers = arrived
        .filter(({ boot }) => boot === last)
        .flatMap(({ measurements }) => measurements.filter(({ name }) => name === "hr"))
        .map(({ value }) => Math.round((value - 60) * 10))
        .sort((a, b) => a - b)
    assert.ok(numbers.length > 60, `${numbers.length} readings\n${lines.join("\n")}`)
    assert.deepEqual(
        numbers,
        numbers.map((_, i) => i),
    )
    assert.equal(world.router!.stats().otherSalt, 0)
    // The configuration is whole, and never an older one again.
    let version = 0
    for (const line of lines) {
        const [, text, hrHigh] = /config (\d+) (\d+)/.exec(line) ?? []
        if (text === undefined) continue
        assert.equal(Number(hrHigh), 130 + Number(text))
        assert.ok(Number(text) >= version, `version ${text} after ${version}`)
        version = Number(text)
    }
    assert.equal(version, cuts, "the newest configuration is in force")
    // An alarm that was kept is told, and so is its end.
    const alarms = world.alarms().filter(({ kind }) => kind === "temp-high")
    const raised = new Set(alarms.filter(a => a.raised).map(({ id }) => id))
    const cleared = new Set(alarms.filter(a => !a.raised).map(({ id }) => id))
    if (lines.includes("off with an alarm") || lines.includes("alarm told"))
        assert.ok(raised.size > 0, "the alarm arrived")
    const newest = Math.max(...raised)
    if (raised.size > 0) assert.ok(cleared.has(newest), `and its end: ${JSON.stringify(alarms)}\n${lines.join("\n")}`)
}

const ways = ["before", "after"] as const
interface Cut {
    at: number
    when: Moments["when"]
}

test("the power is cut at every write to flash and between any two messages", async () => {
    const cuts = await everyCut()
    assert.ok(cuts.length >= 60, `${cuts.length} cuts`)
    for (const cut of isLong ? cuts : sample(cuts, cutSample)) await survive([cut])
})

test("and again in the start after that", async () => {
    const cuts = await everyCut()
    const pairs = cuts.flatMap(first => cuts.map(second => [first, second]))
    for (const pair of sample(pairs, pairSample)) await survive(pair)
})

/** All moments of a life without cuts, each in every way. */
async function findCuts(): Promise<Cut[]> {
    const [moments] = await live([])
    return Array.from({ length: moments! }, (_, at) => ways.map(when => ({ at, when }))).flat()
}

let cuts: Promise<Cut[]> | undefined
const everyCut = () => (cuts ??= findCuts())

async function survive(cuts: Cut[]): Promise<void> {
    try {
        await live(cuts)
    } catch (error) {
        ;(error as Error).message += `\nwith ${JSON.stringify(cuts)}`
        throw error
    }
}

function sample<T>(items: T[], size: number): T[] {
    return Array.from({ length: size }, () => items[Math.floor(items.length * Math.random())]!)
}
