import type { RadioState } from "./radio/air.ts"

/** What a mote draws in each state, in mA. */
export interface Currents {
    name: string
    source: string
    volts: number
    cpuMa: number
    sleepMa: number
    radioMa: Record<RadioState, number>
}

/** The mote of the paper. */
export const skyCurrents: Currents = {
    name: "Tmote Sky",
    source: "Tmote Sky data sheet (Moteiv 2006), MSP430F1611 and CC2420, as Contiki's energest is usually evaluated",
    volts: 3,
    cpuMa: 1.8,
    sleepMa: 0.0545,
    radioMa: { off: 0, listen: 20, receive: 20, transmit: 17.7 },
}

/** What the firmware keeps an RP2040 busy with: estimator, link and the VM itself; docs/numbers.md. */
const cpuShare = 0.15

export interface Energy {
    cpuMas: number
    radioMas: Record<RadioState, number>
    totalMah: number
    meanMa: number
}

/** The charge that went into each state. @param spentMs of the radio, while there was power */
export function energy(spentMs: Record<RadioState, number>, currents = skyCurrents): Energy {
    const seconds = (spentMs.off + spentMs.listen + spentMs.receive + spentMs.transmit) / 1000
    const meanCpuMa = cpuShare * currents.cpuMa + (1 - cpuShare) * currents.sleepMa
    const of = (state: RadioState) => (spentMs[state] / 1000) * currents.radioMa[state]
    const radioMas = {
        off: of("off"),
        listen: of("listen"),
        receive: of("receive"),
        transmit: of("transmit"),
    }
    const cpuMas = meanCpuMa * seconds
    const totalMas = cpuMas + radioMas.off + radioMas.listen + radioMas.receive + radioMas.transmit
    return {
        cpuMas,
        radioMas,
        totalMah: totalMas / 3600,
        meanMa: seconds > 0 ? totalMas / seconds : 0,
    }
}
