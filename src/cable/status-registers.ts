import { millis } from "@devicescript/core"
import { config } from "../config/config"
import { status } from "../link/status"
import { firmwareVersion } from "../platform/version"

/** See services/mote-status.md. */
const enum Register {
    link = 0x180,
    queued = 0x181,
    receiptAge = 0x182,
    battery = 0x183,
    firmware = 0x184,
    configuration = 0x185,
    counters = 0x186,
}

export const firstStatusRegister = Register.link

/** Value of a register of the service "Mote status". Undefined if it has none. */
export function statusRegister(register: number): any {
    switch (register) {
        case Register.link:
            return status.isLinked ? 1 : 0
        case Register.queued:
            return status.queued
        case Register.receiptAge:
            if (status.receiptMs === undefined) return undefined
            return Math.idiv(millis() - status.receiptMs, 1000)
        case Register.battery:
            return status.battery
        case Register.firmware:
            return firmwareVersion
        case Register.configuration:
            return config.version
        case Register.counters:
            return [status.boot, status.sent, status.repeated, status.receipts, status.lost]
        default:
            return undefined
    }
}
