import { mediumKinds } from "../radio/media/media.ts"
import type { MediumForm } from "./messages.ts"

interface Annotated {
    title?: string
    minimum?: number
    maximum?: number
    step?: number
    formMaximum?: number
    default?: number
    empty?: string
}

/** Forms of the media that have only numeric properties. */
export const mediumForms: MediumForm[] = mediumKinds.flatMap(({ kind, title, properties }) => {
    const fields = Object.entries(properties as Record<string, Annotated>).flatMap(([name, one]) => {
        if (one.title === undefined) return []
        const { step = 1, default: fallback, empty } = one
        return {
            ...{ name, title: one.title, step, min: one.minimum ?? step, max: one.formMaximum ?? one.maximum! },
            ...(fallback === undefined ? {} : { fallback }),
            ...(empty === undefined ? {} : { empty }),
        }
    })
    return fields.length ? { kind, title, fields } : []
})
