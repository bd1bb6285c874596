import { quantile } from "../clinic/burden/statistics.ts"
import { routerSilentMs } from "../clinic/routers.ts"
import { syntheticBody, type Body } from "../sim/index.ts"
import type { SyntheticOptions } from "../sim/body/synthetic.ts"
import { seededRandom } from "../sim/time/random.ts"
import { AlarmWard } from "./alarm-ward.ts"
import { alarmKindOf } from "../wire/tables/alarm-kinds.ts"
import type { Row } from "./row.ts"

const times = 4
const firstS = 120
const everyS = 200
const lastsS = 90
const stepS = 1

/** From skin to what the clinic tells its pages: how long an alarm takes, and how soon a silence is one. */
export async function bench(): Promise<Row[]> {
    return [...(await crossings()), ...(await silences())]
}

/** What becomes of the wearer for `lastsS`, again and again, from these seconds on. */
const courses: Record<string, (starts: readonly number[]) => Partial<SyntheticOptions>> = {
    "hr-high": starts => ({ bpm: steps(starts, 72, 150) }),
    "hr-low": starts => ({ bpm: steps(starts, 60, 35) }),
    "spo2-low": starts => ({ spo2: steps(starts, 97, 84) }),
    "temp-high": starts => ({ coreC: steps(starts, 37, 39.5) }),
    "temp-low": starts => ({ coreC: steps(starts, 37, 34) }),
    contact: starts => ({ off: starts.map(fromS => ({ fromS, toS: fromS + lastsS })) }),
}

function steps(starts: readonly number[], rest: number, ill: number): [number, number][] {
    return starts.flatMap(at => [
        [at, rest],
        [at + stepS, ill],
        [at + lastsS, ill],
        [at + lastsS + stepS, rest],
    ])
}

/** Limit crossed to what the clinic tells its pages: real bytecode, router and clinic in virtual time; delay 10 s, report 10 s. */
async function crossings(): Promise<Row[]> {
    return await withAlarmWard(async system => {
        const random = seededRandom(7)
        const waits = new Map<string, number[]>()
        const wearers = new Map<number, { kind: string; starts: number[] }>()
        for (const [kind, course] of Object.entries(courses)) {
            const starts = Array.from({ length: times }, (_, i) => firstS + i * everyS + 30 * random())
            const body: Body = syntheticBody({ seed: 11, motion: [], ...course(starts) })
            const { patient, poweredAt } = await system.admit(body)
            wearers.set(patient, { kind, starts: starts.map(s => poweredAt + s * 1000) })
            waits.set(kind, [])
        }
        const heard = new Set<number>()
        system.clinic.liveAlarms.subscribe(alarms => {
            for (const { id, patient, kind, clearedAt } of alarms) {
                const wearer = patient === null ? undefined : wearers.get(patient)
                if (!wearer || wearer.kind !== kind || clearedAt !== null || heard.has(id)) continue
                heard.add(id)
                const start = wearer.starts.findLast(at => at <= system.clock.now())
                if (start !== undefined) waits.get(kind)!.push((system.clock.now() - start) / 1000)
            }
        })
        // Admitting takes virtual time, too: the last one begins last.
        await system.run(firstS + times * everyS + 90)
        return [...waits].flatMap(([kind, some]) =>
            percentiles(`${alarmKindOf(kind).label}: limit crossed to page told`, some),
        )
    })
}

function percentiles(what: string, seconds: number[]): Row[] {
    const sorted = seconds.toSorted((a, b) => a - b)
    const note = `virtual time, ${sorted.length} of ${times}`
    return [0.5, 0.99].map(share => ({
        ...{ what: `${what}, p${share * 100}`, value: Math.round((quantile(sorted, share) ?? NaN) * 10) / 10 },
        ...{ unit: "s", note },
    }))
}

/** A mote without power and a router that is gone, until the clinic says so. */
async function silences(): Promise<Row[]> {
    return await withAlarmWard(async system => {
        const { clinic, clock } = system
        const { mote, patient } = await system.admit(syntheticBody({ seed: 3 }))
        await system.run(60)
        await clinic.silence.check()
        mote.stop()
        const diedAt = clock.now()
        const isSaid = async () => (await clinic.alarms.open()).some(alarm => alarm.patient === patient)
        await everySecond(system, async () => (await clinic.silence.check(), await isSaid()))
        const moteS = (clock.now() - diedAt) / 1000
        const { id } = await clinic.accounts.add({ name: "router", role: "router" })
        await clinic.ingest([], { account: id })
        const lostAt = clock.now()
        await everySecond(system, async () => (await clinic.conditions()).some(({ code }) => code === "router-silent"))
        const routerS = (clock.now() - lostAt) / 1000
        return [
            { what: "mote without power to alarm", value: moteS, unit: "s", note: "virtual time; reports every 10 s" },
            {
                what: "dead router to what the page is told",
                value: routerS,
                unit: "s",
                note: `limit ${routerSilentMs} ms`,
            },
        ]
    })
}

/** Until it is so, for five minutes at most. */
async function everySecond(system: AlarmWard, isSo: () => Promise<boolean>): Promise<void> {
    for (let s = 0; s < 300 && !(await isSo()); s++) await system.run(1)
}

async function withAlarmWard(work: (system: AlarmWard) => Promise<Row[]>): Promise<Row[]> {
    const system = await AlarmWard.start()
    try {
        return await work(system)
    } finally {
        await system.close()
    }
}
