import type { MeshNode } from "../mesh/node.ts"
import { IcmpType } from "../net/icmpv6.ts"
import { encodeDis, RplCode } from "../net/rpl/messages.ts"
import { allRplNodes } from "../net/rpl/rpl.ts"
import { Participant } from "./participant.ts"

/**
 * Multicasts DIS messages continuously (DIS flood): each neighbour resets its Trickle timer and sends a DIO (RFC 6550
 * §8.3).
 */
export class Solicitor extends Participant {
    protected readonly usualMs = 200

    protected act(node: MeshNode): void {
        node.ipv6.sendIcmp({ type: IcmpType.rpl, code: RplCode.dis, body: encodeDis() }, allRplNodes)
        this.got.sent++
    }
}
