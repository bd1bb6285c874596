import { bedsideKinds, type BedsideName, type Consciousness } from "../../wire/tables/bedside.ts"
import { unitText } from "../../wire/tables/quantities.ts"
import type { ScorePart } from "./api.ts"
import { number, setting } from "./format.ts"
import { t } from "./texts/language.ts"

const units: Record<Exclude<ScorePart["name"], BedsideName>, { unit: string; digits: number }> = {
    pulse: { unit: unitText("beat/min"), digits: 0 },
    saturation: { unit: "%", digits: 0 },
    temperature: { unit: unitText("Cel"), digits: 1 },
}

/** What is known of a parameter, in words. */
export function valueText({ name, value }: ScorePart): string {
    if (value === null) return t.news2.none
    if (name === "oxygen") return t.news2.gas(value as "air" | "oxygen")
    if (name === "consciousness") return t.news2.level(value as Consciousness)
    if (name === "respiration" || name === "systolic") return `${setting(Number(value))} ${bedsideKinds[name].unit}`
    const { unit, digits } = units[name]
    return `${number(Number(value), digits)} ${unit}`
}
