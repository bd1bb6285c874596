import { randomBytes } from "node:crypto"
import { encodeAlarms, type AlarmEvent } from "../../wire/alarms.ts"
import { sealEnvelope, type Purpose } from "../../wire/envelope.ts"
import { deriveKeys, eui, type MoteKeys, type RouterKeys } from "../../wire/keys.ts"
import { encodePack, tickMs, type Measurement } from "../../wire/pack.ts"

/** A time (unix ms) as a mote says it, in steps of 1/16 s. */
export const moteTime = (time: number) => Math.round(Math.round(time / tickMs) * tickMs)

/** What a mote says of an alarm at `time` (unix ms). */
export function alarmEvent(kind: string, raised: boolean, time: number, more: Partial<AlarmEvent> = {}): AlarmEvent {
    return { kind, raised, time, id: 1, value: null, unit: null, relative: false, untimed: false, ...more }
}

/** Keys and envelopes of a mote, for tests that need no firmware. */
export class TestMote {
    readonly keys: MoteKeys
    boot: number
    salt: Uint8Array
    seq = 0

    constructor(o: { kid: Uint8Array; secret: Uint8Array; boot?: number; salt?: Uint8Array }) {
        this.keys = deriveKeys(o.secret, o.kid)
        this.boot = o.boot ?? 1
        this.salt = o.salt ?? randomBytes(5)
    }

    /** Mote number `n`, or another mote's `kid` with the secret number `n`. */
    static numbered(n = 1, kid: Uint8Array = Uint8Array.of(0, 0, 0, 0, 0, 0, 1, n)): TestMote {
        return new TestMote({ kid, secret: new Uint8Array(32).fill(n), salt: Uint8Array.of(1, 2, 3, 4, 5) })
    }

    get eui(): string {
        return eui(this.keys.kid)
    }

    get routerKeys(): RouterKeys {
        const { kid, upMac, receipt, mqtt } = this.keys
        return { kid, upMac, receipt, mqtt, config: 3 }
    }

    /** The next envelope of this start, or the one numbered `seq`. */
    envelope(o: { purpose?: Purpose; seq?: number; plaintext?: Uint8Array } = {}): Uint8Array {
        const { keys, boot, salt } = this
        const { purpose = "vitals", seq = this.seq++, plaintext = Buffer.from("readings") } = o
        return sealEnvelope({ ...keys, purpose, boot, salt, seq, plaintext })
    }

    /** The next envelope around a pack; `now` (unix ms) is when it is sent. */
    seal(pack: Measurement[], now: number): Uint8Array {
        return this.envelope({ plaintext: encodePack(pack, now) })
    }

    /** The next envelope around alarms. */
    sealAlarms(events: AlarmEvent[], now: number): Uint8Array {
        return this.envelope({ purpose: "alarm", plaintext: encodeAlarms(events, now) })
    }

    /** The start after this one. */
    reboot(): void {
        this.boot++
        this.salt = this.salt.map(byte => byte + 1)
        this.seq = 0
    }
}
