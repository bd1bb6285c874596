import { UserError } from "../../host/errors.ts"
import type { Acceleration } from "./body.ts"
import { parseColumns } from "./columns.ts"
import type { DecimalSign } from "./dialect.ts"
import { quantile, SampledSignal } from "./signal.ts"
import { readText } from "./text.ts"

/** Units of acceleration, and what 1 g is in them. */
export const accelerationUnits = { g: 1, "m/s2": 9.80665, mg: 1000 }
export type AccelerationUnit = keyof typeof accelerationUnits

/** How far from 1 g the usual magnitude may be for a unit to be taken for granted: also a wearer who runs is near it. */
const usualG = [0.5, 2] as const
/** What a limb does and an accelerometer at 25 Hz sees. */
const bandwidthHz = 12.5

/** The acceleration of a wearer, as it was recorded along three axes. */
export class RecordedAcceleration {
    /** What messages call it, such as the file. */
    readonly name: string
    readonly durationS: number
    private readonly axes: SampledSignal[]

    /** @param axes x, y and z in g */
    constructor(axes: Float64Array[], rate: number, name: string) {
        this.name = name
        this.axes = axes.map(axis => new SampledSignal(axis, rate, bandwidthHz))
        this.durationS = this.axes[0]!.durationS
    }

    /** In g; the ends stay. */
    at(seconds: number): Acceleration {
        const [x, y, z] = this.axes.map(axis => axis.at(seconds)) as Acceleration
        return [x, y, z]
    }
}

/**
 * Three columns beside one of times: x, y and z, gravity included.
 * @param rate samples a second; undefined: the column of times tells, or else it is `defaultRate`
 * @param unit found by the gravity in it where absent
 * @throws UserError when the text is no recording or its unit is not clear
 */
export function parseAcceleration(
    csv: string,
    rate: number | undefined,
    name = "acceleration",
    unit?: AccelerationUnit,
    o: { defaultRate?: number; decimal?: DecimalSign | undefined } = {},
): RecordedAcceleration {
    const what = "three columns of acceleration"
    const { columns: axes, rate: found } = parseColumns(csv, { ...o, ...{ name, size: 3, what, rate } })
    const scale = accelerationUnits[unit ?? unitOf(axes, name)]
    return new RecordedAcceleration(
        axes.map(axis => axis.map(value => value / scale)),
        found,
        name,
    )
}

/** As `parseAcceleration`, from a file. @throws UserError also when it cannot be read */
export function accelerationFile(
    file: string,
    rate: number | undefined,
    unit?: AccelerationUnit,
    o: { defaultRate?: number; decimal?: DecimalSign | undefined } = {},
): RecordedAcceleration {
    return parseAcceleration(readText(file), rate, file, unit, o)
}

/** The usual magnitude is that of gravity. */
function unitOf([x, y, z]: Float64Array[], name: string): AccelerationUnit {
    const magnitude = quantile(
        x!.map((_, i) => Math.hypot(x![i]!, y![i]!, z![i]!)),
        0.5,
    )
    for (const [unit, scale] of Object.entries(accelerationUnits)) {
        const [low, high] = usualG
        if (magnitude >= low * scale && magnitude <= high * scale) return unit as AccelerationUnit
    }
    throw new UserError(
        `${name}: median magnitude ${Number(magnitude.toPrecision(3))}, not that of gravity in g, m/s² or mg: ` +
            "name the unit with --acc-unit",
    )
}
