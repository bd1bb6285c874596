import type { Item, Scan, Scanned } from "../kind.ts"

/** A page of resources that are all at hand, in the order of their ids. */
export function listed(items: readonly Item[], { after = "", limit }: Pick<Scan, "after" | "limit">): Scanned {
    const behind = items.filter(({ position }) => position > after).sort((a, b) => (a.position < b.position ? -1 : 1))
    const page = behind.slice(0, limit)
    return { items: page, rest: behind.length > limit ? page.at(-1)?.position : undefined }
}
