import type { Attacker, AttackOptions } from "./attacker.ts"
import { BlackHole } from "./black-hole.ts"
import { Forger } from "./forger.ts"
import { Jammer } from "./jammer.ts"
import { RankLiar } from "./rank-liar.ts"
import { Replayer } from "./replayer.ts"
import { Sniffer } from "./sniffer.ts"

/** By the name that scenarios give them. */
const kinds = {
    sniffer: Sniffer,
    replayer: Replayer,
    forger: Forger,
    "black-hole": BlackHole,
    rank: RankLiar,
    jammer: Jammer,
} satisfies Record<string, new (o: AttackOptions) => Attacker>

export const attackerKinds = Object.keys(kinds) as (keyof typeof kinds)[]

/** @param o its plan has one of `attackerKinds` */
export function newAttacker(o: AttackOptions): Attacker {
    return new kinds[o.plan.kind as keyof typeof kinds](o)
}
