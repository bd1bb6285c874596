import { alarmKinds, type AlarmKind, type AlarmKindName, type AlarmLimit } from "../../wire/tables/alarm-kinds.ts"
import type { ConfigName, ConfigValues } from "../../wire/tables/settings.ts"
import { LimitRule } from "./rule.ts"

/** Alarms that a mote raises by a limit that can be set. */
export interface LimitKind {
    kind: AlarmKindName
    cause: AlarmLimit
    setting: ConfigName
}

export const limitKinds: readonly LimitKind[] = Object.entries<AlarmKind>(alarmKinds).flatMap(([kind, { cause }]) =>
    "quantity" in cause && typeof cause.limit === "string"
        ? [{ kind: kind as AlarmKindName, cause, setting: cause.limit }]
        : [],
)

/** An alarm as it would have been. Times are unix ms. */
export interface Episode {
    kind: AlarmKindName
    from: number
    /** Null where it still lasted at the end. */
    to: number | null
    /** The value furthest beyond the limit. */
    worst: number
}

/** The alarms of one mote by one set of limits. */
export class Replay {
    readonly episodes: Episode[] = []
    private readonly watched: { kind: LimitKind; rule: LimitRule; open: Episode | undefined }[]

    constructor(settings: ConfigValues) {
        this.watched = limitKinds.map(kind => {
            const { side, hysteresis } = kind.cause
            const limit = { side, hysteresis, limit: settings[kind.setting], delayMs: settings.delay * 1000 }
            return { kind, rule: new LimitRule(limit), open: undefined }
        })
    }

    /** The next reading of a quantity, in the order of time. */
    take(quantity: string, time: number, value: number): void {
        for (const entry of this.watched) {
            const { kind, rule, open } = entry
            if (kind.cause.quantity !== quantity) continue
            if (open) open.worst = (kind.cause.side === "low" ? Math.min : Math.max)(open.worst, value)
            const change = rule.take(time, value)
            if (change?.raised) {
                entry.open = { kind: kind.kind, from: time, to: null, worst: value }
                this.episodes.push(entry.open)
            } else if (change && open) {
                open.to = time
                entry.open = undefined
            }
        }
    }
}

/** What other limits would have changed about one kind. */
export interface Comparison {
    kind: AlarmKindName
    /** By the limits in force, and by the others. */
    asSet: number
    whatIf: number
    missed: number
    /** The latest that one was raised which was not missed, compared with the limits in force. */
    latestMs: number
}

/** Which of the alarms by the limits in force the other ones would not have raised while they lasted. */
export function compare(
    asSet: readonly Episode[],
    whatIf: readonly Episode[],
): { kinds: Comparison[]; missed: Episode[] } {
    const missed: Episode[] = []
    const kinds = limitKinds.map(({ kind }) => {
        const [before, after] = [asSet, whatIf].map(episodes => episodes.filter(other => other.kind === kind))
        let latestMs = 0
        let count = 0
        for (const episode of before!) {
            const found = after!.find(other => isOverlapping(episode, other))
            if (found) latestMs = Math.max(latestMs, found.from - episode.from)
            else {
                missed.push(episode)
                count++
            }
        }
        return { kind, asSet: before!.length, whatIf: after!.length, missed: count, latestMs }
    })
    return { kinds, missed }
}

function isOverlapping(a: Episode, b: Episode): boolean {
    return a.from <= (b.to ?? Infinity) && b.from <= (a.to ?? Infinity)
}
