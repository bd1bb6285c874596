import type { Position } from "../radio/medium.ts"
import { seededRandom } from "../time/random.ts"
import { parsePrefix } from "./prefix.ts"
import type { Scenario, Wearer } from "./schema.ts"

/** Motes start at random within this time; if they started together, they would transmit together ever after. */
const defaultStartupS = 10

const defaultPrefix = "aaaa::"

/** The prefix of a scenario's network, known to all its nodes. */
export function contextsOf({ network }: Scenario): [Uint8Array] {
    return [parsePrefix(network?.prefix ?? defaultPrefix)]
}

/** A mote of a scenario. */
export interface PlannedMote {
    id: number
    position: Position
    /** Position after this many seconds, if it moves. */
    path?: (seconds: number) => Position
    wearer?: Wearer
    batteryMah?: number
    startS: number
}

/** The motes of a scenario, including those of its grids, in order of their numbers. */
export function motesOf(scenario: Scenario, seed: number): PlannedMote[] {
    const motes: PlannedMote[] = (scenario.motes ?? []).map(mote => ({
        id: mote.id,
        position: { x: mote.x, y: mote.y },
        ...(mote.path?.length ? { path: along([{ at: 0, ...mote }, ...mote.path]) } : {}),
        ...(mote.wearer ? { wearer: mote.wearer } : {}),
        ...(mote.battery === undefined ? {} : { batteryMah: mote.battery }),
        startS: mote.start ?? 0,
    }))
    for (const grid of scenario.grids ?? []) {
        const random = seededRandom(seed * 257 + grid.first)
        const rows = Math.ceil(grid.count / grid.columns)
        const walkers = Math.round(grid.count * (grid.walking?.share ?? 0))
        for (let i = 0; i < grid.count; i++) {
            const jitter = () => (grid.jitter ?? 0) * (2 * random() - 1)
            const position = {
                x: grid.x + (i % grid.columns) * grid.spacing + jitter(),
                y: grid.y + Math.floor(i / grid.columns) * grid.spacing + jitter(),
            }
            const area = {
                x: grid.x,
                y: grid.y,
                width: (grid.columns - 1) * grid.spacing,
                height: (rows - 1) * grid.spacing,
            }
            const walks = grid.walking !== undefined && i < walkers
            motes.push({
                id: grid.first + i,
                position,
                ...(walks ? { path: wander(position, area, grid.walking!.speed, seed + grid.first + i) } : {}),
                ...(grid.wearer ? { wearer: grid.wearer } : {}),
                startS: 0,
            })
        }
    }
    motes.sort((a, b) => a.id - b.id)
    const random = seededRandom(seed * 263 + 1)
    for (const mote of motes) mote.startS += random() * (scenario.startup ?? defaultStartupS)
    return motes
}

interface Waypoint extends Position {
    at: number
}

/** Moves in a straight line from one waypoint to the next. */
function along(points: Waypoint[]): (seconds: number) => Position {
    return seconds => {
        let before = points[0]!
        for (const next of points) {
            if (seconds < next.at) {
                const share = (seconds - before.at) / (next.at - before.at)
                return {
                    x: before.x + share * (next.x - before.x),
                    y: before.y + share * (next.y - before.y),
                }
            }
            before = next
        }
        return { x: before.x, y: before.y }
    }
}

/** Random waypoint model (Johnson and Maltz, 1996). */
function wander(
    from: Position,
    area: { x: number; y: number; width: number; height: number },
    speed: number,
    seed: number,
): (seconds: number) => Position {
    const random = seededRandom(seed)
    const points: Waypoint[] = [{ at: 0, ...from }]
    return seconds => {
        let last = points.at(-1)!
        while (last.at <= seconds) {
            const x = area.x + area.width * random()
            const y = area.y + area.height * random()
            const at = last.at + Math.max(1, Math.hypot(x - last.x, y - last.y) / speed)
            last = { at, x, y }
            points.push(last)
        }
        // Only the last segments are needed from now on.
        while (points.length > 2 && points[1]!.at <= seconds) points.shift()
        return along(points)(seconds)
    }
}
