import { UserError } from "../../host/errors.ts"
import type { Acceleration } from "./body.ts"
import { parseColumns } from "./columns.ts"
import type { DecimalSign } from "./dialect.ts"
import { quantile, SampledSignal } from "./signal.ts"
import { readText } from "./text.ts"

/** Units of acceleration, and how many of each make 1 g. */
export const accelerationUnits = { g: 1, "m/s2": 9.80665, mg: 1000 }
export type AccelerationUnit = keyof typeof accelerationUnits

/** A unit is accepted if the median magnitude in it is within this range; even a runner's is near 1 g. */
const usualG = [0.5, 2] as const
/** Bandwidth of limb movement that an accelerometer at 25 Hz can sample. */
const bandwidthHz = 12.5

/** A wearer's acceleration, recorded along three axes. */
export class RecordedAcceleration {
    /** Name in messages, such as the file name. */
    readonly name: string
    readonly durationS: number
    private readonly axes: SampledSignal[]

    /** @param axes x, y and z in g */
    constructor(axes: Float64Array[], rate: number, name: string) {
        this.name = name
        this.axes = axes.map(axis => new SampledSignal(axis, rate, bandwidthHz))
        this.durationS = this.axes[0]!.durationS
    }

    /** In g. Before the start and after the end, the first or last sample holds. */
    at(seconds: number): Acceleration {
        const [x, y, z] = this.axes.map(axis => axis.at(seconds)) as Acceleration
        return [x, y, z]
    }
}

/**
 * Parses x, y and z, gravity included, with an optional time column.
 * @param rate samples per second; default: from the time column, or else `defaultRate`
 * @param unit default: detected from the magnitude of gravity
 * @throws UserError if the text is not a recording or its unit is ambiguous
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

/** Like `parseAcceleration`, from a file. @throws UserError also if the file cannot be read */
export function accelerationFile(
    file: string,
    rate: number | undefined,
    unit?: AccelerationUnit,
    o: { defaultRate?: number; decimal?: DecimalSign | undefined } = {},
): RecordedAcceleration {
    return parseAcceleration(readText(file), rate, file, unit, o)
}

/** The unit in which the median magnitude is near that of gravity. */
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
        `${name}: median magnitude ${Number(magnitude.toPrecision(3))}, which is not gravity in g, m/s² or mg: ` +
            "name the unit with --acc-unit",
    )
}
