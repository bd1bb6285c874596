import { Type, type Static, type TSchema } from "@sinclair/typebox"
import type { Medium } from "../medium.ts"
import { constantLossDisk } from "./constant-loss.ts"
import { disk } from "./disk.ts"
import { graph } from "./graph.ts"
import { shadowing } from "./shadowing.ts"

/** All media. */
export const mediumKinds = [disk, constantLossDisk, shadowing, graph] as const

type SchemasOf<T extends readonly { schema: TSchema }[]> = { -readonly [I in keyof T]: T[I]["schema"] }

export const MediumSchema = Type.Union(
    mediumKinds.map(({ schema }) => schema) as unknown as SchemasOf<typeof mediumKinds>,
    {
        description: "how radio waves carry",
    },
)

export type MediumChoice = Static<typeof MediumSchema>

/** The medium of a scenario; default: a disk. */
export function mediumOf(choice: MediumChoice = { kind: "disk" }, seed: number): Medium {
    const { create } = mediumKinds.find(({ kind }) => kind === choice.kind)!
    const medium = (create as (choice: MediumChoice, seed: number) => Medium)(choice, seed)
    const captureDb = "capture" in choice ? choice.capture : undefined
    return captureDb === undefined ? medium : { ...medium, captureDb }
}
