import { Type, type Static, type TLiteral, type TObject, type TProperties } from "@sinclair/typebox"
import { strict } from "../../schema-values.ts"
import type { Medium } from "../medium.ts"

/**
 * A medium that scenarios and the live view can choose. Each property with a `title` is a field of the live view's
 * form, with `default`, `step` and `formMaximum` for its input; `empty` describes what leaving it out means.
 */
export interface MediumKind<K extends string, P extends TProperties> {
    kind: K
    title: string
    properties: P
    create(choice: Static<TObject<P>>, seed: number): Medium
}

export function mediumKind<K extends string, P extends TProperties>(
    o: MediumKind<K, P>,
): MediumKind<K, P> & { schema: TObject<P & { kind: TLiteral<K> }> } {
    return { ...o, schema: Type.Object({ kind: Type.Literal(o.kind), ...o.properties }, strict) }
}

/** Capture threshold, for each medium in which signals have a strength. */
export const capture = Type.Optional(
    Type.Number({
        ...{ exclusiveMinimum: 0, maximum: 100, title: "Captured when stronger by (dB)", step: 0.1, empty: "never" },
        description: "a frame that is stronger than another by this many dB survives the collision; default: none does",
    }),
)
