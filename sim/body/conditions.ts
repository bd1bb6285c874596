import type { MotionBout } from "./motion.ts"
import type { SyntheticOptions } from "./synthetic.ts"
import type { Trajectory } from "./trajectory.ts"

/** Vital signs of a wearer before the condition begins. */
export interface Rest {
    bpm: number
    coreC: number
    spo2: number
    perfusion: number
}

/** How a condition develops, and how long it takes. */
interface Condition {
    /** Description for `--help`. */
    about: string
    hours: number
    /** Times are in hours of the course. Motion is set only if the condition causes it. */
    course(rest: Rest): Course
}

export interface Course {
    bpm?: [hours: number, value: number][]
    coreC?: [hours: number, value: number][]
    spo2?: [hours: number, value: number][]
    perfusion?: [hours: number, value: number][]
    motion?: (Omit<MotionBout, "fromS" | "toS"> & { from: number; to: number })[]
    off?: { from: number; to: number }[]
    /** The wearer stops moving at this time. */
    stillFrom?: number
}

/** Fever raises the heart rate by 8.5 beats a minute for each degree (Karjalainen and Viitasalo, Arch Intern Med 1986). */
const bpmPerDegree = 8.5

/**
 * Two hours of shivering raise the temperature to 39.6 °C, where it stays until the wearer sweats. Alarm: `temp-high`.
 * The heart rate follows the temperature and alone stays below the usual limit.
 */
const fever: Condition = {
    about: "temperature rises to 39.6 °C over two hours",
    hours: 8,
    course({ bpm, coreC }) {
        const degrees: [number, number][] = [
            ...[[0.5, coreC] as [number, number], [2.5, 39.6] as [number, number]],
            ...[[6, 39.6] as [number, number], [8, 38] as [number, number]],
        ]
        const shivers = [0.7, 1.1, 1.6, 2.1].map(from => ({
            kind: "fidgeting" as const,
            strength: 5,
            from,
            to: from + 0.05,
        }))
        return {
            coreC: degrees,
            bpm: degrees.map(([hours, value]) => [hours, bpm + bpmPerDegree * (value - coreC)]),
            motion: shivers,
        }
    },
}

/**
 * A supraventricular tachycardia: a regular 180 beats a minute that starts and stops from one beat to the next
 * (ACC/AHA/HRS guideline, Page et al., Circulation 2016); the stroke volume falls. Alarm: `hr-high`, which clears when
 * the attack ends.
 */
const tachycardia: Condition = {
    about: "an attack of 180 beats a minute that begins and ends suddenly",
    hours: 1,
    course: ({ bpm, perfusion }) => ({
        bpm: [...step(0.2, bpm, 180), ...step(0.8, 180, bpm + 8)],
        perfusion: [...step(0.2, perfusion, 0.6 * perfusion), ...step(0.8, 0.6 * perfusion, perfusion)],
    }),
}

/**
 * Complete atrioventricular block: the rate falls to that of an escape rhythm, below 40 (ACC/AHA/HRS guideline,
 * Kusumoto et al., Circulation 2019), and stays there. Alarm: `hr-low`.
 */
const bradycardia: Condition = {
    about: "a heart block: 36 beats a minute",
    hours: 1,
    course: ({ bpm }) => ({ bpm: [...step(0.2, bpm, 48), [0.3, 36] as [number, number]] }),
}

/**
 * Opioids depress breathing after an operation: saturation falls to 84 % and stays there for hours, as in the third of
 * patients that fall below 90 % (Sun et al., Anesth Analg 2015), with a slightly raised heart rate. Alarm: `spo2-low`.
 */
const hypoxia: Condition = {
    about: "oxygen saturation sinks to 84 % over an hour",
    hours: 2,
    course: ({ bpm, spo2 }) => ({
        spo2: [
            [0.25, spo2],
            [1.25, 84],
        ],
        bpm: [
            [0.25, bpm],
            [1.25, bpm + 18],
        ],
    }),
}

/**
 * Untreated sepsis: within hours the systemic inflammatory response is complete (over 38 °C, over 90 beats a minute:
 * Bone et al., Chest 1992), then oxygenation and perfusion fail (Singer et al., JAMA 2016, Sepsis-3). Alarms:
 * `temp-high`, `hr-high`, `spo2-low`.
 */
const sepsis: Condition = {
    about: "over twelve hours rate and temperature rise, saturation and perfusion fall",
    hours: 12,
    course: ({ bpm, coreC, spo2, perfusion }) => ({
        bpm: [
            [1, bpm],
            [6, 112],
            [12, 142],
        ],
        coreC: [
            [1, coreC],
            [8, 39.3],
        ],
        spo2: [
            [4, spo2],
            [11, 86],
        ],
        perfusion: [
            [6, perfusion],
            [12, 0.4 * perfusion],
        ],
    }),
}

/**
 * Cardiac arrest on the ward, which most patients approach over hours (Schein et al., Chest 1990): saturation falls,
 * the heart races, then slows within minutes, and the pulse stops. Alarms: `spo2-low`, `hr-high`, `hr-low`. Without a
 * pulse there is no rate; the mote has no alarm for that, and the last alarm stays raised.
 */
const arrest: Condition = {
    about: "eight hours of decline, then no pulse",
    hours: 8,
    course: ({ bpm, spo2, perfusion }) => ({
        spo2: [
            [1, spo2],
            [6, 85],
        ],
        bpm: [
            [1, bpm],
            [5, 138],
            [6.5, 138],
            [7, 34],
        ],
        perfusion: [...step(7.6, perfusion, 0)],
        stillFrom: 7.5,
    }),
}

/** Severe obstructive apnoea: 40 s each, forty an hour (AASM, Berry et al., J Clin Sleep Med 2012). */
const apnoeasPerHour = 40

/**
 * Sleep apnoea: half a minute into each apnoea the saturation dips by ten percent, and the heart slows and then races
 * (cyclical variation, Guilleminault et al., Lancet 1984). A dip shorter than `delay` plus the 8 s of a saturation
 * window raises no alarm; longer ones raise `spo2-low` again and again.
 */
const apnoea: Condition = {
    about: "forty apnoeas an hour, each with a dip of saturation to 85 %",
    hours: 8,
    course({ bpm, spo2 }) {
        const starts = Array.from({ length: 8 * apnoeasPerHour - 1 }, (_, i) => (i + 0.5) / apnoeasPerHour)
        const hour = (start: number, seconds: number) => start + seconds / 3600
        return {
            bpm: starts.flatMap((at): [number, number][] => [
                [at, bpm],
                [hour(at, 35), bpm - 10],
                [hour(at, 45), bpm + 14],
                [hour(at, 60), bpm],
            ]),
            spo2: starts.flatMap((at): [number, number][] => [
                [hour(at, 15), spo2],
                [hour(at, 50), 85],
                [hour(at, 62), 85],
                [hour(at, 75), spo2],
            ]),
        }
    },
}

/** Seven of ten minutes are movement: agitation, RASS +2 (Sessler et al., Am J Respir Crit Care Med 2002). No alarm. */
const restless: Condition = {
    about: "healthy, and hardly ever still",
    hours: 8,
    course: () => ({
        motion: Array.from({ length: 48 }, (_, i) => ({
            kind: (["fidgeting", "swinging", "tapping"] as const)[i % 3]!,
            cadence: 80 + 10 * (i % 4),
            strength: 5,
            from: i / 6,
            to: (i + 0.7) / 6,
        })),
    }),
}

/** The strap is taken off and put back on. Alarm: `contact`. */
const off: Condition = {
    about: "takes the strap off, and puts it on again",
    hours: 1,
    course: () => ({ off: [{ from: 0.2, to: 0.8 }] }),
}

/** Skin without a pulse, as under a strap that is far too tight. No heart rate, and no alarm. */
const flat: Condition = {
    about: "skin in which no pulse can be seen",
    hours: 1,
    course: ({ perfusion }) => ({ perfusion: [...step(0.2, perfusion, 0)] }),
}

export const conditions = {
    fever,
    tachycardia,
    bradycardia,
    hypoxia,
    sepsis,
    arrest,
    apnoea,
    restless,
    off,
    flat,
} satisfies Record<string, Condition>

export type ConditionName = keyof typeof conditions
export const conditionNames = Object.keys(conditions) as ConditionName[]

/** A change from one value to another within one second. */
function step(hours: number, from: number, to: number): [hours: number, value: number][] {
    return [
        [hours, from],
        [hours + 1 / 3600, to],
    ]
}

const hourS = 3600
/** Shorter movements are left out. */
const shortestS = 6

/**
 * The course of a condition as options of a synthetic wearer, and when they move for the last time.
 * @param lengthS duration of the course; default: its natural length. Movements keep their pace, and apnoeas their
 * frequency.
 */
export function courseOf(
    name: ConditionName,
    rest: Rest,
    lengthS?: number,
): { options: Partial<SyntheticOptions>; stillFromS: number } {
    const { hours, course } = conditions[name] as Condition
    const isCyclic = name === "apnoea"
    const hourIsS = isCyclic ? hourS : (lengthS ?? hours * hourS) / hours
    const { bpm, coreC, spo2, perfusion, motion = [], off = [], stillFrom = Infinity } = course(rest)
    const scaled = (values: [number, number][]): Trajectory => values.map(([at, value]) => [at * hourIsS, value])
    const interval = ({ from, to }: { from: number; to: number }, leastS = 0) => ({
        fromS: from * hourIsS,
        toS: Math.max(to * hourIsS, from * hourIsS + leastS),
    })
    const options = {
        ...(bpm && { bpm: scaled(bpm) }),
        ...(coreC && { coreC: scaled(coreC) }),
        ...(spo2 && { spo2: scaled(spo2) }),
        ...(perfusion && { perfusion: scaled(perfusion) }),
        motion: motion.map(({ from, to, ...bout }) => ({ ...bout, ...interval({ from, to }, shortestS) })),
        off: off.map(one => interval(one)),
    }
    return { options, stillFromS: stillFrom * hourIsS }
}
