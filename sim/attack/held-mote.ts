import { sealEnvelope } from "../../wire/envelope.ts"
import { deriveKeys } from "../../wire/keys.ts"
import { postEnvelope } from "./coap.ts"
import { Participant } from "./participant.ts"
import type { MeshNode } from "../mesh/node.ts"
import type { RouterLink } from "./router-link.ts"

const saltBytes = 5

/** A stolen or faulty mote of the ward with its own keys: its envelopes are authentic. */
export abstract class HeldMote extends Participant {
    static readonly hasKeys = true
    protected abstract readonly path: "vitals" | "alarms"
    private readonly salt = this.o.bytes(saltBytes)
    private seq = 0

    /** The next plaintext; `now` is in Unix ms. */
    protected abstract plaintext(now: number): Uint8Array

    protected act(_node: MeshNode, link: RouterLink): void {
        const stream = link.open()
        if (!stream) return
        const { kid, secret } = this.o.identity!
        const now = this.o.mesh.events.now()
        const envelope = sealEnvelope({
            ...deriveKeys(secret, kid),
            ...{ salt: this.salt, boot: 1, seq: this.seq++ },
            purpose: this.path === "alarms" ? "alarm" : "vitals",
            plaintext: this.plaintext(now),
        })
        stream.write(postEnvelope(this.path, envelope))
        this.got.sent++
    }
}
