import { Type } from "@sinclair/typebox"
import { id, share, strict } from "../../schema-values.ts"
import type { Medium } from "../medium.ts"
import { mediumKind } from "./kind.ts"

export interface Link {
    from: number
    to: number
    /** From 0 to 1. */
    ratio: number
    rssiDbm?: number
}

/** Cooja's Directed Graph Radio Medium: links that are not in the list do not exist. */
export function directedGraph(links: Link[]): Medium {
    const byEnds = new Map(links.map(link => [`${link.from} ${link.to}`, link]))
    return {
        reception(from, to) {
            const link = byEnds.get(`${from.id} ${to.id}`)
            return link && { probability: link.ratio, rssiDbm: link.rssiDbm ?? -60 }
        },
    }
}

const link = Type.Object({ from: id, to: id, ratio: Type.Optional(share), both: Type.Optional(Type.Boolean()) }, strict)

export const graph = mediumKind({
    title: "Directed graph",
    kind: "graph",
    properties: { links: Type.Array(link, { maxItems: 10_000 }) },
    create: ({ links }) =>
        directedGraph(
            links.flatMap(({ from, to, ratio = 1, both = false }) => [
                { from, to, ratio },
                ...(both ? [{ from: to, to: from, ratio }] : []),
            ]),
        ),
})
