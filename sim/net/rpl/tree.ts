import type { Ipv6Address } from "../ipv6.ts"
import { keyOf, Routes } from "./routes.ts"

const maxPath = 32

/** The tree at the root in non-storing mode: the next hop of a target is its parent. */
export class Tree extends Routes {
    /** The nodes from below the root to `target`, inclusive. Undefined if the tree does not reach it. */
    path(target: Ipv6Address, root: Ipv6Address): Ipv6Address[] | undefined {
        const path = [target]
        const rootKey = keyOf(root)
        for (let at = target; ;) {
            const parent = this.get(at)?.nextHop
            if (!parent || path.length > maxPath) return undefined
            if (keyOf(parent) === rootKey) return path
            path.unshift(parent)
            at = parent
        }
    }
}
