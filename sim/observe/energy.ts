import type { Radio, RadioState } from "../radio/air.ts"

/** Time that a radio spent in each state, in ms. */
export type RadioTimes = Record<RadioState, number>

/** Current of a mote in each state, in mA. */
export interface Currents {
    name: string
    source: string
    volts: number
    cpuMa: number
    sleepMa: number
    radioMa: Record<RadioState, number>
}

/** The mote used in the paper. */
export const skyCurrents: Currents = {
    name: "Tmote Sky",
    source: "Tmote Sky data sheet (Moteiv 2006), MSP430F1611 and CC2420, as Contiki's energest is usually evaluated",
    volts: 3,
    cpuMa: 1.8,
    sleepMa: 0.0545,
    radioMa: { off: 0, listen: 20, receive: 20, transmit: 17.7 },
}

/**
 * Share of time in which the CPU is active. Assumed, not measured, because the VM does not report its computing time.
 * Sensing takes 8.2 % of an RP2040, sealing an envelope every 2 s 0.5 %, and timers and the link some more; see
 * docs/numbers.md. It is the same for every mote at all times.
 */
export const cpuShare = 0.1

export interface Energy {
    /** Charge used in each state, in mA s. */
    cpuMas: number
    sleepMas: number
    radioMas: Record<RadioState, number>
    totalMah: number
    meanMa: number
    /** Time with power, over all starts. */
    seconds: number
}

/** @param spentMs time of the radio in each state, while the mote had power */
function energy(spentMs: RadioTimes, currents = skyCurrents): Energy {
    const seconds = (spentMs.off + spentMs.listen + spentMs.receive + spentMs.transmit) / 1000
    const of = (state: RadioState) => (spentMs[state] / 1000) * currents.radioMa[state]
    const radioMas = {
        off: of("off"),
        listen: of("listen"),
        receive: of("receive"),
        transmit: of("transmit"),
    }
    const cpuMas = cpuShare * currents.cpuMa * seconds
    const sleepMas = (1 - cpuShare) * currents.sleepMa * seconds
    const totalMas = cpuMas + sleepMas + radioMas.off + radioMas.listen + radioMas.receive + radioMas.transmit
    return {
        cpuMas,
        sleepMas,
        radioMas,
        totalMah: totalMas / 3600,
        meanMa: seconds > 0 ? totalMas / seconds : 0,
        seconds,
    }
}

/** Energy of a node over all its starts; each start has its own radio. */
export class Meter {
    private readonly before: RadioTimes = { off: 0, listen: 0, receive: 0, transmit: 0 }
    private radio: Radio | undefined

    powerOn(radio: Radio): void {
        this.radio = radio
    }

    powerOff(): void {
        Object.assign(this.before, this.spentMs())
        this.radio = undefined
    }

    /** Time in each state, up to now. */
    spentMs(): RadioTimes {
        const { before, radio } = this
        if (!radio) return { ...before }
        radio.settle()
        const { off, listen, receive, transmit } = radio.spentMs
        return {
            off: before.off + off,
            listen: before.listen + listen,
            receive: before.receive + receive,
            transmit: before.transmit + transmit,
        }
    }

    energy(currents = skyCurrents): Energy {
        return energy(this.spentMs(), currents)
    }
}
