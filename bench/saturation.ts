import { estimate, seededRandom, skinTones, syntheticBody, type SkinTone } from "../sim/index.ts"
import { agreement, type Pair } from "./heart/agreement.ts"
import type { Row } from "./row.ts"

/*
 * A desaturation study in the form of ISO 80601-2-61, annex EE.2, on simulated bodies: at least ten of them, at least 200 pairs, plateaus
 * from 100 down to 70 %. It shows how well the ratio of ratios is measured, and what melanin does to it. It cannot show whether the line from
 * ratio to saturation is right for people: body and mote have the same line, and nobody has calibrated it.
 */

/** Bodies by tone of the skin: ten. */
const bodies: Record<SkinTone, number> = { light: 4, medium: 3, dark: 3 }
/** Saturations, from the middle of which a body's differ by up to 1.5. */
const plateaus = [97, 93, 88, 84, 80, 76, 72.5]
const spread = 1.5
const restS = 20
const plateauS = 40
const fallS = 15
/** A value is the mean of so long. */
const valueS = 8
/** The standard's limit. */
const mostArms = 4

interface Value extends Pair {
    tone: SkinTone
}

export async function bench(): Promise<Row[]> {
    const values: Value[] = []
    let reported = 0
    let slots = 0
    let seed = 0
    for (const tone of Object.keys(bodies) as SkinTone[])
        for (let n = 0; n < bodies[tone]; n++) {
            const body = await desaturated(tone, ++seed)
            console.error(`body ${seed}, ${tone} skin: ${body.values.length} pairs`)
            values.push(...body.values)
            reported += body.reported
            slots += body.slots
        }
    const between = (least: number, most: number) =>
        values.filter(({ reference }) => reference >= least && reference < most)
    return [
        ...rowsOf("all, 70 to 100 %", values, `simulated, not calibrated; the standard allows ${mostArms}`),
        {
            what: "  reported",
            value: (100 * reported) / slots,
            unit: "%",
            note: "of all times of 8 s, falls included",
        },
        ...(Object.keys(bodies) as SkinTone[]).flatMap(tone =>
            rowsOf(
                `${tone} skin, ${100 * skinTones[tone].least} to ${100 * skinTones[tone].most} % melanosomes`,
                values.filter(value => value.tone === tone),
            ),
        ),
        ...[70, 80, 90].flatMap(least => rowsOf(`${least} to ${least + 10} %`, between(least, least + 10.5))),
    ]
}

/** A body that breathes less and less oxygen; what the clinic receives on each plateau. */
async function desaturated(
    tone: SkinTone,
    seed: number,
): Promise<{ values: Value[]; reported: number; slots: number }> {
    const random = seededRandom(seed)
    const from = ({ least, most }: { least: number; most: number }) => least + (most - least) * random()
    const levels = plateaus.map(level => level + spread * (2 * random() - 1))
    const startS = (i: number) => restS + i * (plateauS + fallS)
    const spo2 = levels.flatMap((level, i): [number, number][] => [
        [startS(i), level],
        [startS(i) + plateauS, level],
    ])
    const endS = startS(levels.length)
    const bpm = from({ least: 58, most: 80 })
    const body = syntheticBody({
        seed,
        spo2,
        melanin: from(skinTones[tone]),
        perfusion: 0.004 * 7 ** random(),
        respiration: from({ least: 12, most: 20 }),
        // A lack of oxygen makes the heart faster.
        bpm: [
            [restS, bpm],
            [endS, bpm + 25],
        ],
    })
    const values: Value[] = []
    let reported = 0
    await estimate(body, endS, ({ t, spo2: shown }) => {
        if (shown !== null) reported++
        const i = Math.floor((t - restS) / (plateauS + fallS))
        const level = levels[i]
        if (shown === null || level === undefined) return
        if (t - valueS >= startS(i) && t <= startS(i) + plateauS) values.push({ tone, shown, reference: level })
    })
    return { values, reported, slots: Math.floor(endS / valueS) }
}

function rowsOf(what: string, pairs: readonly Pair[], note?: string): Row[] {
    const { arms, bias, precision } = agreement(pairs)
    const count = `${pairs.length} pairs`
    return [
        { what: `${what}: Arms`, value: arms, unit: "%", note: note ? `${count}; ${note}` : count },
        { what: "  bias", value: bias, unit: "%", note: `deviation ${precision.toFixed(2)}` },
    ]
}
