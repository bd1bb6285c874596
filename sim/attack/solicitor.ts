import type { MeshNode } from "../mesh/node.ts"
import { IcmpType } from "../net/icmpv6.ts"
import { encodeDis, RplCode } from "../net/rpl/messages.ts"
import { allRplNodes } from "../net/rpl/rpl.ts"
import { Participant } from "./participant.ts"

/** Asks all neighbours for a DIO all the time (DIS flood): each resets its Trickle timer and answers (RFC 6550 §8.3). */
export class Solicitor extends Participant {
    protected readonly usualMs = 200

    protected act(node: MeshNode): void {
        node.ipv6.sendIcmp({ type: IcmpType.rpl, code: RplCode.dis, body: encodeDis() }, allRplNodes)
        this.got.sent++
    }
}
