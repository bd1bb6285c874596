import { parseEnvelope, sealEnvelope } from "../../wire/envelope.ts"
import { encodePack } from "../../wire/pack.ts"
import { forgedBpm } from "../observe/statistics.ts"
import { Intruder, isEnvelope } from "./intruder.ts"

/** The forger seals with random keys, since it has no others. */
const keyBytes = 32
const saltBytes = 5

/** Knows the wire format and the key identifiers of the motes, and invents readings. */
export class Forger extends Intruder {
    private kid: Uint8Array | undefined
    private seq = 0

    protected override saw(envelope: Uint8Array): void {
        if (!isEnvelope(envelope)) return
        const parsed = parseEnvelope(envelope)
        this.kid = parsed.kid
        this.seq = parsed.seq + 1000
    }

    protected envelope(): Uint8Array | undefined {
        const { kid } = this
        if (!kid) return undefined
        const { bytes } = this.o
        const now = this.o.mesh.events.now()
        const readings = [
            { name: "hr", unit: "beat/min", value: forgedBpm, time: now, relative: false },
            { name: "hr-q", unit: "/", value: 1, time: now, relative: false },
        ]
        return sealEnvelope({
            kid,
            upEnc: bytes(keyBytes),
            upMac: bytes(keyBytes),
            purpose: "vitals",
            boot: 1,
            salt: bytes(saltBytes),
            seq: this.seq++,
            plaintext: encodePack(readings, now),
        })
    }
}
