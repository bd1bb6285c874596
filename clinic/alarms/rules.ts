import type { Rules } from "./life.ts"
import type { PriorityRules } from "./urgency.ts"

/** Who is told when nobody has attended to an alarm for so long. */
export interface EscalationStep {
    afterMs: number
    /** Channels, by name. */
    tell: readonly string[]
}

/** What a ward does about its alarms. */
export interface AlarmRules {
    acknowledgedMs: number
    /** Told at once. */
    first: readonly string[]
    /** In rising order of time. */
    steps: readonly EscalationStep[]
    priorities: PriorityRules
}

/** So long an acknowledgement holds where the ward has not said otherwise. */
const defaultAcknowledgedMs = 15 * 60_000

export const defaultRules: AlarmRules = {
    acknowledgedMs: defaultAcknowledgedMs,
    first: [],
    steps: [],
    priorities: {},
}

/** The rules of the life of an alarm. */
export function lifeRules({ acknowledgedMs, steps }: AlarmRules, isLatching: boolean): Rules {
    return { acknowledgedMs, escalateAfterMs: steps.map(({ afterMs }) => afterMs), isLatching }
}

/** Those of an operator's channels: each is told after its time. */
export function rulesFor(routes: readonly { name: string; afterMs: number }[]): AlarmRules {
    const times = [...new Set(routes.map(({ afterMs }) => afterMs))].sort((a, b) => a - b)
    const at = (ms: number) => routes.filter(({ afterMs }) => afterMs === ms).map(({ name }) => name)
    return {
        ...defaultRules,
        first: at(0),
        steps: times.filter(afterMs => afterMs > 0).map(afterMs => ({ afterMs, tell: at(afterMs) })),
    }
}
