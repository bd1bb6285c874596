import type { Log } from "../../host/log.ts"
import { alarmKinds } from "../../wire/tables/alarm-kinds.ts"
import { ProblemError } from "../errors.ts"
import type { StoredWardRules } from "../store/ward-rules.ts"
import type { Store } from "../store/store.ts"
import type { AlarmRules } from "./rules.ts"
import { isWithin, minuteOfDay, minutesOf, type Shift } from "./shifts.ts"
import { limitOf, type PriorityRules } from "./urgency.ts"

/** Who is told when nobody has attended to an alarm for so long. */
export interface WardStep {
    readonly afterSeconds: number
    /** A channel of the clinic, or a role. */
    readonly tell: string
    /** Only in these, by when the alarm began to wait; always where this is left out. */
    readonly shifts?: readonly string[]
}

/** What a ward has decided about its alarms. */
export interface WardSettings {
    /** So long an acknowledgement holds. */
    readonly acknowledgedMinutes: number
    readonly shifts: readonly Shift[]
    readonly escalation: readonly WardStep[]
    readonly priorities: PriorityRules
}

export interface WardRulesOptions {
    store: Store
    /** Of the clinic: for alarms of no ward, and for wards that have decided nothing. */
    defaults: AlarmRules
    /** Whom one can tell: channels and roles. */
    receivers: readonly string[]
    timeZone: string
    now: () => number
}

const minutesOfDay = 24 * 60

/** The rules of each ward, which each process of the clinic keeps in memory. */
export class WardRules {
    readonly receivers: readonly string[]
    private readonly o: WardRulesOptions
    private readonly byWard = new Map<string, StoredWardRules & { settings: WardSettings }>()

    constructor(o: WardRulesOptions) {
        this.o = o
        this.receivers = o.receivers
    }

    /** Also when another process has written some. */
    async load(log: Log): Promise<void> {
        const { store } = this.o
        const read = async () => {
            for (const row of await store.wardRules.all()) this.keep(row)
        }
        await read()
        store.onChanged(changes => {
            if (changes.has("ward_rules"))
                void read().catch((error: Error) => {
                    log.error({ reason: error.message }, "cannot read the rules of the wards")
                })
        })
    }

    /** What applies to alarms of a ward that began to wait at `at` (unix ms). */
    of(ward: string | null, at: number): AlarmRules {
        const { defaults, timeZone } = this.o
        const own = ward === null ? undefined : this.byWard.get(ward)?.settings
        if (!own) return defaults
        const minute = own.shifts.length > 0 ? minuteOfDay(at, timeZone) : 0
        const steps = stepsAt(own, minute)
        const times = [...new Set(steps.map(({ afterSeconds }) => afterSeconds))].sort((a, b) => a - b)
        const toldAfter = (s: number) => steps.filter(step => step.afterSeconds === s).map(({ tell }) => tell)
        return {
            acknowledgedMs: own.acknowledgedMinutes * 60_000,
            first: toldAfter(0),
            steps: times.filter(s => s > 0).map(s => ({ afterMs: s * 1000, tell: toldAfter(s) })),
            priorities: own.priorities,
        }
    }

    /** The newest version of a ward; undefined where it has decided nothing. */
    get(ward: string): (StoredWardRules & { settings: WardSettings }) | undefined {
        return this.byWard.get(ward)
    }

    /** A new version. Throws ProblemError where it makes no sense, or where there is a newer one than `base`. */
    async put(ward: string, settings: WardSettings, author: string, base: number | undefined) {
        this.check(settings)
        const version = (this.byWard.get(ward)?.version ?? 0) + 1
        if (base !== undefined && base !== version - 1) throw new ProblemError("newer-configuration")
        const row = { ward, version, settings: JSON.stringify(settings), author, madeAt: this.o.now() }
        await this.o.store.wardRules.add(row)
        return this.keep(row)
    }

    private keep(row: StoredWardRules & { settings: string }) {
        const kept = { ...row, settings: JSON.parse(row.settings) as WardSettings }
        this.byWard.set(row.ward, kept)
        return kept
    }

    private check(settings: WardSettings): void {
        const { escalation, priorities, shifts } = settings
        const names = shifts.map(({ name }) => name)
        if (new Set(names).size < names.length) wrong("shifts", "uniqueItems")
        if (shifts.some(({ from, to }) => from === to)) wrong("shifts", "from = to")
        for (const [i, { tell, shifts: only = [] }] of escalation.entries()) {
            if (!this.receivers.includes(tell)) wrong(`escalation/${i}/tell`, "enum")
            if (!only.every(name => names.includes(name))) wrong(`escalation/${i}/shifts`, "enum")
        }
        for (const [kind, { severe }] of Object.entries(priorities)) {
            if (!Object.hasOwn(alarmKinds, kind)) wrong(`priorities/${kind}`, "enum")
            if (severe && !limitOf(kind)) wrong(`priorities/${kind}/severe`, "limit")
        }
        // An escalation that has nobody to tell at some time of the day is worse than none: one would rely on it.
        const edges = [0, ...shifts.flatMap(({ from, to }) => [minutesOf(from), minutesOf(to) % minutesOfDay])]
        const gap = escalation.length > 0 ? edges.find(minute => stepsAt(settings, minute).length === 0) : undefined
        if (gap !== undefined) throw new ProblemError("nobody-to-tell", { time: clockTime(gap) })
    }
}

function stepsAt({ escalation, shifts }: WardSettings, minute: number): readonly WardStep[] {
    const now = new Set(shifts.filter(shift => isWithin(shift, minute)).map(({ name }) => name))
    return escalation.filter(({ shifts: only }) => only === undefined || only.some(name => now.has(name)))
}

function clockTime(minute: number): string {
    return [Math.floor(minute / 60), minute % 60].map(n => String(n).padStart(2, "0")).join(":")
}

function wrong(where: string, rule: string): never {
    throw new ProblemError("bad-request", { place: `body/settings/${where}`, rule })
}
