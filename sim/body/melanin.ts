import type { Led } from "./body.ts"

/*
 * Melanin in the light's way. It absorbs before the light reaches the blood, so it cancels in the ratio of ratios but for two effects:
 * there is less light, and the LED, which is no laser, becomes redder.
 */

/** Share of the epidermis that is melanosomes (S. L. Jacques, Origins of tissue optical properties, 1998; Oregon Medical Laser Center). */
export const skinTones = {
    light: { least: 0.013, most: 0.063 },
    medium: { least: 0.11, most: 0.16 },
    dark: { least: 0.18, most: 0.43 },
} as const
export type SkinTone = keyof typeof skinTones

/** Absorption of a melanosome is 6.6e11 · nm^−3.33 per cm (Jacques). */
const absorption = 6.6e11
const exponent = -3.33
/** The light passes the epidermis twice, 60 µm each. */
const pathCm = 2 * 0.006
/** MAX30102, data sheet: centre of each LED's spectrum, and half of it is within so many nm of red. */
const nm: Record<Led, number> = { red: 660, infrared: 880 }
const redWidthNm = 20
/** Standard deviations in the full width at half maximum of a normal distribution. */
const widths = 2.355
/** Absorption of blood at 660 nm and its change by nm, with all and without any oxygen (S. Prahl, Optical Absorption of Hemoglobin, 1998). */
const full = { absorption: 319.6, change: -3.7 }
const empty = { absorption: 3226.56, change: -47.75 }

/** Share of the light that melanin lets pass. @param melanin share of the epidermis, 0 to 1 */
export function melaninTransmission(led: Led, melanin: number): number {
    return Math.exp(-melanin * absorption * nm[led] ** exponent * pathCm)
}

/**
 * By what factor the pulse in red light is smaller, because melanin passes the longer part of the red LED's spectrum better.
 * @param spo2 oxygen saturation in percent
 */
export function melaninRedFactor(melanin: number, spo2: number): number {
    const sigma = redWidthNm / widths
    // The spectrum times exp(slope · nm) is the same spectrum, σ² · slope further on.
    const slope = (-exponent / nm.red) * melanin * absorption * nm.red ** exponent * pathCm
    const shiftNm = sigma * sigma * slope
    const share = spo2 / 100
    const mixed = (of: "absorption" | "change") => share * full[of] + (1 - share) * empty[of]
    return 1 + (shiftNm * mixed("change")) / mixed("absorption")
}
