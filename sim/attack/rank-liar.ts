import type { RplHost } from "../net/rpl/host.ts"
import { BlackHole } from "./black-hole.ts"
import { RankLiarNode } from "./decorators.ts"

/** A sinkhole: advertises the root's rank, so that neighbours choose it as parent, and forwards nothing. */
export class RankLiar extends BlackHole {
    protected override decorated(node: RplHost): RplHost {
        return new RankLiarNode(node, () => this.swallowed(), this.o.mesh.profile.minHopRankIncrease)
    }
}
