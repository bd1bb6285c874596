import { sealEnvelope, type Purpose } from "../../wire/envelope.ts"
import { deriveKeys, eui, type MoteKeys, type RouterKeys } from "../../wire/keys.ts"

/** Keys and envelopes of a mote, number `n`, or of another mote's `kid` with the secret number `n`. */
export class TestMote {
    readonly keys: MoteKeys
    boot = 1
    salt = Uint8Array.of(1, 2, 3, 4, 5)
    seq = 0

    constructor(n = 1, kid: Uint8Array = Uint8Array.of(0, 0, 0, 0, 0, 0, 1, n)) {
        this.keys = deriveKeys(new Uint8Array(32).fill(n), kid)
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

    /** The start after this one. */
    reboot(): void {
        this.boot++
        this.salt = this.salt.map(byte => byte + 1)
        this.seq = 0
    }
}
