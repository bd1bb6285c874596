import type { Attacker, AttackOptions } from "./attacker.ts"
import { AlarmStorm } from "./alarm-storm.ts"
import { BlackHole } from "./black-hole.ts"
import { Connector } from "./connector.ts"
import { Flooder } from "./flooder.ts"
import { Forger } from "./forger.ts"
import { Jammer } from "./jammer.ts"
import { RankLiar } from "./rank-liar.ts"
import { Replayer } from "./replayer.ts"
import { Sniffer } from "./sniffer.ts"
import { Solicitor } from "./solicitor.ts"
import { VersionLiar } from "./version-liar.ts"
import { WrongClock } from "./wrong-clock.ts"

/** Attacker classes by their name in scenarios. */
const kinds = {
    sniffer: Sniffer,
    replayer: Replayer,
    forger: Forger,
    "black-hole": BlackHole,
    rank: RankLiar,
    jammer: Jammer,
    flood: Flooder,
    connections: Connector,
    solicit: Solicitor,
    version: VersionLiar,
    "alarm-storm": AlarmStorm,
    "wrong-clock": WrongClock,
} satisfies Record<string, (new (o: AttackOptions) => Attacker) & { hasKeys?: boolean }>

export const attackerKinds = Object.keys(kinds) as (keyof typeof kinds)[]

/** Whether an attacker of this kind holds a mote of the ward, with its keys. */
export function holdsMote(kind: keyof typeof kinds): boolean {
    return "hasKeys" in kinds[kind]
}

/** @param o its plan names one of `attackerKinds` */
export function newAttacker(o: AttackOptions): Attacker {
    return new kinds[o.plan.kind as keyof typeof kinds](o)
}
