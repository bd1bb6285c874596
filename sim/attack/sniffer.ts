import type { Radio } from "../radio/air.ts"
import { Attacker, type AttackReport } from "./attacker.ts"
import { envelopeAt } from "./coap.ts"
import { Eavesdropper } from "./eavesdropper.ts"

/** SenML in plain text: label n (0), then "hr". */
const heartRateLabel = Buffer.of(0x00, 0x62, 0x68, 0x72)

/** Listens to the air and tries to read what it hears. */
export class Sniffer extends Attacker {
    private listener: Eavesdropper | undefined
    private radio: Radio | undefined

    override get report(): AttackReport {
        return { ...this.got, frames: this.listener?.frames ?? 0 }
    }

    protected begin(): void {
        this.radio = this.newRadio()
        this.listener = new Eavesdropper(this.o.mesh, this.radio, data => {
            const at = envelopeAt(data)
            if (at < 0) return
            this.got.envelopes++
            if (Buffer.from(data).includes(heartRateLabel)) this.got.readable++
            this.saw(data.slice(at))
        })
    }

    protected end(): void {
        this.radio?.off()
    }

    protected newRadio(): Radio {
        const radio = this.o.mesh.air.add(this.o.plan.id, this.position)
        radio.on()
        return radio
    }

    /** Called for each envelope heard; more bytes may follow it. */
    protected saw(_envelope: Uint8Array): void {}
}
