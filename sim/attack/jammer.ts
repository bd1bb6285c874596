import { Attacker } from "./attacker.ts"

const jamFrameBytes = 127

/** Transmits noise, frame after frame. */
export class Jammer extends Attacker {
    private isOn = false

    protected begin(): void {
        const { mesh, plan, bytes } = this.o
        const radio = mesh.air.add(plan.id, this.position)
        radio.sendsNoise = true
        radio.on()
        this.isOn = true
        const noise = () => {
            if (this.isOn) radio.transmit(bytes(jamFrameBytes), noise)
            else radio.off()
        }
        noise()
    }

    protected end(): void {
        this.isOn = false
    }
}
